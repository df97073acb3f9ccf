"""Update the vars of the interview page from views and events.

Nothing here awaits, so callers may hold the state's lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from interviewer.errors import AppError
from interviewer.interviews.events import (
    Asked,
    Event,
    Failed,
    FeedbackPiece,
    FollowUpPiece,
    Judged,
    QuestionPiece,
    Replied,
    Started,
    Stored,
)
from interviewer.interviews.exchange import Kind
from interviewer.interviews.progress import InterviewStatus
from interviewer.interviews.views import InterviewView, TurnView
from interviewer.interviews.wording import ANSWER_NOT_SCORED, interviewer_name
from interviewer.reports.readiness import readiness
from interviewer.state.conclusion import announced_end, conclusion_item, topic_items
from interviewer.state.interview_fields import InterviewFields
from interviewer.state.models import (
    TurnItem,
    announced_question,
    announced_reply,
    announced_verdict,
    heading,
    milliseconds,
    progress_text,
    rail,
    scores_of,
    turn_item,
)
from interviewer.state.plan_form import choice_item
from interviewer.state.streaming import StreamedText

NOT_ASKED = "The next question isn't ready yet."
NOT_REPLIED = "The interviewer hasn't replied yet. What you sent is saved."
GIVEN_UP = "Interview canceled. We've returned your credit."
DID_NOT_START = "The interview didn't start, so we've returned your credit. Please try again."


def begin(state: InterviewFields, phase: str) -> int:
    """Clear the progress and errors of the previous stream, set the phase, and return the new stream's number."""
    state._stream += 1
    state.phase, state.error = phase, ""
    state.sending = state.asking = state.judging = False
    state.behind, state.note = False, ""
    state.question_error = state.verdict_error = ""
    state.question_announcement = state.verdict_announcement = ""
    state.question_chunks, state.question_tail = [], ""
    state.feedback_chunks, state.feedback_tail = [], ""
    _clear_reply(state)
    return state._stream


def _clear_reply(state: InterviewFields) -> None:
    state.replying, state.reply_error = False, ""
    state.reply_chunks, state.reply_tail = [], ""


def show(state: InterviewFields, view: InterviewView) -> None:
    """Show a stored interview. If its start failed, show the start form, filled with its job description."""
    if view.status is InterviewStatus.FAILED:
        state.phase, state.error = "start", DID_NOT_START
        fill_job(state, view.job_text)
        return
    state.interview_id, state.title = view.id, heading(view)
    state.started_ms = milliseconds(view.created_at)
    state.interviewer_name = interviewer_name(view.interviewer)
    state.phase = {InterviewStatus.PAUSED: "paused", InterviewStatus.FINISHED: "finished"}.get(view.status, "live")
    state._plan, state._scores, state._asked = view.plan, scores_of(view), len(view.turns)
    answered = [turn for turn in view.turns if turn.answer is not None and not turn.undecided]
    state.last = turn_item(answered[-1]) if answered else TurnItem()
    newest = answered[-1] if answered else None
    state.unscored = [turn.question_id for turn in answered if turn.lacks_verdict and turn is not newest]
    if newest is not None:
        state.judging, state.verdict_error = _pending(newest.lacks_verdict, newest.leased, ANSWER_NOT_SCORED)
        state.asking, state.question_error = _pending(newest.lacks_next, newest.leased, NOT_ASKED)
    if view.status is InterviewStatus.STARTING:
        state.asking = True
    if (turn := view.open_turn) is not None:
        show_question(state, turn)
        state.replying, state.reply_error = _pending(turn.undecided, turn.leased, NOT_REPLIED)
    else:
        state.question, state.exercise = TurnItem(), ""
    show_progress(state)
    if state.phase == "finished":
        show_report(state, view)


def _pending(lacking: bool, leased: bool, message: str) -> tuple[bool, str]:
    """Return whether missing work is in progress, and `message` if it is missing and not in progress, otherwise ""."""
    return lacking and leased, message if lacking and not leased else ""


def show_given_up(state: InterviewFields, view: InterviewView) -> None:
    """Show the start form again, filled with the interview's job description, after the user canceled the start."""
    begin(state, "start")
    fill_job(state, view.job_text)
    state.interview_id, state.note = 0, GIVEN_UP


