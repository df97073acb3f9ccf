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
    question="An online store's code reads an item's stock (5 units), checks in the application that there's enough, computes the new value, and writes it back with UPDATE. Under load, it sells more units than exist, even though everything runs in transactions. Why does that happen, how could you prevent it, and how would you choose between the options?",
    answer="Two requests both read 5 and both write 4, so two units are sold and only one is subtracted. READ COMMITTED, the default, allows that. I'd let the database do it in one statement, UPDATE products SET stock = stock - 1 WHERE id = 7 AND stock >= 1, and look at the number of affected rows: zero means sold out. If code has to run in between, I'd use SELECT ... FOR UPDATE and keep the transaction short. Where conflicts are rare, a version column and a retry avoid the lock. SERIALIZABLE would notice the conflict too, but then I have to run the whole transaction again.",
    marks=(
        SampleMark(
            "Explains the lost update: two requests read the same value and both write, which READ COMMITTED allows",
            "Two requests both read 5 and both write 4, so two units are sold and only one is subtracted.",
        ),
        SampleMark(
            "Uses one atomic conditional UPDATE in the database and checks the number of affected rows",
            "I'd let the database do it in one statement, UPDATE products SET stock = stock - 1 WHERE id = 7 AND stock >= 1, and look at the number of affected rows: zero means sold out.",
        ),
        SampleMark(
            "Uses pessimistic locking with SELECT FOR UPDATE for frequent conflicts and short transactions",
            "If code has to run in between, I'd use SELECT ... FOR UPDATE and keep the transaction short.",
        ),
        SampleMark(
            "Uses optimistic locking with a version column and retry for rare conflicts",
            "Where conflicts are rare, a version column and a retry avoid the lock.",
        ),
        SampleMark(
            "Says REPEATABLE READ or SERIALIZABLE detects the conflict, but the transaction has to be retried",
            "SERIALIZABLE would notice the conflict too, but then I have to run the whole transaction again.",
        ),
        SampleMark(
            "Adds a CHECK constraint as a last line of defense and a test with concurrent requests",
            "",
        ),
    ),
    score=9,
    next_time="Add a safety net: a CHECK constraint that keeps the stock at 0 or more, and a test with concurrent requests.",
    model_answer="That's a lost update. PostgreSQL's default isolation level is READ COMMITTED, so two requests both read 5, both compute 4, and both write 4. Two units get sold and only one gets subtracted. The transaction makes each request atomic, but it doesn't stop the other one from reading in between. My first choice is to let the database do the math in a single conditional statement, UPDATE item SET stock = stock - 1 WHERE id = $1 AND stock >= 1, and check the number of affected rows: zero means sold out. If application logic has to run between reading and writing, I have two options. One is a pessimistic lock, SELECT ... FOR UPDATE, so the second request waits; that fits frequent conflicts and short transactions. The other is optimistic locking with a version column and a retry when no row matched, which fits rare conflicts or a user who thinks for minutes. A higher isolation level, REPEATABLE READ in PostgreSQL or SERIALIZABLE, also detects the conflict, but then I have to catch the serialization error and rerun the whole transaction. In any case, a CHECK (stock >= 0) is the last line of defense, and I'd write a test with concurrent requests.",
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
- Keep our PostgreSQL schema correct and fast as it grows, with zero-downtime migrations
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
- Scale the ingestion pipeline to five times today's volume without a proportional increase in cost
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
