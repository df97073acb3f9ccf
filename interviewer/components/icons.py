"""Icons as inline SVG in the text color, without a font or a request."""

from __future__ import annotations

import reflex as rx

_PATHS = {
    "check": "M4 12.5 9.5 18 20 6.5",
    "half": "M5 12h14",
    "cross": "M6 6l12 12M18 6 6 18",
    "moon": "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
    "chevron": "M6 9.5l6 6 6-6",
    "arrow": "M5 12h14M13 6l6 6-6 6",
    "pause": "M8 5v14M16 5v14",
    "alert": "M12 8v5M12 16.5v.5M10.3 3.9 2.4 17.5A2 2 0 0 0 4.1 20.5h15.8a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0Z",
    "eye": "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12ZM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z",
    "eye-off": "M4 4l16 16M9.5 5.8A10 10 0 0 1 12 5.5c6.4 0 10 6.5 10 6.5a17 17 0 0 1-3 3.7M6 7.6A16.6 16.6 0 0 0 2 12s3.6 6.5 10 6.5c1.6 0 3-.4 4.2-1",
    "print": "M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z",
    "share": "M12 15V3M7.5 7 12 3l4.5 4M5 12v8h14v-8",
    "download": "M12 4v11M7.5 11l4.5 4 4.5-4M5 20h14",
    "upload": "M12 16V5M7.5 9 12 4.5 16.5 9M5 20h14",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM12 7.5V12l3 2",
    "keyboard": "M3 6.5h18v11H3zM7 10.5h.01M11 10.5h.01M15 10.5h.01M18 10.5h.01M8 14h8",
    "microphone": "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
    "speaker": "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM15.5 9a4.2 4.2 0 0 1 0 6M18.3 6.5a8 8 0 0 1 0 11",
    "skip": "M5 5l8 7-8 7ZM18 5v14",
    "mail": "M3 6h18v12H3zM3 7l9 6 9-6",
}


def icon(name: str, size: int = 18, class_name: str = "") -> rx.Component:
    """Return an icon that is hidden from screen readers. The text next to it must carry the meaning."""
    return rx.el.svg(
        rx.el.path(d=_PATHS[name]),
        view_box="0 0 24 24",
        width=str(size),
        height=str(size),
        fill="none",
        stroke="currentColor",
        stroke_width="2",
        stroke_linecap="round",
        stroke_linejoin="round",
        aria_hidden="true",
        class_name=f"shrink-0 {class_name}",
    )


# GitHub's logo, which its terms require on sign-in buttons.
_GITHUB = (
    "M8 0c4.42 0 8 3.58 8 8a8.013 8.013 0 0 1-5.45 7.59c-.4.08-.55-.17-.55-.38 0-.27.01-1.13.01-2.2 0-.75-.25-1.23-.54-1.48 "
    "1.78-.2 3.65-.88 3.65-3.95 0-.88-.31-1.59-.82-2.15.08-.2.36-1.02-.08-2.12 0 0-.67-.22-2.2.82-.64-.18-1.32-.27-2-.27-.68 "
    "0-1.36.09-2 .27-1.53-1.03-2.2-.82-2.2-.82-.44 1.1-.16 1.92-.08 2.12-.51.56-.82 1.28-.82 2.15 0 3.06 1.86 3.75 3.64 "
    "3.95-.23.2-.44.55-.51 1.07-.46.21-1.61.55-2.33-.66-.15-.24-.6-.83-1.23-.82-.67.01-.27.38.01.53.34.19.73.9.82 1.13.16.45.68 "
    "1.31 2.69.94 0 .67.01 1.3.01 1.49 0 .21-.15.45-.55.38A7.995 7.995 0 0 1 0 8c0-4.42 3.58-8 8-8Z"
)


def github_mark(size: int = 18) -> rx.Component:
    """Return GitHub's logo in the text color."""
    return rx.el.svg(
        rx.el.path(d=_GITHUB), view_box="0 0 16 16", width=str(size), height=str(size), fill="currentColor", aria_hidden="true"
    )
