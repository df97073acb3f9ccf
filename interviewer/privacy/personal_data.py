"""What users can do with their own data: change their name, export everything, and erase everything."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from interviewer.accounts import mail_templates, queries, session_queries
from interviewer.accounts.user_names import checked_username
from interviewer.billing import purchase_queries, subscription_queries, webhook_queries
from interviewer.billing.account_view import INACTIVE
from interviewer.billing.lemonsqueezy.client import LemonSqueezy
from interviewer.core import mail_queries, users
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.mail_outbox import MailSender, enqueue
from interviewer.core.rate_limits import Action, Guard
from interviewer.core.users import User
from interviewer.credits import free_credit, ledger
from interviewer.credits.rules import SubscriptionStatus
from interviewer.errors import BadRequest, PaymentsUnavailable, SubscriptionNotCancelled, Unauthorized, Unavailable
from interviewer.interviews import choice_queries
from interviewer.interviews import queries as interview_queries
from interviewer.interviews.load import found
from interviewer.interviews.plan import Plan, plan_of
from interviewer.interviews.tables import Appeal, Verdict
from interviewer.interviews.topics import topic_by_id
from interviewer.interviews.verdict_views import AppealView, VerdictView
from interviewer.interviews.views import MessageView
from interviewer.reports import practice_queries, sharing_queries
from interviewer.reports.tables import PracticeTry


class Personal:
    """Operations on a user's own data, for the user and for operators."""

    def __init__(
        self, database: Database, mail_sender: MailSender, payments: LemonSqueezy | None, site_url: str, guard: Guard
    ) -> None:
        self._guard = guard
        self._database = database
        self._mail_sender = mail_sender
        self._payments = payments
        self._site_url = site_url

    async def rename(self, user_id: int, username: str) -> str:
        """Change the user's name and return it as stored.

        Raises BadRequest for an invalid name, and Unauthorized if the account does not exist.
        """
        name = checked_username(username)
        async with self._database.transaction() as session:
            user = await _locked(session, user_id)
            user.username, user.updated_at = name, utcnow()
        return name

    async def erase(self, user_id: int, typed_email: str) -> None:
        """Erase an account and everything that belongs to it. `typed_email` must be the account's email address.

        Subscriptions that would still be charged are canceled first. Ledger rows, purchases, and webhook deliveries (without
        their bodies) are kept, but no longer refer to the user. Keyed hashes of the email address and the GitHub ID are kept,
        too, so that signing up again gives no second free credit.

        Raises BadRequest if `typed_email` is wrong, Unauthorized if the account does not exist, and SubscriptionNotCancelled if a
        subscription could not be canceled. Raises Unavailable if the database does not respond; if all those subscriptions have
        been canceled by then, its message says so. Nothing is erased in any of these cases.
        """
        cancelled = await self._cancel_subscriptions(user_id, typed_email)
        try:
            await self._erase(user_id)
        except Unavailable:
            if not cancelled:
                raise
            raise Unavailable("We've canceled your plan, but we haven't deleted your account yet. Please try again.") from None
        self._mail_sender.wake()

    async def _erase(self, user_id: int) -> None:
        async with self._database.transaction() as session:
            # Lock purchases before the user, in the same order as webhook deliveries do.
            await subscription_queries.lock_purchases(session, user_id)
            # Lock FOR UPDATE, so that inserting a row that refers to the user waits, too.
            user = await session.get(User, user_id, with_for_update=True)
            if user is None:
                raise Unauthorized
            if await subscription_queries.running_subscription_ids(session, user_id):
                raise SubscriptionNotCancelled  # it started while the others were being canceled
            await purchase_queries.orphan(session, user_id)
            await webhook_queries.erase_bodies(session, user_id)
            await free_credit.remember_erased_account(session, user)
            await queries.delete_one_time_tokens(session, user.email)
            await mail_queries.drop_waiting(session, user.email)
            await session.delete(user)
            await session_queries.announce_end(session)
            enqueue(session, mail_templates.deleted(user.email, user.username, self._site_url))

    async def _cancel_subscriptions(self, user_id: int, typed_email: str) -> int:
        """Cancel the user's subscriptions that would still be charged, record the cancellations, and return their number.

        No transaction is open during the requests to the payment service. Raises BadRequest if `typed_email` is wrong,
        Unauthorized if the account does not exist, and SubscriptionNotCancelled if a subscription could not be canceled.
        """
        async with self._database.transaction() as session:
            user = await _locked(session, user_id)
            if typed_email.strip().lower() != user.email:
                raise BadRequest("Type your account's email address to confirm.")
            running = await subscription_queries.running_subscription_ids(session, user_id)
        for lemon_id in running:
            try:
                if self._payments is None:
                    raise SubscriptionNotCancelled
                await self._payments.cancel(lemon_id)
            except PaymentsUnavailable:
                raise SubscriptionNotCancelled from None
            async with self._database.transaction() as session:
                await subscription_queries.mark_ended(session, lemon_id, SubscriptionStatus.CANCELLED)
        return len(running)

    async def export(self, user_id: int, client: str = "") -> dict[str, Any]:
        """Return everything stored about a user as JSON-compatible data.

        Raises Unauthorized if the account does not exist. Raises TooManyRequests if the IP address `client` or the account
        exceeds the rate limit.
        """
        await self._guard.check(Action.EXPORT, client, str(user_id))
        async with self._database.transaction() as session:
            user = await session.get(User, user_id)
            if user is None:
                raise Unauthorized
            return {
                "account": {
                    "email": user.email,
                    "name": user.username,
                    "github_id": user.github_id,
                    "password_proven_at": _iso(user.password_proven_at) if user.password_proven_at else None,
                    "created_at": _iso(user.created_at),
                },
                "credits": {
                    "individual": user.individual_credits,
                    "subscription": user.subscription_credits,
                    "individual_debt": user.individual_debt,
                    "subscription_debt": user.subscription_debt,
                },
                "ledger": [
                    {
                        "at": _iso(row.created_at),
                        "type": row.type,
                        "amount": row.amount,
                        "debt": row.debt,
                        "reason": row.reason,
                    }
                    for row in await ledger.rows_of(session, user_id)
                ],
                **await _purchases(session, user_id),
                "sessions": [
                    {"device": one.user_agent, "since": _iso(one.created_at), "last_used": _iso(one.last_seen_at)}
                    for one in await session_queries.sessions_of(session, user_id, utcnow())
                ],
                "interviews": [
                    await _interview(session, user_id, one.id) for one in await interview_queries.all_lines(session, user_id)
                ],
                "last_choice": _plan(plan_of(chosen)) if (chosen := await choice_queries.last_choice(session, user_id)) else None,
                "practice": [_practice_try(one) for one in await practice_queries.all_tries(session, user_id)],
            }


