"""Sample job descriptions, for whoever has none at hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleJob:
    """A sample: what its button says, and the text."""

    label: str
    text: str


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
- Share the on-call rota, one week in six

Requirements
- 3+ years of backend experience with a statically typed language or Python in production
- Strong SQL; you can explain isolation levels and idempotency
- Experience with message queues and with Docker and Kubernetes
- You measure before you optimise and write tests that others trust
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
- Experience with data modelling, partitioning and replication
- A record of decisions you can defend, and of one that you reversed
- Fluent English
""",
    ),
}
