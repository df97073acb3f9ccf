"""An interviewer that uses the chat/completions API of OpenAI, Ollama, vLLM, llama.cpp and compatible servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from interviewer.core.documents import Document
from interviewer.errors import InterviewerBadOutput, InterviewerRefused
from interviewer.interviews import prompts
from interviewer.interviews.exchange import MAX_FOLLOW_UPS, Author, Kind, Said, answers
from interviewer.interviews.interviewer import (
    AnswerBrief,
    FollowUpDraft,
    JobBrief,
    Judging,
    PastTurn,
    Piece,
    QuestionBrief,
    QuestionDraft,
    ReplyBrief,
    ReplyDraft,
    Usage,
    VerdictDraft,
)
from interviewer.interviews.model_server import normalizing
from interviewer.interviews.model_server.budget import cut
from interviewer.interviews.model_server.exercises import runnable_languages
from interviewer.interviews.model_server.messages import Order
from interviewer.interviews.model_server.options import ServerOptions
from interviewer.interviews.model_server.results import Improvable, result
from interviewer.interviews.model_server.server import ModelServer, Shown
from interviewer.interviews.non_answers import is_non_answer
from interviewer.interviews.openai_decision import Decision
from interviewer.interviews.rubric import Mark, MarkedPoint, Rubric
from interviewer.interviews.topics import CODING, topic_by_id

MAX_PAST_ANSWER = 2_000
# Seconds that the list of models may take.
LIST_SECONDS = 10.0


class OpenAIInterviewer:
    """Implements `interviews.interviewer.Interviewer` with the chat/completions API."""

    name = "openai"
    deterministic = False
    max_follow_ups = MAX_FOLLOW_UPS
    detects_questions = True
    prompt_version = prompts.VERSION

    def __init__(self, *, model: str, api_key: str | None, base_url: str | None, options: ServerOptions | None = None) -> None:
        """Create a client. Self-hosted servers often need no `api_key`."""
        self.model = model
        self.server = ModelServer(model=model, api_key=api_key, base_url=base_url, options=options or ServerOptions())

    async def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Stream a question. Raises a subclass of InterviewerError if the request fails or the reply is unusable.

        If the provider refuses the request, the question is asked without the job description, the résumé, and earlier answers.
        """
        shown = False
        try:
            async for item in self._ask(brief):
                shown = shown or isinstance(item, Piece)
                yield item
        except InterviewerRefused:
            if shown:
                raise
            history = [replace(turn, answer=None) for turn in brief.history]
            async for item in self._ask(replace(brief, job=None, history=history, resume="")):
                yield item

    async def _ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        request = prompts.question_request(
            topic_by_id(brief.topic_id),
            brief.number,
            brief.must_be_code,
            _job(brief.job),
            [_past(turn) for turn in brief.history],
            level=brief.level,
            programming_language=brief.programming_language,
            resume=brief.resume,
        )
        may_be_code = brief.must_be_code or brief.topic_id == CODING.id
        languages = runnable_languages(brief.programming_language) if may_be_code else ()
        instructions, schema = prompts.question_instructions(languages), prompts.question_schema(languages)
        order = Order(instructions, request, schema, "question", ("question",), spare="exercise" if languages else "")

        def read(found: Mapping[str, Any]) -> QuestionDraft:
            reply = normalizing.question_of(found, brief.level, languages, is_code=brief.must_be_code)
            return QuestionDraft(reply["question"], reply["subtopic"], reply["level"], reply["kind"], reply["rubric"])

        async for item in result(self.server, order, read):
            yield Piece(item.text) if isinstance(item, Shown) else item

    async def judge(self, brief: AnswerBrief) -> AsyncIterator[Judging]:
        """Stream a verdict, or a follow-up or clarification if the brief allows one.

        Raises a subclass of InterviewerError if the request fails or the reply is unusable.
        """
        rubric, decision = Rubric.model_validate(brief.rubric), Decision(brief)

        def read(found: Mapping[str, Any]) -> VerdictDraft | FollowUpDraft | ReplyDraft:
            return decision.draft(normalizing.text_of(found.get("text"))) or _verdict(found, rubric, brief)

        async for item in result(self.server, _verdict_order(brief, rubric, decision), read):
            if isinstance(item, Shown):
                for piece in decision.feed(item):
                    yield piece
            else:
                yield item

    async def reply(self, brief: ReplyBrief) -> AsyncIterator[Piece | Usage | ReplyDraft]:
        """Stream the reply to a clarifying question, or a hint.

        Raises a subclass of InterviewerError if the request fails or the reply is unusable.
        """
        rubric = Rubric.model_validate(brief.rubric)
        request = prompts.as_data(
            topic=topic_by_id(brief.topic_id).name,
            wanted=brief.kind.value,
            question=brief.prompt,
            never_reveal=[point.point for point in rubric.key_points],
            context=rubric.context,
            job=_job(brief.job),
            conversation=_conversation(brief.said),
        )
        order = Order(prompts.REPLY_INSTRUCTIONS, request, prompts.REPLY_SCHEMA, "reply", ("reply",))
        async for item in result(self.server, order, lambda found: ReplyDraft(_filled(found, "reply"))):
            yield Piece(item.text) if isinstance(item, Shown) else item

    async def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Yield the token usage if it is known, then the job profile.

        Raises a subclass of InterviewerError if the request fails or the reply has no JSON object.
        """
        order = Order(prompts.JOB_INSTRUCTIONS, prompts.as_data(job_description=text), prompts.JOB_SCHEMA, "job")
        async for item in result(self.server, order, normalizing.job_of):
            if not isinstance(item, Shown):
                yield item

    async def models(self) -> list[str]:
        """Return the IDs of the models that the server offers. Raises a subclass of InterviewerError if the request fails."""
        return await self.server.models(LIST_SECONDS)

    async def close(self) -> None:
        """Close the connections to the server."""
        await self.server.close()


def _verdict(found: Mapping[str, Any], rubric: Rubric, brief: AnswerBrief) -> VerdictDraft:
    """Return the verdict in a reply.

    Raises InterviewerBadOutput if it is incomplete, and Improvable if a quote is not in the answer.
    """
    feedback = _filled(found, "feedback")
    points = [point.point for point in rubric.key_points]
    try:
        marks = normalizing.marks_of(found.get("marks"), points)
    except InterviewerBadOutput:
        # There is nothing to mark in a text that answers nothing.
        if not all(is_non_answer(brief.prompt, answer) for answer in answers(brief.said) or [brief.answer]):
            raise
        marks = [MarkedPoint(key_point=index, mark=Mark.MISSED) for index in range(len(points))]
    # What tests decide needs no quote.
    decided = brief.check(rubric).proven
    marks = [MarkedPoint(key_point=one.key_point, mark=Mark.MISSED) if one.key_point in decided else one for one in marks]
    marks, unproven = normalizing.with_proven_quotes(marks, brief.answer)
    nature = normalizing.nature_of(found.get("nature")).value
    draft = VerdictDraft(feedback, nature, tuple(mark.model_dump(mode="json") for mark in marks))
    if unproven:
        # The quotes themselves may be what a candidate wants the model to read as an instruction.
        places = ", ".join(map(str, unproven))
        raise Improvable(draft, len(unproven), f"the quote for key point {places} is not in the answer, character by character")
    return draft


def _filled(found: Mapping[str, Any], name: str) -> str:
    """Return a text field. Raises InterviewerBadOutput if it is empty."""
    text = normalizing.text_of(found.get(name))
    if not text:
        raise InterviewerBadOutput(reason=f'"{name}" is empty')
    return text


def _verdict_order(brief: AnswerBrief, rubric: Rubric, decision: Decision) -> Order:
    """Return the order for a verdict on an answer, or for one of the decisions that the brief allows."""
    allowed, points, tests = decision.allowed, rubric.key_points, brief.check(rubric).data()
    request = prompts.verdict_request(
        topic_by_id(brief.topic_id),
        brief.prompt,
        [{"index": index, "point": point.point, "weight": point.weight} for index, point in enumerate(points)],
        rubric.model_answer,
        brief.answer,
        _conversation(brief.said),
        context=rubric.context if brief.may_clarify else "",
        tests=tests,
    )
    schema = prompts.verdict_schema(len(points), *allowed)
    instructions = prompts.verdict_instructions(*allowed, tested=bool(tests))
    return Order(instructions, request, schema, "verdict", decision.fields, decision.unseen)


def _conversation(said: Sequence[Said]) -> list[dict[str, str]]:
    """Return a conversation as data, or nothing if it is a single answer."""
    if len(said) < 2 and not any(one.kind is not Kind.ANSWER for one in said):
        return []
    return [
        {"by": "interviewer" if one.author is Author.INTERVIEWER else "candidate", "kind": one.kind.value, "text": one.text}
        for one in said
    ]


def _job(job: JobBrief | None) -> Any:
    """Return the job's profile, its text if it has no profile yet, or None if there is no job."""
    if job is None:
        return None
    return job.profile or job.text


def _past(turn: PastTurn) -> dict[str, Any]:
    return {
        "topic": topic_by_id(turn.topic_id).name,
        "question": turn.prompt,
        "answer": cut(turn.answer or "", MAX_PAST_ANSWER),
        "score": turn.score,
    }
