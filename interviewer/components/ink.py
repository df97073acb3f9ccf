"""What an examiner draws by hand: the ring around a score."""

from __future__ import annotations

import reflex as rx

# Once around and a little over, not quite round, as a pen does it.
_RING = "M60 8C34 2 6 12 5 33s24 30 50 29 47-13 44-33S70 3 42 9"


def ring(*children: rx.Component, class_name: str = "") -> rx.Component:
    """Return `children` in a ring of ink, which has the colour of the text around it."""
    return rx.el.span(
        rx.el.svg(
            rx.el.svg.path(d=_RING, custom_attrs={"pathLength": "1"}),
            view_box="0 0 104 70",
            custom_attrs={"preserveAspectRatio": "none"},
            aria_hidden="true",
            class_name="ink-ring pointer-events-none absolute inset-0 h-full w-full overflow-visible",
        ),
        rx.el.span(*children, class_name="relative inline-flex items-baseline"),
        class_name=f"relative inline-flex items-center justify-center px-5 py-3 {class_name}",
    )
