"""What the use cases need from the outside: protocols that adapters fulfil.

Documents cross this boundary as JSON-ready mappings; the receiving side validates them with its own types,
because what a language model returns is data from outside like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobBrief:
    """A job description as the user pasted it and, once analysed, what was found in it."""

    text: str
    profile: Document | None = None


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A question already asked in this interview, with its answer and score where there are any."""

    topic_id: int
    subtopic: str
    level: str
    prompt: str
    bank_id: str | None = None
    answer: str | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class QuestionBrief:
    """All that is needed to ask the next question."""

    topic_id: int
    number: int
    must_be_code: bool
    job: JobBrief | None = None
    history: Sequence[PastTurn] = ()
    last_rubric: Document | None = None
    seen_before: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AnswerBrief:
    """All that is needed to judge one answer; `rubric` was fixed with the question."""

    topic_id: int
    kind: str
    prompt: str
    rubric: Document
    answer: str
    job: JobBrief | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to show at once, a continuation of the pieces before it."""

    text: str


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A complete question as proposed; `rubric` still has to be validated."""

    prompt: str
    subtopic: str
    level: str
    kind: str
    rubric: Document
    bank_id: str | None = None


@dataclass(frozen=True, slots=True)
class VerdictDraft:
    """A complete verdict as proposed; `marks` still have to be checked against the answer."""

    feedback: str
    nature: str
    marks: Sequence[Document] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one reply took, in tokens, as the model's server counts; `cached` are those of `prompt` that it had in its cache."""

    prompt: int
    cached: int
    completion: int


class Interviewer(Protocol):
    """Asks and judges. Every method raises a subclass of `errors.InterviewerError` when it fails.

    What a reply took comes before its end, or before the failure, where that is known.
    """

    @property
    def name(self) -> str:
        """Short name that is stored with what it produced: `builtin` or `openai`."""

    @property
    def model(self) -> str:
        """The model behind it."""

    @property
    def deterministic(self) -> bool:
        """Whether it judges the same answer always the same."""

    def ask(self, brief: QuestionBrief) -> AsyncIterator[Piece | Usage | QuestionDraft]:
        """Stream the question's text in pieces, then yield the whole question once, last."""

    def judge(self, brief: AnswerBrief) -> AsyncIterator[Piece | Usage | VerdictDraft]:
        """Stream the feedback's text in pieces, then yield the whole verdict once, last."""

    def analyse_job(self, text: str) -> AsyncIterator[Usage | Document]:
        """Yield the job profile found in a job description once, last."""

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""


@dataclass(frozen=True, slots=True)
class BankItem:
    """A question of the question bank, to be practised alone; its id never changes."""

    id: str
    topic_id: int
    subtopic: str
    level: str
    kind: str
    prompt: str
    rubric: Document
    tags: frozenset[str] = frozenset()


class QuestionBank(Protocol):
    """The questions that ship with the application."""

    def all(self) -> Mapping[str, BankItem]:
        """Return every question by its id, in the order of topics."""


class Likeness(Protocol):
    """Tells what texts have in common. Both methods take processor time: call them in a thread."""

    def technologies(self, text: str) -> frozenset[str]:
        """Return the tags of the technologies that a text names."""

    def cosines(self, texts: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[float]]:
        """Return a row for each of `texts` with its likeness to each of `others`, -1 to 1; above 0.4 it means something."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person, as plain text and as HTML."""

    to: str
    subject: str
    text: str
    html: str = ""


class Mailer(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail, key: str) -> None:
        """Send one mail; the same `key` again sends nothing twice.

        Raises `errors.MailDelayed` when trying again makes sense, `errors.MailRefused` when it does not.
        """


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """What a mail service says of our configuration, without a mail being sent.

    `domain` is that of our sender; `status` what the service says of it in one word, "verified" if mails can be sent from it,
    "" if it does not have it, and None if our key may not ask.
    """

    domain: str
    status: str | None


