"""Prometheus metrics. Each process has its own metrics, which start at zero.

Label values are few and fixed. For example, a request is labeled with its route's template, never with its path, an ID, or an IP
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

REQUESTS = Counter("interviewer_requests", "HTTP requests with a response.", ["method", "route", "status"], registry=REGISTRY)
EVENTS_REFUSED = Counter(
    "interviewer_events_refused",
    "Websocket messages that were dropped, by reason.",
    ["reason"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "interviewer_request_seconds",
    "Seconds from a request to the end of its response.",
    ["method", "route"],
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
INTERVIEWS = Counter(
    "interviewer_interviews", "Interviews that started, finished, or failed to start.", ["event"], registry=REGISTRY
)
ANSWERS_JUDGED = Counter("interviewer_answers_judged", "Answers with a stored verdict.", registry=REGISTRY)
CREDITS_GIVEN_BACK = Counter(
    "interviewer_credits_given_back", "Credits returned for interviews that did not start.", registry=REGISTRY
)
MODEL_CALLS = Counter("interviewer_model_calls", "Model calls.", ["kind", "outcome"], registry=REGISTRY)
MODEL_REFUSALS = Counter(
    "interviewer_model_refusals",
    "Model calls that the model server refused in the end, by HTTP status (0 inside a reply) and by the server's error code.",
    ["status", "code"],
    registry=REGISTRY,
)
MODEL_REPAIRS = Counter(
    "interviewer_model_repairs",
    "Replies that could not be used and were asked for once more: repaired, kept (usable as it was), or failed.",
    ["kind", "outcome"],
    registry=REGISTRY,
)
MODEL_SECONDS = Histogram(
    "interviewer_model_call_seconds",
    "Seconds until a model reply is complete or has failed.",
    ["kind"],
    registry=REGISTRY,
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120),
)
MODEL_TOKENS = Counter(
    "interviewer_model_tokens",
    "Tokens reported by the model server: prompt (including cached), cached, completion.",
    ["direction"],
    registry=REGISTRY,
)
WEBHOOKS = Counter("interviewer_webhooks", "Payment service deliveries, by outcome.", ["outcome"], registry=REGISTRY)
MAILS = Counter("interviewer_mails", "Attempts to send an email: sent, delayed, refused, failed.", ["outcome"], registry=REGISTRY)
TURN_SECONDS = Histogram(
    "interviewer_turn_seconds",
    "Seconds from storing an answer to storing its verdict.",
    registry=REGISTRY,
    buckets=WAITING,
)
FIRST_FEEDBACK_SECONDS = Histogram(
    "interviewer_first_feedback_seconds",
    "Seconds from storing an answer to the first piece of its feedback.",
    registry=REGISTRY,
    buckets=WAITING,
)
FIRST_TOKEN_SECONDS = Histogram(
    "interviewer_model_first_token_seconds",
    "Seconds until the first piece of a model reply.",
    ["kind"],
    registry=REGISTRY,
    buckets=WAITING,
)
QUEUE_SECONDS = Histogram(
    "interviewer_queue_seconds",
    "Seconds that work waited in a queue.",
    ["queue"],
    registry=REGISTRY,
    buckets=(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
QUEUE_REFUSED = Counter(
    "interviewer_queue_refused", "Work that a queue refused, by reason.", ["queue", "reason"], registry=REGISTRY
)
QUEUE_WAITING = Gauge("interviewer_queue_waiting", "Work waiting in a queue.", ["queue"], registry=REGISTRY)
QUEUE_RUNNING = Gauge("interviewer_queue_running", "Work running.", ["queue"], registry=REGISTRY)
CROWDED = Counter("interviewer_crowded", "Refusals because one user or client had too much at once.", ["what"], registry=REGISTRY)
STREAMS = Gauge("interviewer_streams_open", "Requests that follow a start or a turn.", registry=REGISTRY)
FOLLOWERS = Gauge("interviewer_followers", "Pages and requests that follow work of this process.", registry=REGISTRY)
WEBSOCKETS = Gauge("interviewer_websockets_open", "Open websockets, one for each open page.", registry=REGISTRY)
MAILS_WAITING = Gauge("interviewer_mails_waiting", "Emails not sent yet.", registry=REGISTRY)
MAILS_OLDEST_SECONDS = Gauge("interviewer_mails_oldest_seconds", "Age of the oldest unsent email, in seconds.", registry=REGISTRY)
WORK_IN_PROGRESS = Gauge("interviewer_work_in_progress", "Starts and turns in progress.", registry=REGISTRY)
CONNECTIONS_IN_USE = Gauge("interviewer_database_connections_in_use", "Pool connections in use.", registry=REGISTRY)
CONNECTIONS_WAITING = Gauge("interviewer_database_connections_waiting", "Tasks waiting for a pool connection.", registry=REGISTRY)

STORE_UP = Gauge(
    "interviewer_state_store_up",
    "Whether the page state store responds; 1 if each replica keeps its own.",
    registry=REGISTRY,
)
STORE_UP.set(1)
OUTAGES = Counter(
    "interviewer_outages",
    "Times that a dependency did not respond or refused, by part.",
    ["part"],
    registry=REGISTRY,
)


def starts_failed(count: int = 1) -> None:
    """Count interviews that failed to start, and one returned credit for each."""
    INTERVIEWS.labels("failed").inc(count)
    CREDITS_GIVEN_BACK.inc(count)


def exposition() -> bytes:
    """Return all metrics in the Prometheus text format, version 0.0.4."""
    return generate_latest(REGISTRY)


def outage(part: str) -> None:
    """Count a failed request to a dependency: `database`, `valkey`, or `model`."""
    OUTAGES.labels(part).inc()