def show_report(state: InterviewFields, view: InterviewView) -> None:
    """Show and announce the conclusion; show the total score, the scores by topic, and the answers that have no verdict."""
    found = readiness(view.plan, view.turns)
    state.conclusion, state.question_announcement = conclusion_item(found, view.percent), announced_end(found)
    state.percent = "" if view.percent is None else str(view.percent)
    state.total, state.judged = view.score_sum, view.answers_judged
    state.topics = topic_items(view.topic_scores)
    state.unscored = [turn.question_id for turn in view.turns if turn.lacks_verdict]


def show_appeal(state: InterviewFields, view: InterviewView) -> None:
    """Update the last answer and the scores after an appeal. Does nothing if the page shows another interview."""
    if state.interview_id != view.id:
        return
    state._scores = scores_of(view)
    state.last = next((turn_item(turn) for turn in view.turns if turn.question_id == state.last.question_id), state.last)
    show_progress(state)
    if state.phase == "finished":
        show_report(state, view)


def fill_job(state: InterviewFields, text: str) -> None:
    """Set the text of the job description box."""
    state.job_text = text
    state.job_box += 1


def fill_resume(state: InterviewFields, text: str) -> None:
    """Set the text of the résumé box."""
    state.resume_text = text
    state.resume_box += 1


def show_question(state: InterviewFields, turn: TurnView) -> None:
    """Show a question, and what has been said about it, as the current one."""
    if state.question.question_id != turn.question_id:
        state.code_mode, state.box = turn.kind == "code", 0
    state.question, state.exercise, state.resume_text = turn_item(turn), turn.exercise, ""
    if state.question.follows_up:
        state.code_mode = False  # a follow-up asks for words, also after a reload
    state.question_chunks, state.question_tail = [], ""
    state.asking, state.question_error = False, ""
    _clear_reply(state)
    state._asked = max(state._asked, turn.position)


def show_progress(state: InterviewFields) -> None:
    """Update the progress rail and the progress text."""
    state.rail_items = rail(state._plan, state._asked, state._scores, finished=state.phase == "finished")
    state.progress = progress_text(state.question if state.question.position else state.last)


def show_score(state: InterviewFields, turn: TurnView) -> None:
    """Add a verdict's score to the progress rail, and remove its answer from the unscored ones."""
    if turn.verdict is not None:
        state._scores = {**state._scores, turn.position: turn.verdict.score}
    state.unscored = [question_id for question_id in state.unscored if question_id != turn.question_id]
    show_progress(state)


@dataclass
class StreamedTexts:
    """The streamed text of one stream. `older` is set if its answer is not the newest one.

    `waiting` is the turn whose question the reply may close or leave open, until that is known.
    """

    feedback: StreamedText = field(default_factory=StreamedText)
    question: StreamedText = field(default_factory=StreamedText)
    reply: StreamedText = field(default_factory=StreamedText)
    older: bool = False
    waiting: TurnView | None = None


