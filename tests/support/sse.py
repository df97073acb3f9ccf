"""Parse Server-Sent Events (WHATWG HTML, 9.2) as a browser does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ServerSent:
    """One event."""

    id: str
    name: str
    data: Any


def events(text: str) -> list[ServerSent]:
    """Return the events of a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields:
            found.append(ServerSent(fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def written(stream: list[ServerSent], name: str) -> str:
    """Return the text of all events of one kind."""
    return "".join(event.data["text"] for event in stream if event.name == name)
