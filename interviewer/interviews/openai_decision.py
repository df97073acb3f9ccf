"""What a language model does with an answer, as its reply tells while it is being written: a verdict, or something to say."""

from __future__ import annotations

from collections.abc import Iterator

from interviewer.interviews.interviewer import AnswerBrief, FollowUpDraft, FollowUpPiece, Piece, ReplyDraft
from interviewer.interviews.model_server.server import Shown

# In characters. A shorter text, such as "None" or "N/A", is shown only once the reply is complete and shows that it is meant.
MIN_TEXT = 10
FOLLOW_UP, CLARIFICATION = "follow_up", "clarification"


class Decision:
    """Reads the decision at the beginning of a reply: a verdict, or one of those that are `allowed`.

    What is shown first counts: a text for an allowed decision, or the feedback. The other one is never shown, in case the
    server does not enforce the schema.
    """

    def __init__(self, brief: AnswerBrief) -> None:
        self.allowed = [FOLLOW_UP] * brief.may_follow_up + [CLARIFICATION] * brief.may_clarify
        self._named = self._text = ""
        self._shown = 0
        self._judges = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the reply's fields to stream, in order."""
        return ("decision", "text", "feedback") if self.allowed else ("feedback",)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Those of them that are not shown."""
        return ("decision",) if self.allowed else ()

    def feed(self, new: Shown) -> Iterator[FollowUpPiece | Piece]:
        """Yield the text to show."""
        if new.field == "decision":
            self._named = new.text
        elif new.field == "text":
            self._text = f"{self._text}{new.text}".lstrip()
        elif not self._shown:
            self._judges = True
            yield Piece(new.text)
        if self._says() and len(self._text) >= MIN_TEXT and (more := self._text[self._shown :]):
            self._shown = len(self._text)
            yield FollowUpPiece(more)

    def draft(self, text: str) -> FollowUpDraft | ReplyDraft | None:
        """Return what the interviewer says once the reply with this `text` is complete, or None for a verdict."""
        text = text.strip()
        follows_up = self._name == FOLLOW_UP
        if not self._says() or not (self._shown or text.endswith("?" if follows_up else (".", "?", "!"))):
            return None
        return FollowUpDraft(text) if follows_up else ReplyDraft(text)

    @property
    def _name(self) -> str:
        return self._named.strip().casefold().replace("-", "_").replace(" ", "_")

    def _says(self) -> bool:
        return not self._judges and self._name in self.allowed
