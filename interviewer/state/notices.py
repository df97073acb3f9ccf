"""What the page tells in passing: that something was saved, copied or done."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.constants.state import FIELD_MARKER


class NoticeState(rx.State):
    """The newest notice of a page; `number` tells two of the same words apart."""

    words: str = ""
    number: int = 0

    @classmethod
    def saying(cls, words: str) -> dict[str, dict[str, Any]]:
        """Return the change that shows `words` on a page whose state cannot be had."""
        return {cls.get_full_name(): {f"words{FIELD_MARKER}": words, f"number{FIELD_MARKER}": -1}}

    @rx.event
    def close(self) -> None:
        """Take the notice away."""
        self.words = ""
