"""Icons as inline SVG: no font, no request, the colour of the text around them."""

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
    "mail": "M3 6h18v12H3zM3 7l9 6 9-6",
}


def icon(name: str, size: int = 18, class_name: str = "") -> rx.Component:
    """Return an icon that screen readers skip; the words beside it say what it means."""
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
