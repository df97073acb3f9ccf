"""Notice prompts that a server cuts without a word, as Ollama does at its context size, by the number of tokens it reports."""

from __future__ import annotations

from itertools import groupby

from interviewer.interviews.model_server.capabilities import SMALLEST_CONTEXT

# On the safe side: English prose and JSON have more tokens than one for six characters, other scripts have even more.
_CHARACTERS_PER_TOKEN = 4.0
# A prompt was cut if the server counts fewer than this part of the estimate, or if the count is a usual size of a context.
_CLEARLY_FEWER, _FEWER, _SIZES = 0.6, 0.9, 1_024
# A longer run of one character, such as a line of dashes, is still only a few tokens.
_LONGEST_RUN = 3


def cut_at(sent: str, counted: int) -> int | None:
    """Return the number of tokens to which a server cut the prompt `sent`, or None if it did not. `counted` is what it reports.

    Counts below SMALLEST_CONTEXT are ignored, because some servers report only the tokens that were not in their cache.
    """
    share = _FEWER if counted % _SIZES == 0 else _CLEARLY_FEWER
    if counted < SMALLEST_CONTEXT or counted >= share * len(sent) / _CHARACTERS_PER_TOKEN:
        return None
    characters = sum(min(sum(1 for _ in run), _LONGEST_RUN) for _, run in groupby(sent))
    return counted if counted < share * characters / _CHARACTERS_PER_TOKEN else None


class Suspicion:
    """Confirms a cut once prompts of two lengths were counted at the same number of tokens."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def confirmed(self, at: int | None, length: int, *, is_sure: bool = False) -> int | None:
        """Return `at`, the tokens to which a prompt of `length` characters seems cut, if that is sure or confirmed, else None."""
        if at is None or is_sure:
            return at
        last, self._last = self._last, (at, length)
        return at if last is not None and last[0] == at and last[1] != length else None
