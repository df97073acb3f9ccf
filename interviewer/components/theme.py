"""Design tokens: the color and font names that pages use. Their light and dark values are in `assets/theme.css`."""

from __future__ import annotations

from typing import Any

_COLORS = (
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
            "colors": {name: f"var(--{name})" for name in _COLORS},
            "fontFamily": {
                "sans": ["Instrument Sans", "Instrument Meanwhile", "ui-sans-serif", "system-ui", "sans-serif"],
                "serif": ["Newsreader", "Newsreader Meanwhile", "ui-serif", "Georgia", "serif"],
                "mono": ["JetBrains Mono", "ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
            },
        }
    }
}
