"""Short notices on a page: that something was saved, copied or failed."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.constants.state import FIELD_MARKER


class NoticeState(rx.State):
    """The newest notice of a page; `number` distinguishes two notices with the same words."""

    words: str = ""
    number: int = 0

    @classmethod
    def saying(cls, words: str) -> dict[str, dict[str, Any]]:
        """Return the delta that shows `words` on a page whose state is out of reach."""
        return {cls.get_full_name(): {f"words{FIELD_MARKER}": words, f"number{FIELD_MARKER}": -1}}

    @rx.event
    def close(self) -> None:
        """Close the notice."""
        self.words = ""
