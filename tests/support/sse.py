"""Parses Server-Sent Events (WHATWG HTML, 9.2) with JSON data, as the API sends them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ServerSent:
    """A server-sent event. Its data is parsed as JSON."""

    id: str
    name: str
    data: Any


def events(text: str) -> list[ServerSent]:
    """Parse a complete stream into its events."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields:
            found.append(ServerSent(fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def written(stream: list[ServerSent], name: str) -> str:
    """Return the concatenated text of all events with this name."""
    return "".join(event.data["text"] for event in stream if event.name == name)
