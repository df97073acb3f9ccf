"""Temporary notices and the connection status, at the bottom of every page."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from interviewer.components.forms import WRITTEN_BY_SCRIPT
from interviewer.components.icons import icon
from interviewer.state.notices import NoticeState

_NOTICE = "pointer-events-auto flex items-center gap-3 rounded-md border border-line bg-ink py-1 pl-4 pr-1 text-paper shadow-lg"


def notices() -> rx.Component:
    """Return the notices and the connection status. `assets/notices.js` adds the notices that originate in the browser."""
    return rx.el.div(
        rx.el.div(
            rx.cond(
                NoticeState.text != "",
                rx.el.div(
                    rx.el.p(NoticeState.text),
                    rx.el.button(
                        icon("cross"),
                        rx.el.span("Close", class_name="sr-only"),
                        type="button",
                        on_click=NoticeState.close,
                        class_name="inline-flex min-h-11 min-w-11 cursor-pointer items-center justify-center rounded-md",
                    ),
                    key=NoticeState.number.to_string(),
                    class_name=f"notice {_NOTICE}",
                ),
            ),
            role="status",
        ),
        rx.el.div("", id="notices", role="status", custom_attrs={"data-look": _NOTICE, **WRITTEN_BY_SCRIPT}),
        # The browser detects immediately that it is offline. It notices an unreachable server only when a response is missing.
        rx.el.div("", id="offline", role="status", class_name="peer empty:hidden", custom_attrs=WRITTEN_BY_SCRIPT),
        rx.el.div(
            rx.cond(
                has_connection_errors,
                rx.el.p(
                    "Connection lost. Anything you type is saved in this browser, and the page will reconnect automatically.",
                    class_name=f"{_NOTICE} min-h-11 pr-4",
                ),
            ),
            role="status",
            class_name="peer-[:not(:empty)]:hidden",
        ),
        class_name="pointer-events-none fixed inset-x-4 bottom-4 z-20 flex flex-col items-center gap-2 print:hidden",
    )
