"""The skills that questions are about, across topics: every question counts for one, and some for a second one.

A topic says where in the interview a question comes up; a skill says what it takes to answer it. "Concurrency" may come up in
Coding, in Databases, and in General Backend Knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

from interviewer.interviews.topics import TOPICS


class Area(StrEnum):
    """One skill. The value is its name."""

    EXPERIENCE = "Experience and motivation"
    COMMUNICATION = "Communication"
    TEAMWORK = "Teamwork and leadership"
    OWNERSHIP = "Ownership and judgment"
    ALGORITHMS = "Algorithms and data structures"
    CORRECTNESS = "Writing correct code"
    CONCURRENCY = "Concurrency"
    TESTING = "Testing"
    OPERATIONS = "Debugging and operations"
    SQL = "SQL and query performance"
    DATA_MODELING = "Data modeling"
    CONSISTENCY = "Transactions and consistency"
    API_DESIGN = "API design"
    ARCHITECTURE = "Architecture"
    SCALING = "Scaling and performance"
    RELIABILITY = "Reliability"
    MESSAGING = "Messaging and events"
    PIPELINES = "Data pipelines and search"
    SECURITY = "Security"
    DELIVERY = "Delivery and infrastructure"
    NETWORKS = "Networks"


# The subtopics of the question bank. A test checks that none is missing.
_SUBTOPICS: Mapping[Area, str] = {
    Area.EXPERIENCE: "Proud project; Motivation; Learning and growth; Languages and stack; Systems you know; Background; "
    "Self-knowledge; Side projects; Career; Domain knowledge",
    Area.COMMUNICATION: "Communication; Feedback; Unclear requirements; Conflict; Saying no; Customers; Handover; "
    "External partners",
    Area.TEAMWORK: "Teamwork; Leadership; Delegation; Mentoring; Remote work; Working across teams; Change; Diversity; Process; "
    "Trust; Hiring; Starting somewhere new; Ways of working; Open source",
    Area.OWNERSHIP: "Ownership; Role and impact; Technical decisions; Users and product; Learning; Estimation and deadlines; "
    "Prioritising; Decisions and data; Decisions; Initiative; Workload; Ethics; Failure",
    Area.ALGORITHMS: "Data structures and algorithms; Stacks and queues; Searching and sorting; Recursion and trees; "
    "Sliding windows; Text and routing; Distributed algorithms",
    Area.CORRECTNESS: "Parsing and calculation; Iterators and streaming; References and copies; Error handling; "
    "Dates and time zones; Text and regular expressions; Text and time; Tools and habits; Code quality; Legacy code",
    Area.CONCURRENCY: "Concurrency; Asynchronous code; Concurrency and runtimes",
    Area.TESTING: "Testing; Testing with a database; Testing and delivery",
    Area.OPERATIONS: "Debugging; Review and debugging; Production experience; Incidents; On-call; Observability",
    Area.SQL: "SQL queries; Indexes; Query planning; ORM and query patterns; Storage engines",
    Area.DATA_MODELING: "Schema design; NoSQL modelling; Keys and constraints; Text and collation; History and time; "
    "Trees and graphs; Key-value stores",
    Area.CONSISTENCY: "Transactions and locking; Distributed SQL; Payments and money; Merging and conflicts",
    Area.API_DESIGN: "API design; HTTP and REST; API styles and evolution; Long-running requests",
    Area.ARCHITECTURE: "Services and deployment; Code architecture; Frameworks and data access",
    Area.SCALING: "Scaling and caching; Scaling and migrations; Search and caching; Storage and files; Real-time and feeds; "
    "Load balancing; Content delivery; Location; Cost and capacity; Cost; Memory and performance; Performance and capacity",
    Area.RELIABILITY: "Reliability patterns; Availability and resilience; Resilience; Replication and backups; "
    "External services; Scheduling and time; Scheduled jobs",
    Area.MESSAGING: "Queues and events; Messaging",
    Area.PIPELINES: "Operations and pipelines; Search and pipelines; Stream processing; Analytics",
    Area.SECURITY: "Security; Security and tenancy; Security and access; Privacy and isolation; Accounts and login; "
    "Validation and security; Web security; Authentication and access control; Secrets and configuration; TLS and certificates; "
    "Supply chain",
    Area.DELIVERY: "Delivery; Configuration and rollout; Containers and Kubernetes; Configuration and infrastructure; "
    "Version control; Linux in production; Serverless",
    Area.NETWORKS: "Networks and DNS",
}
_BY_SUBTOPIC = {name.casefold(): area for area, names in _SUBTOPICS.items() for name in names.split("; ")}
# The tags that name a skill and not a technology. They are used for technical questions only.
_BY_TAG = {
    "concurrency": Area.CONCURRENCY,
    "observability": Area.OPERATIONS,
    "security": Area.SECURITY,
    "testing": Area.TESTING,
}
_PERSONAL = {"introduction", "behavioral"}
# The beginnings of words in the subtopics that language models write. The first area that matches counts.
_WORDS: Mapping[Area, str] = {
    Area.SECURITY: "secur auth oauth permission privacy encrypt secret csrf xss injection tenant tls gdpr token",
    Area.TESTING: "test mock tdd",
    Area.CONCURRENCY: "concurren async thread parallel goroutine deadlock race event-loop coroutine",
    Area.CONSISTENCY: "transaction isolation consisten acid lock saga payment ledger idempoten",
    Area.MESSAGING: "queue messag event kafka rabbitmq pub stream broker outbox webhook",
    Area.PIPELINES: "pipeline etl analytic warehouse batch search elasticsearch",
    Area.OPERATIONS: "debug incident observab monitor log metric tracing troubleshoot outage on-call postmortem alert",
    Area.RELIABILITY: "reliab resilien availab retr fault failover replica backup disaster timeout circuit degrad",
    Area.SCALING: "scal cach performan capacity load throughput latency shard partition rate cost memory",
    Area.SQL: "sql quer index join orm",
    Area.DATA_MODELING: "schema model normaliz nosql data storage migration database",
    Area.API_DESIGN: "api restful graphql grpc http endpoint pagination version",
    Area.DELIVERY: "deploy ci cd docker container kubernetes release rollout git infrastructure devops linux cloud",
    Area.ARCHITECTURE: "architect microservice service monolith design pattern modular",
    Area.NETWORKS: "network dns tcp socket",
    Area.ALGORITHMS: "algorithm tree graph sort recurs hash array complexity",
    Area.COMMUNICATION: "communicat conflict feedback stakeholder disagree customer requirement explain",
    Area.TEAMWORK: "team mentor lead collabor cross remote hir onboard culture",
    Area.OWNERSHIP: "owner decision priorit deadline estimat initiative failure mistake trade judgment impact",
    Area.EXPERIENCE: "motivat background career experience project introduc growth learn",
}
_BY_TOPIC = dict(
    zip(
        (topic.id for topic in TOPICS),
        (Area.EXPERIENCE, Area.CORRECTNESS, Area.ARCHITECTURE, Area.DATA_MODELING, Area.OWNERSHIP, Area.ARCHITECTURE),
        strict=True,
    )
)
_WORD = re.compile(r"[\w-]+")


def area_of(topic_id: int, subtopic: str) -> Area:
    """Return the skill that a question is mainly about.

    Subtopics of the question bank have a fixed skill. For others, written by a language model, the words of the subtopic decide,
    and if none is known, the topic.
    """
    if known := _BY_SUBTOPIC.get(subtopic.strip().casefold()):
        return known
    words = _WORD.findall(subtopic.casefold())
    for area, beginnings in _WORDS.items():
        if any(_begins(word, start) for word in words for start in beginnings.split()):
            return area
    return _BY_TOPIC[topic_id]


def areas_of(topic_id: int, subtopic: str, tags: Collection[str] = ()) -> tuple[Area, ...]:
    """Return the skills that a question counts for: the main one, and at most one more that its bank tags name."""
    main = area_of(topic_id, subtopic)
    if TOPICS[topic_id - 1].slug in _PERSONAL:
        return (main,)
    others = sorted({area for tag, area in _BY_TAG.items() if tag in tags and area is not main})
    return (main, *others[:1])


def is_known(subtopic: str) -> bool:
    """Return whether a subtopic has a fixed skill."""
    return subtopic.casefold() in _BY_SUBTOPIC


def _begins(word: str, start: str) -> bool:
    """Return whether a word begins with `start`, or is `start` if that has at most three letters, with or without an "s"."""
    return word.startswith(start) if len(start) > 3 else word in {start, f"{start}s"}
