"""Sample job descriptions for users who have none available, and a sample verdict for the landing page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleJob:
    """A sample job description with the label of its button."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class SampleMark:
    """A key point and the quote from the sample answer that makes this point, or "" if it was missed."""

    point: str
    quote: str


@dataclass(frozen=True, slots=True)
class SampleVerdict:
    """A question of the bank with a sample answer and its verdict, for visitors who have not done an interview yet."""

    bank_id: str
    topic: str
    subtopic: str
    question: str
    answer: str
    marks: tuple[SampleMark, ...]
    score: int
    next_time: str
    model_answer: str


SAMPLE_VERDICT = SampleVerdict(
    bank_id="databases-lost-update-stock",
    topic="Databases and Data Management",
    subtopic="Transactions and locking",
    question="A shop's code reads the stock of an article (5 pieces), checks in the application that there is enough, computes the new value and writes it back with UPDATE. Under load, more pieces are sold than exist, although everything runs in transactions. Why, and which ways are there to prevent it? When would you take which?",
    answer="Two requests both read 5 and both write 4, so two pieces are sold and one is subtracted; READ COMMITTED, the default, allows that. I let the database do it in one statement, UPDATE article SET stock = stock - 1 WHERE id = 7 AND stock >= 1, and look at the number of affected rows: zero means sold out. If code has to run in between, I use SELECT ... FOR UPDATE and keep the transaction short. Where conflicts are rare, a version column and a retry avoid the lock.",
    marks=(
        SampleMark(
            "Lost update: two requests read the same value and both write, which READ COMMITTED allows",
            "both read 5 and both write 4",
        ),
        SampleMark(
            "One atomic conditional UPDATE in the database, checking the number of affected rows",
            "look at the number of affected rows",
        ),
        SampleMark(
            "Pessimistic locking with SELECT FOR UPDATE for frequent conflicts and short transactions", "SELECT ... FOR UPDATE"
        ),
        SampleMark("Optimistic locking with a version column and retry for rare conflicts", "a version column and a retry"),
        SampleMark("REPEATABLE READ or SERIALIZABLE detects the conflict, but the transaction must be retried", ""),
        SampleMark("A CHECK constraint as last defence and a test with concurrent requests", ""),
    ),
    score=8,
    next_time="Name the isolation levels that detect the conflict, and say what they cost you: you have to retry the whole transaction.",
    model_answer="That is a lost update. The default isolation level in PostgreSQL is READ COMMITTED: two requests both read 5, both compute 4 and both write 4. My first choice is to let the database do the arithmetic in a single conditional statement and look at the number of affected rows; zero means sold out. If logic in the application has to run between reading and writing, I use either SELECT ... FOR UPDATE, which fits when conflicts are frequent and the transaction is short, or a version column and a retry, which fits when conflicts are rare. REPEATABLE READ or SERIALIZABLE also detects it, but then I have to catch the serialization error and run the whole transaction again. In any case a CHECK (stock >= 0) is the last line of defense, and I write a test with concurrent threads.",
)


SAMPLE_JOBS: dict[str, SampleJob] = {
    "junior": SampleJob(
        "Junior",
        """Junior Backend Developer (Python)

We build booking software for small hotels. You will join a team of five that ships every week.

What you will do
- Build and test REST endpoints in Python (FastAPI) with guidance from a senior colleague
- Write SQL for PostgreSQL and learn to read query plans
- Fix bugs that our support team reports and write the test that would have caught them
- Take part in code reviews, first as a listener, soon as a reviewer

What you bring
- 0-2 years of professional experience, or projects of your own that you can show
- Solid basics in Python and Git; you have used a relational database
- You know what HTTP status codes are for
- Nice to have: Docker, a first contact with CI
""",
    ),
    "mid-level": SampleJob(
        "Mid-level",
        """Backend Engineer, Payments

Our marketplace moves money between 40,000 shops and their customers. The payments team owns checkout, payouts and the ledger behind them.

Responsibilities
- Design, build and operate services in Go and Python that handle 300 requests per second at peak
- Own the integration with payment providers: webhooks, retries, reconciliation
- Keep our PostgreSQL schema correct and fast while it grows, with migrations that need no downtime
- Publish and consume events with Kafka
- Share the on-call rotation, one week in six

Requirements
- 3+ years of backend experience with a statically typed language or Python in production
- Strong SQL; you can explain isolation levels and idempotency
- Experience with message queues and with Docker and Kubernetes
- You measure before you optimize and write tests that others trust
""",
    ),
    "senior": SampleJob(
        "Senior",
        """Senior Backend Engineer, Platform

We run a real-time logistics platform on AWS: 12 million vehicle positions an hour, used by dispatchers in nine countries.

You will
- Lead the design of our event-driven services (Java and Kotlin, Kafka, PostgreSQL, Redis) and review the designs of others
- Scale the ingestion pipeline to five times today's volume without growing its cost in step
- Define SLOs with product teams and build the observability to keep them (OpenTelemetry, Prometheus, Grafana)
- Improve how we deploy: Kubernetes, Terraform, progressive delivery
- Mentor four engineers and shape the hiring process

You have
- 7+ years of backend experience, at least 3 of them with distributed systems at scale
- Deep knowledge of the JVM and of concurrency; you have debugged production incidents under pressure
- Experience with data modeling, partitioning and replication
- A record of decisions you can defend, and of one that you reversed
- Fluent English
""",
    ),
}
