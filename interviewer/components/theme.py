"""Design tokens: the names that pages use. Values for light and dark stand in `assets/theme.css`."""

from __future__ import annotations

from typing import Any

_COLOURS = (
    "paper",
    "sheet",
    "ink",
    "muted",
    "line",
    "accent",
    "accent-ink",
    "marker",
    "good",
    "half",
    "bad",
    "bad-soft",
    "code",
)

TAILWIND: dict[str, Any] = {
    "theme": {
        "extend": {
            "colors": {name: f"var(--{name})" for name in _COLOURS},
            "fontFamily": {
                "sans": [
                    "ui-sans-serif",
                    "system-ui",
                    "-apple-system",
                    "Segoe UI",
                    "Roboto",
                    "Helvetica Neue",
                    "Arial",
                    "sans-serif",
                ],
                "serif": ["Iowan Old Style", "Charter", "Bitstream Charter", "ui-serif", "Georgia", "Cambria", "serif"],
                "mono": ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace"],
            },
        }
    }
}
