"""The appearance of the code editor around the answer box. Its behavior is in `assets/code/`."""

from __future__ import annotations

from typing import Any

import reflex as rx

# Versions of Pyodide and PGlite, which run Python and SQL in the browser. `interviewer/frontend.py` copies their files to the paths
# that `code_box` passes as `python` and `pglite`.
PYODIDE, PGLITE = "314.0.7", "0.5.17"

# No ligatures: code must appear as typed, without an arrow for -> or a joined ~~^~~ under an error.
_CODE = "font-mono text-sm [font-variant-ligatures:none]"

_LOOK = {
    "frame": (
        "overflow-hidden rounded-md border border-line bg-sheet has-[.cm-focused,textarea:focus]:border-accent "
        "has-[.cm-focused,textarea:focus]:outline-2 has-[.cm-focused,textarea:focus]:-outline-offset-1 "
        "has-[.cm-focused,textarea:focus]:outline-accent"
    ),
    "bar": "flex items-center justify-between gap-3 border-b border-line bg-paper px-3 py-1.5",
    "language": "flex min-w-0 items-center gap-2 text-sm text-muted",
    "language_word": "sr-only sm:not-sr-only",
    "select": "min-h-11 w-full min-w-0 cursor-pointer rounded-md border border-line bg-sheet px-2 text-base text-ink sm:text-sm",
    "right": "flex min-w-0 items-center gap-3",
    "aside": "text-sm text-muted",
    "run": (
        "inline-flex min-h-11 shrink-0 cursor-pointer items-center gap-2 rounded-md border border-accent bg-sheet px-4 text-sm font-semibold "
        "text-accent transition-colors hover:bg-accent hover:text-accent-ink"
    ),
    "editor": _CODE,
    "note": "border-t border-line px-3 py-2 text-sm text-bad",
    "output": "border-t border-line bg-code px-3 py-2.5",
    "status": "text-sm text-muted",
    "wrong": "text-sm font-medium text-bad",
    "track": "mt-2 h-1.5 overflow-hidden rounded-full bg-line",
    "bar_done": "h-full rounded-full bg-accent",
    "printed": f"mt-2 max-h-72 overflow-auto whitespace-pre-wrap break-words text-ink {_CODE}",
    "error": "text-bad",
    "cut": "mt-2 text-sm text-muted",
    "skip": "-ml-2 inline-flex min-h-11 cursor-pointer items-center px-2 text-sm font-medium text-accent underline underline-offset-4",
    "cases": "mt-2 divide-y divide-line border-y border-line",
    "one": "group",
    "case_name": "flex min-h-11 cursor-pointer flex-wrap items-center gap-x-3 py-1 text-sm",
    "passed": "shrink-0 font-semibold text-good",
    "failed": "shrink-0 font-semibold text-bad",
    "name": "min-w-0 flex-1",
    "took": "shrink-0 text-muted",
    "facts": "grid gap-x-4 gap-y-1 pb-3 text-sm sm:grid-cols-[5.5rem_1fr]",
    "fact": "text-muted",
    "value": f"max-h-40 min-w-0 overflow-auto whitespace-pre-wrap break-words text-ink {_CODE}",
    "value_wrong": f"max-h-40 min-w-0 overflow-auto whitespace-pre-wrap break-words text-bad {_CODE}",
}


class CodeBox(rx.Component):
    """A wrapper that turns its only child, a textarea, into a code editor while `open` is true."""

    library = "$/public/code/box.jsx"
    tag = "CodeBox"
    lib_dependencies: list[str] = [  # noqa: RUF012 - Reflex's own way to name them
        "@codemirror/autocomplete@6.20.4",
        "@codemirror/commands@6.11.1",
        "@codemirror/lang-cpp@6.0.3",
        "@codemirror/lang-go@6.0.1",
        "@codemirror/lang-java@6.0.2",
        "@codemirror/lang-javascript@6.2.5",
        "@codemirror/lang-python@6.2.1",
        "@codemirror/lang-rust@6.0.2",
        "@codemirror/lang-sql@6.10.0",
        "@codemirror/language@6.13.1",
        "@codemirror/legacy-modes@6.5.5",
        "@codemirror/state@6.7.6",
        "@codemirror/view@6.43.15",
        "@lezer/highlight@1.2.5",
        f"@electric-sql/pglite@{PGLITE}",
        f"pyodide@{PYODIDE}",
        "sucrase@3.35.1",
    ]

    open: rx.Var[bool]
    look: rx.Var[dict[str, str]]
    label_id: rx.Var[str]
    hint_ids: rx.Var[str]
    placeholder: rx.Var[str]
    language: rx.Var[str]
    exercise: rx.Var[str]
    python: rx.Var[str]
    pglite: rx.Var[str]


def code_box(box: rx.Component, **attributes: Any) -> rx.Component:
    """Return the code editor around `box`. `attributes` are the component's other props."""
    folders = {"python": f"/assets/pyodide/{PYODIDE}/", "pglite": f"/assets/pglite/{PGLITE}/"}
    return CodeBox.create(box, look=_LOOK, **folders, **attributes)
