"""The state vars of the interview page, apart from the handlers that change them."""

from __future__ import annotations

import reflex as rx

from interviewer.interviews.plan import STANDARD, Plan
from interviewer.state.conclusion import ConclusionItem, ReportItem
from interviewer.state.models import RailItem, TurnItem
from interviewer.state.plan_form import ChoiceItem


class InterviewFields(rx.State, mixin=True):
    """Everything on the interview page except unsent text, which the browser keeps (`assets/drafts.js`).

    `_stream` is the number of the event stream that the page follows. Streams with an older number only update scores.
    """

    phase: str = "loading"  # loading, start, live, paused, finished, or lost
    error: str = ""
    behind: bool = False  # the last submission was for a question that another tab has already answered
    note: str = ""
    question_announcement: str = ""  # announcements for screen readers
    verdict_announcement: str = ""
    sending: bool = False
    credits: int = 0
    refusal: str = ""  # why a user without credits cannot start an interview
    job_text: str = ""
    choice: ChoiceItem = ChoiceItem()  # what is preselected in the start form
    job_box: int = 0  # a new number re-renders the text box with `job_text`
    resume_text: str = ""  # kept until the first question, to fill in the form again if the start fails
    resume_box: int = 0  # a new number re-renders the text box with `resume_text`
    resume_use: str = ""  # who sees a résumé, which depends on the interviewer
    has_last_resume: bool = False
    interview_id: int = 0
    title: str = ""
    started_ms: int = 0
    interviewer_name: str = ""
    rail_items: list[RailItem] = []
    progress: str = ""

    question: TurnItem = TurnItem()
    question_chunks: list[str] = []
    question_tail: str = ""
    asking: bool = False
    question_error: str = ""
    code_mode: bool = False
    exercise: str = ""  # the tests of the open question as JSON text (`page_text`), empty if it has none
    box: int = 0  # a new number empties the answer box, after its text was sent as a clarifying question
    replying: bool = False  # the interviewer is about to follow up, to reply, or to close the question
    reply_chunks: list[str] = []
    reply_tail: str = ""
    reply_error: str = ""

    last: TurnItem = TurnItem()
    feedback_chunks: list[str] = []
    feedback_tail: str = ""
    judging: bool = False
    verdict_error: str = ""
    unscored: list[int] = []

    conclusion: ConclusionItem = ConclusionItem()
    percent: str = ""
    total: int = 0
    judged: int = 0
    topics: list[ReportItem] = []

    _stream: int = 0
    _scores: dict[int, int] = {}
    _asked: int = 0
    _plan: Plan = STANDARD