async def _locked(session: AsyncSession, user_id: int) -> User:
    user = await users.locked_user(session, user_id)
    if user is None:
        raise Unauthorized
    return user


async def _purchases(session: AsyncSession, user_id: int) -> dict[str, Any]:
    """Return the name and status of the user's plan, and everything stored about their purchases."""
    newest = await ledger.newest_subscription(session, user_id)
    seen = await purchase_queries.plan_when_seen(session, newest.id, newest.variant_id or "") if newest else None
    bought = await subscription_queries.bought(session, user_id)
    return {"plan": {"name": seen or "free", "status": newest.status if newest else INACTIVE}, **_with_iso_times(bought)}


def _with_iso_times(value: Any) -> Any:
    """Convert every datetime in nested data to ISO 8601 text."""
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, dict):
        return {key: _with_iso_times(one) for key, one in value.items()}
    return [_with_iso_times(one) for one in value] if isinstance(value, list) else value


async def _interview(session: AsyncSession, user_id: int, interview_id: int) -> dict[str, Any]:
    """Return one interview with all messages and verdicts.

    The key points (in `marks`) are included only for answers that have been scored.
    """
    loaded = await found(session, user_id, interview_id)
    view = loaded.view()
    shared = await sharing_queries.since(session, interview_id)
    return {
        "started_at": _iso(view.created_at),
        "status": view.status.value,
        "job_description": view.job_text,
        "resume": loaded.resume or None,
        "plan": _plan(view.plan),
        "percent": view.percent,
        "report_shared_since": _iso(shared) if shared else None,
        "questions": [
            {
                "topic": turn.topic,
                "question": turn.prompt,
                "answer": turn.answer,
                "messages": [_message(one) for one in turn.messages],
                "tests": turn.verdict.run.document() if turn.verdict and turn.verdict.run else None,
                "score": turn.verdict.score if turn.verdict else None,
                "feedback": turn.verdict.feedback if turn.verdict else None,
                "marks": _marks(turn.verdict) if turn.verdict else [],
                "judged_by": _judged_by(row.verdict) if row.verdict else None,
                "appeal": _appeal(turn.verdict.appeal, row.appeal)
                if turn.verdict and turn.verdict.appeal and row.appeal
                else None,
            }
            for turn, row in zip(view.turns, loaded.rows, strict=True)
        ],
    }


def _message(message: MessageView) -> dict[str, Any]:
    said: dict[str, Any] = {
        "author": message.author.value,
        "kind": message.kind.value,
        "text": message.text,
        "at": _iso(message.at),
    }
    code = message.code
    if code.language:
        said |= {"language": code.language, "test_results": code.run.document() if code.run else None}
    return said


def _plan(plan: Plan) -> dict[str, Any]:
    return {**plan.document(), "topics": [{"topic": one.name, "questions": one.questions} for one in plan.topics]}


def _appeal(appeal: AppealView, row: Appeal) -> dict[str, Any]:
    return {
        "first_score": appeal.first_score,
        "second_score": appeal.score,
        "feedback": appeal.feedback,
        "marks": _marks(appeal),
        "judged_by": _judged_by(row),
    }


def _judged_by(row: Verdict | Appeal) -> dict[str, str | None]:
    return {"interviewer": row.interviewer, "model": row.model, "prompt_version": row.prompt_version}


def _marks(judged: VerdictView | AppealView) -> list[dict[str, str]]:
    return [{"point": mark.point, "mark": mark.mark, "quote": mark.quote, "tests": mark.note} for mark in judged.marks]


def _practice_try(row: PracticeTry) -> dict[str, Any]:
    return {
        "at": _iso(row.created_at),
        "question": row.bank_id,
        "topic": topic_by_id(row.topic_id).name,
        "subtopic": row.subtopic,
        "answer": row.answer,
        "language": row.language,
        "test_results": row.test_results,
        "score": row.score,
        "feedback": row.feedback,
        "marks": [{"point": mark["point"], "mark": mark["mark"], "quote": mark["quote"]} for mark in row.marks],
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat()
