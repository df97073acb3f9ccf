"""What an operator may set for a chat/completions server, and how its base URL is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ENDPOINT = "/chat/completions"
# Hosts that call the limit on a reply's length `max_completion_tokens`.
_NEWER_HOSTS = (".openai.com", ".azure.com")
# A model that is not in memory yet may take minutes to load. Only servers on private addresses load models on demand.
LOADING_FACTOR = 3


class Format(StrEnum):
    """How a server is asked for JSON: by a schema, by JSON mode, or only in the prompt."""

    SCHEMA = "json_schema"
    OBJECT = "json_object"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options for one server. Times are in seconds.

    `reply_seconds` limits a reply from its first token on; `first_token_seconds` limits the time before that, and `idle_seconds`
    the time between two parts of the reply. `max_tokens` limits a reply's length, and `context_tokens` the prompt together with
    the reply. `extra_body` and `extra_query` are added to every request.
    """

    format: Format = Format.SCHEMA
    streams: bool = True
    max_tokens: int = 4_096
    context_tokens: int = 8_192
    reply_seconds: float = 60.0
    first_token_seconds: float = 60.0
    idle_seconds: float = 30.0
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL without its query and without the endpoint's path, and the query."""

    url: str | None
    query: Mapping[str, str]

    @property
    def host(self) -> str:
        """The host name, which is OpenAI's if no URL is set."""
        return urlsplit(self.url).hostname or "" if self.url else "api.openai.com"

    @property
    def is_private(self) -> bool:
        """Whether the server is on this machine or in a private network."""
        try:
            return not ip_address(self.host).is_global
        except ValueError:
            return "." not in self.host or self.host.endswith((".local", ".internal", ".lan"))

    @property
    def limits_completion(self) -> bool:
        """Whether the server probably calls the limit on a reply's length `max_completion_tokens`."""
        return f".{self.host}".endswith(_NEWER_HOSTS)

    @property
    def is_azure(self) -> bool:
        """Whether the server is Azure's, which reads the API key from a header of its own."""
        return self.host.endswith(".azure.com")


def address_of(base_url: str | None) -> Address:
    """Read a base URL. It may be the URL of the endpoint itself, and it may have a query."""
    if not base_url:
        return Address(None, {})
    parts = urlsplit(base_url.strip())
    path = parts.path.rstrip("/").removesuffix(ENDPOINT)
    return Address(parts._replace(path=path, query="", fragment="").geturl(), dict(parse_qsl(parts.query)))


def first_token_seconds(given: float | None, reply_seconds: float, base_url: str | None) -> float:
    """Return the limit for the first token: the given one, or a default that leaves a private server time to load its model."""
    return given or reply_seconds * (LOADING_FACTOR if base_url and address_of(base_url).is_private else 1)