def apply(state: InterviewFields, event: Event, growing: StreamedTexts) -> None:
    """Show one event of a start or a turn. For an answer before the newest one, only its score and errors are shown."""
    if growing.waiting and isinstance(event, FeedbackPiece | QuestionPiece | Judged | Asked):
        _show_stored(state, growing.waiting)  # no follow-up comes
        growing.waiting = None
    match event:
        case Started(interview_id, title, plan, interviewer):
            state.interview_id, state.phase, state.asking = interview_id, "live", True
            state.question, state.last, state._scores, state._asked = TurnItem(), TurnItem(), {}, 1
            state.exercise = ""
            state._plan, state.choice = plan, choice_item(plan)
            state.title, state.interviewer_name = title, interviewer_name(interviewer)
            state.progress, state.unscored, state.started_ms = "", [], milliseconds(datetime.now(UTC))
            show_progress(state)
        case Stored(turn):
            growing.older = turn.position < state.last.position
            if turn.undecided and not growing.older:
                growing.waiting = turn
                show_question(state, turn)
                state.replying = True
            elif not growing.older:
                _show_stored(state, turn)
        case Judged(turn, finished):
            _show_judged(state, turn, finished)
        case Failed(_, error) if growing.waiting:
            _clear_reply(state)
            state.reply_error, growing.waiting = error.user_message, None
        case Failed(part, error):
            _show_failure(state, part, error, older=growing.older)
        case _ if growing.older:
            pass
        case QuestionPiece(text):
            if growing.question.add(text):
                state.question_chunks = list(growing.question.chunks)
            state.question_tail = growing.question.tail
        case FeedbackPiece(text):
            if growing.feedback.add(text):
                state.feedback_chunks = list(growing.feedback.chunks)
            state.feedback_tail = growing.feedback.tail
        case FollowUpPiece(text):
            if growing.reply.add(text):
                state.reply_chunks = list(growing.reply.chunks)
            state.reply_tail = growing.reply.tail
        case Replied(turn, kind):
            if kind is Kind.CLARIFICATION and growing.waiting and growing.waiting.messages[-1].kind is Kind.ANSWER:
                state.box += 1  # the text in it was no answer
            growing.waiting = None
            _show_reply(state, turn, kind)
        case Asked(turn):
            show_question(state, turn)
            state.sending, state.question_announcement = False, announced_question(turn)
            show_progress(state)


def _show_stored(state: InterviewFields, turn: TurnView) -> None:
    if state.last.question_id not in {0, turn.question_id} and not state.last.judged:
        # If the verdict still arrives, `show_score` removes the answer from the list.
        state.unscored = [*state.unscored, state.last.question_id]
    state.last = turn_item(turn)
    state.judging, state.asking = turn.lacks_verdict, turn.lacks_next
    state.verdict_error = state.question_error = ""
    state.feedback_chunks, state.feedback_tail = [], ""
    state.question_chunks, state.question_tail = [], ""
    if state.question.question_id == turn.question_id:
        state.question, state.exercise = TurnItem(), ""
        _clear_reply(state)
    show_progress(state)


def _show_reply(state: InterviewFields, turn: TurnView, kind: Kind) -> None:
    """Show a follow-up, a clarification, or a hint. A follow-up to code is answered in words unless the user says otherwise.

    If the answer was expected to get a verdict, but has to be written again, its question is open again.
    """
    if state.last.question_id == turn.question_id:
        state.last, state.judging, state.asking = TurnItem(), False, False
    show_question(state, turn)
    if kind is Kind.FOLLOW_UP:
        state.code_mode = False
    state.sending, state.question_announcement = False, announced_reply(turn)


def _show_judged(state: InterviewFields, turn: TurnView, finished: bool) -> None:
    if turn.question_id == state.last.question_id:
        state.last, state.judging = turn_item(turn), False
        state.feedback_chunks, state.feedback_tail, state.verdict_error = [], "", ""
        state.verdict_announcement = announced_verdict(turn)
    if finished:
        state.phase, state.sending, state.question_announcement = "finished", False, ""
    show_score(state, turn)


def _show_failure(state: InterviewFields, part: str, error: AppError, *, older: bool) -> None:
    if older:
        state.error = error.user_message
    elif part == "verdict":
        state.judging, state.verdict_error = False, error.user_message
        state.feedback_chunks, state.feedback_tail = [], ""
    elif state.last.question_id:
        state.asking, state.question_error = False, error.user_message
        state.question_chunks, state.question_tail = [], ""
    else:
        begin(state, "start")
        fill_job(state, state.job_text)
        state.error, state.interview_id = error.user_message, 0


def settle(state: InterviewFields) -> None:
    """Clear the progress indicators. A verdict or question that is missing gets an error text, shown with a retry button."""
    state.sending = state.judging = state.asking = False
    if state.replying:
        _clear_reply(state)
        state.reply_error = NOT_REPLIED
    if state.phase != "live" or not state.last.question_id:
        return
    if not state.last.judged:
        state.verdict_error = state.verdict_error or ANSWER_NOT_SCORED
    if not state.question.question_id and state.last.position < state.last.total:
        state.question_error = state.question_error or NOT_ASKED
