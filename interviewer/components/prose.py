"""Text with a little structure: paragraphs, lists, and code."""

from __future__ import annotations

import reflex as rx

from interviewer.reports.prose import Block, Span

_CODE = "overflow-x-auto whitespace-pre rounded-md bg-code p-4 font-mono text-sm font-normal leading-relaxed"


def prose(blocks: rx.Var[list[Block]], *, id: str | None = None, class_name: str = "", gap: str = "space-y-3") -> rx.Component:
    """Return text blocks, one below the other. `gap` is the class for the space between them."""
    return rx.el.div(rx.foreach(blocks, _block), id=id, class_name=f"{gap} break-words {class_name}")


def _block(block: rx.Var[Block]) -> rx.Component:
    return rx.match(
        block.kind,
        ("code", rx.el.pre(rx.foreach(block.spans, lambda span: rx.el.code(span.text)), tab_index=0, class_name=_CODE)),
        (
            "list",
            rx.el.div(
                rx.el.p(rx.foreach(block.spans, _span), class_name="font-semibold"),
                rx.el.ul(rx.foreach(block.lines, lambda item: rx.el.li(item)), class_name="mt-1 list-disc space-y-1 pl-5"),
            ),
        ),
        rx.el.p(rx.foreach(block.spans, _span), class_name="whitespace-pre-line"),
    )


def _span(span: rx.Var[Span]) -> rx.Component:
    return rx.cond(
        span.code,
        rx.el.code(span.text, class_name="rounded bg-code px-1 font-mono text-[0.85em] font-normal"),
        rx.el.span(span.text),
    )
