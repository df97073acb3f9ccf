"""Prometheus metrics. Each process has its own, which start at zero.

Label values are few and fixed. For example, a request is labeled with its route's template, never with its path, an ID or an
address.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

# The `_created` series would double the number of series, and would only record when a process first counted something.
disable_created_metrics()  # type: ignore[no-untyped-call]

# Histogram buckets in seconds for the time spent waiting for the interviewer.
WAITING = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = Counter("interviewer_requests", "Answered HTTP requests.", ["method", "route", "status"], registry=REGISTRY)
EVENTS_REFUSED = Counter(
    "interviewer_events_refused",
    "Messages on websockets that were not passed on or not worked off, by reason.",
    ["reason"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "interviewer_request_seconds",
    "Seconds from a request to the end of its answer.",
    ["method", "route"],
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
INTERVIEWS = Counter("interviewer_interviews", "Interviews: started, finished, failed to start.", ["event"], registry=REGISTRY)
ANSWERS_JUDGED = Counter("interviewer_answers_judged", "Answers whose verdict was stored.", registry=REGISTRY)
CREDITS_GIVEN_BACK = Counter("interviewer_credits_given_back", "Credits of interviews that did not start.", registry=REGISTRY)
MODEL_CALLS = Counter("interviewer_model_calls", "Calls of the interviewer's model.", ["kind", "outcome"], registry=REGISTRY)
MODEL_SECONDS = Histogram(
    "interviewer_model_call_seconds",
    "Seconds until a reply of the interviewer's model is complete, or has failed.",
    ["kind"],
    registry=REGISTRY,
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120),
)
MODEL_TOKENS = Counter(
    "interviewer_model_tokens",
    "Tokens that the model's server told: prompt (cached ones included), cached, completion.",
    ["direction"],
    registry=REGISTRY,
)
WEBHOOKS = Counter(
    "interviewer_webhooks", "Deliveries of the payment service by what became of them.", ["outcome"], registry=REGISTRY
)
MAILS = Counter("interviewer_mails", "Tries to hand a mail over: sent, delayed, refused, failed.", ["outcome"], registry=REGISTRY)
TURN_SECONDS = Histogram(
    "interviewer_turn_seconds",
    "Seconds from an answer's being stored to its verdict's being stored.",
    registry=REGISTRY,
    buckets=WAITING,
)
FIRST_FEEDBACK_SECONDS = Histogram(
    "interviewer_first_feedback_seconds",
    "Seconds from an answer's being stored to the first piece of its feedback.",
    registry=REGISTRY,
    buckets=WAITING,
)
FIRST_TOKEN_SECONDS = Histogram(
    "interviewer_model_first_token_seconds",
    "Seconds until the first piece of a reply of the interviewer's model.",
    ["kind"],
    registry=REGISTRY,
    buckets=WAITING,
)
QUEUE_SECONDS = Histogram(
    "interviewer_queue_seconds",
    "Seconds that work waited for its place.",
    ["queue"],
    registry=REGISTRY,
    buckets=(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
QUEUE_REFUSED = Counter(
    "interviewer_queue_refused", "Work that got no place, by the reason.", ["queue", "reason"], registry=REGISTRY
)
QUEUE_WAITING = Gauge("interviewer_queue_waiting", "Work that waits for a place.", ["queue"], registry=REGISTRY)
QUEUE_RUNNING = Gauge("interviewer_queue_running", "Work that has a place.", ["queue"], registry=REGISTRY)
CROWDED = Counter(
    "interviewer_crowded", "What was refused because one user or client had too much of it at once.", ["what"], registry=REGISTRY
)
STREAMS = Gauge("interviewer_streams_open", "Requests that follow a start or a turn.", registry=REGISTRY)
FOLLOWERS = Gauge("interviewer_followers", "Pages and requests that follow work of this process.", registry=REGISTRY)
WEBSOCKETS = Gauge("interviewer_websockets_open", "Open websockets, one for each open page.", registry=REGISTRY)
MAILS_WAITING = Gauge("interviewer_mails_waiting", "Mails that are not handed over yet.", registry=REGISTRY)
MAILS_OLDEST_SECONDS = Gauge("interviewer_mails_oldest_seconds", "Age of the oldest mail that waits.", registry=REGISTRY)
WORK_IN_PROGRESS = Gauge("interviewer_work_in_progress", "Starts and turns that are being worked on.", registry=REGISTRY)
CONNECTIONS_IN_USE = Gauge("interviewer_database_connections_in_use", "Connections of the pool in use.", registry=REGISTRY)
CONNECTIONS_WAITING = Gauge(
    "interviewer_database_connections_waiting", "Who waits for a connection of the pool.", registry=REGISTRY
)

STORE_UP = Gauge(
    "interviewer_state_store_up",
    "Whether the store of the pages' state answers; 1 where each copy keeps its own.",
    registry=REGISTRY,
)
STORE_UP.set(1)
OUTAGES = Counter(
    "interviewer_outages",
    "Times that something this depends on did not answer, or refused, by part.",
    ["part"],
    registry=REGISTRY,
)


def starts_failed(count: int = 1) -> None:
    """Count failed starts of interviews and the credits given back for them, one each."""
    INTERVIEWS.labels("failed").inc(count)
    CREDITS_GIVEN_BACK.inc(count)


def exposition() -> bytes:
    """Return all metrics in the Prometheus text format, version 0.0.4."""
    return generate_latest(REGISTRY)


def outage(part: str) -> None:
    """Count a failed call to a dependency: `database`, `valkey` or `model`."""
    OUTAGES.labels(part).inc()
