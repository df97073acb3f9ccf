"""Résumés as text, PDF, and .docx, for tests. Hostile files are made by the tests that read them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from docx import Document
from fpdf import FPDF

EMAIL, PHONE, LINK = "ada.byron@example.com", "+44 20 7946 0018", "linkedin.com/in/ada-byron"
LATENCY = "Reduced p95 latency of the search endpoint from 900 ms to 120 ms"
MENTORED = "Mentored three junior engineers, two of whom were promoted"
LINES = (
    "Ada Byron",
    f"12 Harbor Street, London | {EMAIL} | {PHONE} | {LINK}",
    "Experience",
    "Analytical Payments, Backend Engineer, 2019 - 2024",
    f"- {LATENCY}.",
    f"- {MENTORED}.",
    "- Moved the billing system from cron jobs to Kafka.",
    "Skills",
    "Python, PostgreSQL, Kafka",
)
RESUME = "\n".join(LINES)


def pdf(lines: Sequence[str] = LINES, pages: int = 1) -> bytes:
    """Return a PDF with the lines on each of its pages."""
    sheet = FPDF()
    for _ in range(pages):
        sheet.add_page()
        sheet.set_font("helvetica", size=11)
        for line in lines:
            sheet.multi_cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(sheet.output())


def docx(lines: Sequence[str] = LINES, cells: Sequence[str] = ()) -> bytes:
    """Return a .docx file with the lines as paragraphs, and the cells in a table after them."""
    document = Document()
    for line in lines:
        document.add_paragraph(line)
    if cells:
        row = document.add_table(1, len(cells)).rows[0]
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()
