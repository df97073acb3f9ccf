"""What the page tells in passing: that something was saved, copied or done."""

from __future__ import annotations

import reflex as rx


class NoticeState(rx.State):
    """The newest notice of a page; `number` tells two of the same words apart."""

    words: str = ""
    number: int = 0

    def say(self, words: str) -> None:
        """Show `words`, one short sentence, instead of whatever was shown before."""
        self.words = words
        self.number += 1

    @rx.event
    def close(self) -> None:
        """Take the notice away."""
        self.words = ""
