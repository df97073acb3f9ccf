"""Short notices on a page, for example about an event that was refused or failed."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.constants.state import FIELD_MARKER

# The end of every message that says a text is too long.
SHORTEN = "Your text is still here. Please shorten it and try again."


class NoticeState(rx.State):
    """The latest notice of a page. `number` is the key of the notice's element."""

    text: str = ""
    number: int = 0

    @classmethod
    def saying(cls, text: str) -> dict[str, dict[str, Any]]:
        """Return the state delta that shows `text` as a notice. It can be sent without access to the page's state."""
        return {cls.get_full_name(): {f"text{FIELD_MARKER}": text, f"number{FIELD_MARKER}": -1}}

    @rx.event
    def close(self) -> None:
        """Close the notice."""
        self.text = ""