class MailService(Protocol):
    """The mail service's side of our configuration."""

    async def check(self) -> MailAnswer:
        """Ask whether our key is valid and our sender's domain is verified; raises what `Mailer.send` raises."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at another site: the id that never changes there, a name to show, the address that site vouches for."""

    id: int
    name: str
    email: str


class OAuth(Protocol):
    """Another site by which people sign in, by OAuth's authorization code with PKCE (RFC 7636, method S256)."""

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the address that asks the person for consent; it leads back to `redirect_uri` with a code and `state`."""

    async def identify(self, code: str, *, verifier: str | None, redirect_uri: str | None) -> Identity:
        """Exchange a code for who gave the consent. Both keywords are None when somebody else ran the flow without them.

        Raises `errors.IdentityRefused` when the code is no good or no verified address is told, and
        `errors.IdentityUnavailable` when the other site cannot be reached, fails, or refuses our configuration.
        """

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What somebody is about to buy.

    `reference` is opaque and issued by us: each webhook about what was bought brings it back as `custom_data["checkout_ref"]`.
    `redirect_url` is where the buyer is sent afterwards.
    """

    variant_id: str
    email: str
    reference: str
    redirect_url: str


@dataclass(frozen=True, slots=True)
class ShopAnswer:
    """What the payment service says of our configuration; `test_mode`: nothing is really sold with this key.

    `prices` has what each known variant costs, in hundredths of `currency`; None for one without a fixed price.
    """

    test_mode: bool
    store_known: bool
    unknown_variants: tuple[str, ...] = ()
    prices: Mapping[str, int | None] = field(default_factory=dict)
    currency: str = ""


class Payments(Protocol):
    """The service that takes the money. Records of it are JSON:API resources: `type`, `id`, `attributes`.

    Every method but `close` raises `errors.PaymentsUnavailable` when the service cannot be reached, fails, refuses our key, or
    answers something that cannot be understood.
    """

    async def checkout(self, purchase: Purchase) -> str:
        """Return the address of a page where the purchase is paid. Raises `errors.PaymentsRefused` when it is not for sale."""

    async def cancel(self, subscription_id: str) -> Document | None:
        """End a subscription at the end of what is paid; doing so again changes nothing.

        Returns the subscription as it is now, None when there is none of this id. A refusal is `errors.PaymentsUnavailable`, too.
        """

    async def resume(self, subscription_id: str) -> Document:
        """Take a cancellation back and return the subscription as it is now; some kinds of payment leave it unchanged.

        Raises `errors.PaymentsRefused` when it is too late for that.
        """

    async def change_variant(self, subscription_id: str, variant_id: str, *, charge_now: bool) -> Document:
        """Change the plan and return the subscription as it is now; some kinds of payment leave it unchanged.

        The difference is charged at once, or else nothing before the next cycle. Raises `errors.PaymentsRefused`.
        """

    async def subscription(self, subscription_id: str) -> Document | None:
        """Return a subscription as it is now, None when there is none of this id. Its signed URLs expire: never store them."""

    def records(self) -> AsyncIterator[Document]:
        """Yield every subscription, then every order, then every subscription invoice of our store; one may come twice."""

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""


class Shop(Protocol):
    """The payment service's side of our configuration."""

    async def check(self, variant_ids: Sequence[str]) -> ShopAnswer:
        """Ask with which key we come, whether our store and these variants exist, and what they cost.

        Raises `errors.PaymentsUnavailable`.
        """


class RateLimiter(Protocol):
    """Counts tries over all processes that share it."""

    async def wait(self, limit: str, *who: str) -> int:
        """Count a try by `who`; return 0, or after how many seconds `limit` (such as "5/hour") lets them try again."""

    async def answers(self) -> bool:
        """Tell whether what is shared between processes answers; without any, always."""

    async def close(self) -> None:
        """Let go of connections; called once, at the end."""
