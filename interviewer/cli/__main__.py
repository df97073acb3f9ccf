"""Entry point of `python -m interviewer.cli`."""

from __future__ import annotations

from interviewer.cli import app

app()
