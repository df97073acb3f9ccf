"""View models of an interview's conclusion and scores, which the finished interview and its reports show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from interviewer.interviews.views import TopicScore
from interviewer.reports.readiness import BANDS, Readiness, band


@dataclass
class ReportItem:
    """One topic's score. `band` is that of the score, and `meaning` the band in words; both are empty without a score."""

    name: str = ""
    percent: int = 0
    judged: bool = False
    band: str = ""
    meaning: str = ""


@dataclass
class ConclusionItem:
    """The conclusion of an interview in words. `band` is that of the conclusion, or empty if it is about no level.

    `score_band` is the band of the total score, and `meaning` that band in words; both are empty without a score.
    """

    headline: str = ""
    reasons: list[str] = field(default_factory=list)
    band: str = ""
    score_band: str = ""
    meaning: str = ""


def topic_items(topics: Iterable[TopicScore]) -> list[ReportItem]:
    """Build the report's scores by topic."""
    return [
        ReportItem(one.name)
        if one.percent is None
        else ReportItem(one.name, one.percent, True, band(one.percent).value, BANDS[band(one.percent)])
        for one in topics
    ]


def conclusion_item(readiness: Readiness, percent: int | None) -> ConclusionItem:
    """Build the view model of a conclusion. `percent` is the total score, or None if no answer is scored."""
    item = ConclusionItem(readiness.headline, list(readiness.reasons), readiness.band.value if readiness.band else "")
    if percent is not None:
        found = band(percent)
        item.score_band, item.meaning = found.value, BANDS[found]
    return item


def announced_end(readiness: Readiness) -> str:
    """Return the screen reader announcement of the end of an interview, with its conclusion."""
    return f"The interview is finished. {readiness.headline}."
