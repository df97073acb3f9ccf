"""The app's settings, read once from the environment and `.env`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from pydantic import Field, HttpUrl, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_PLACEHOLDER = re.compile("change.?me|your.?secret|example|placeholder|password", re.IGNORECASE)
_FORMER_VARIANT = re.compile(r"([0-9]{1,20}):(individual|pro|premium)(?::([0-9]{1,5})(?:\.([0-9]{2}))?)?", re.ASCII)
ROOT = Path(__file__).resolve().parent.parent


class Environment(StrEnum):
    """Where the app runs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """The minimum level of messages that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(BaseSettings):
    """The settings, which are immutable. `.env.example` explains each one to operators."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    env: Environment = Environment.DEVELOPMENT
    port: int = Field(default=3000, ge=1, le=65535)
    host: str = "127.0.0.1"
    frontend_url: str = ""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    data_dir: Path = ROOT / ".data"

    maintenance: bool = False
    log_level: LogLevel | None = None
    metrics_token: SecretStr | None = None
    sentry_dsn: SecretStr | None = None
    stop_delay: float = Field(default=0.0, ge=0, le=30)

    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    database_pool_size: int = Field(default=5, ge=1, le=200)

    interviewer: Literal["", "auto", "builtin", "openai"] = ""
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str = "gpt-5.4-mini"
    grade_repeats: int = Field(default=1, ge=1, le=9)
    openai_timeout: float = Field(default=60.0, gt=0, le=600)
    openai_first_token_seconds: float | None = Field(default=None, gt=0, le=1800)
    openai_idle_seconds: float = Field(default=30.0, gt=0, le=600)
    openai_response_format: Literal["auto", "json_schema", "json_object", "none"] = "auto"
    openai_stream: bool = True
    openai_max_tokens: int = Field(default=4096, ge=256, le=200_000)
    openai_context_tokens: int = Field(default=8192, ge=2048, le=10_000_000)
    openai_extra_body: Annotated[Mapping[str, Any], NoDecode] = Field(default_factory=dict)
    openai_extra_query: Annotated[Mapping[str, str], NoDecode] = Field(default_factory=dict)
    model_calls_at_once: int | None = Field(default=None, ge=1, le=10_000)
    model_queue: int = Field(default=1000, ge=1, le=100_000)
    openai_price_input: Decimal | None = Field(default=None, ge=0)
    openai_price_cached: Decimal | None = Field(default=None, ge=0)
    openai_price_output: Decimal | None = Field(default=None, ge=0)

    resend_api_key: SecretStr | None = None
    resend_api_url: str = ""
    mail_from: str = "Interviewer <interviewer@localhost>"
    mail_rate: float = Field(default=2.0, gt=0, le=1000)

    jwt_secret: SecretStr | None = None
    access_token_minutes: int = Field(default=60, ge=1, le=24 * 60)
    rate_limits: bool = True

    lemon_api_key: SecretStr | None = None
    lemon_api_url: str = "https://api.lemonsqueezy.com"
    lemon_store_id: str = ""
    lemon_webhook_secret: SecretStr | None = None
    lemon_variant_id_individual: str = ""
    lemon_variant_id_pro: str = ""
    lemon_variant_id_premium: str = ""
    lemon_former_variants: Annotated[tuple[tuple[str, str, int | None], ...], NoDecode] = ()

    github_client_id: str = ""
    github_client_secret: SecretStr | None = None
    github_base_url: str = "https://github.com"
    github_api_url: str = "https://api.github.com"

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Split a comma-separated list and remove trailing slashes, because Origin headers have none."""
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("openai_extra_body", mode="before")
    @classmethod
    def _json_object(cls, value: object) -> object:
        """Parse a JSON object. It cannot replace what every request needs."""
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ValueError('must be a JSON object, such as {"temperature": 0.2}')
        if taken := sorted({"messages", "model", "stream"} & found.keys()):
            raise ValueError(f"must not set {', '.join(taken)}")
        return found

    @field_validator("openai_extra_query", mode="before")
    @classmethod
    def _query(cls, value: object) -> object:
        """Parse a query string."""
        if not isinstance(value, str):
            return value
        found = dict(parse_qsl(value.lstrip("?"), keep_blank_values=True))
        if not found:
            raise ValueError("must be a query string, such as api-version=2024-10-21")
        return found

    @field_validator("openai_base_url")
    @classmethod
    def _model_server(cls, value: str | None) -> str | None:
        """Reject URLs that no request can be sent to."""
        if value is not None:
            HttpUrl(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        """Require a Redis or Valkey URL, and convert valkey:// to redis://.

        Valkey uses the Redis protocol, but the client library accepts only Redis URLs.
        """
        if value is None:
            return None
        url = value.get_secret_value()
        if not url.startswith(("redis://", "rediss://", "valkey://", "valkeys://")):
            raise ValueError("must start with redis://, rediss:// or valkey://")
        return SecretStr(re.sub("^valkey", "redis", url))

    @field_validator("jwt_secret")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        """Reject short keys, repetitive keys, and placeholders such as "changeme".

        HS256 requires a key as long as its hash, 32 bytes (RFC 7518, 3.2).
        """
        if value is None:
            return None
        secret = value.get_secret_value()
        if len(secret.encode()) < 32 or len(set(secret)) < 10 or _PLACEHOLDER.search(secret):
            raise ValueError("must be at least 32 random characters; generate them with `openssl rand -hex 32`")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _hard_to_find(cls, value: SecretStr | None) -> SecretStr | None:
        """Require a token that is hard to guess, because attempts are not rate limited.

        It must be printable ASCII without spaces, because it is sent in a header.
        """
        if value is None:
            return None
        token = value.get_secret_value()
        if len(token) < 16 or len(set(token)) < 8 or not (token.isascii() and token.isprintable()) or " " in token:
            raise ValueError("must be at least 16 random characters without spaces; generate them with `openssl rand -hex 32`")
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _sentry(cls, value: SecretStr | None) -> SecretStr | None:
        """Require the form of a Sentry DSN, which contains a key and ends with a project number."""
        if value is not None and not re.fullmatch(r"https?://[^\s:/@]+@[^\s/@]+(/[^\s/]+)*/[0-9]+", value.get_secret_value()):
            raise ValueError("must look like https://key@host/number; copy it from Sentry")
        return value

    @field_validator("lemon_webhook_secret")
    @classmethod
    def _hard_to_forge(cls, value: SecretStr | None) -> SecretStr | None:
        """Reject secrets that are easy to guess, because an attacker who knows the secret can create credits.

        Lemon Squeezy accepts 6 to 40 characters.
        """
        if value is None:
            return None
        secret = value.get_secret_value()
        if len(secret.strip()) < 6 or len(set(secret)) < 4 or _PLACEHOLDER.search(secret):
            raise ValueError("must be 6 to 40 random characters; generate them with `openssl rand -hex 20`")
        return value

    @field_validator("frontend_url")
    @classmethod
    def _with_slash(cls, value: str) -> str:
        """Require http:// or https://, and add a trailing slash, because links are made by appending a path."""
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value if not value or value.endswith("/") else value + "/"

    @field_validator("github_base_url", "github_api_url", "lemon_api_url")
    @classmethod
    def _address(cls, value: str) -> str:
        """Reject URLs that no request can be sent to, such as those with a port out of range, and remove trailing slashes."""
        return str(HttpUrl(value)).rstrip("/")

    @field_validator("lemon_api_url")
    @classmethod
    def _without_path(cls, value: str) -> str:
        """Reject URLs with a path. The client adds the API version itself, so a path would make every request URL wrong."""
        if HttpUrl(value).path not in (None, "/"):
            raise ValueError("must not have a path, not even /v1")
        return value

    @field_validator("lemon_store_id", "lemon_variant_id_individual", "lemon_variant_id_pro", "lemon_variant_id_premium")
    @classmethod
    def _number(cls, value: str) -> str:
        """Require a number. Lemon Squeezy's IDs are numbers, so anything else would never match."""
        if value and not (value.isascii() and value.isdecimal()):
            raise ValueError("must be a number; copy it from Lemon Squeezy")
        return value

    @field_validator("lemon_variant_id_pro", "lemon_variant_id_premium")
    @classmethod
    def _another(cls, value: str, info: ValidationInfo) -> str:
        """Reject a variant already used by another product, because the product of a purchase would be ambiguous."""
        if value and value in (info.data.get("lemon_variant_id_individual"), info.data.get("lemon_variant_id_pro")):
            raise ValueError("must differ from the variants of the other products")
        return value

    @field_validator("lemon_former_variants", mode="before")
    @classmethod
    def _former(cls, value: object, info: ValidationInfo) -> object:
        """Parse comma-separated entries of the form `variant:product` or `variant:product:price`, with the price in dollars.

        Returns (variant, product, price in cents or None) for each entry. Rejects malformed entries, and a variant that is listed
        for two products or is the current variant of another product.
        """
        if not isinstance(value, str):
            return value
        sells = {info.data.get(f"lemon_variant_id_{product}"): product for product in ("individual", "pro", "premium")}
        found = []
        for part in filter(None, (part.strip() for part in value.split(","))):
            match = _FORMER_VARIANT.fullmatch(part)
            if match is None:
                raise ValueError("must be a comma-separated list of entries like 1103200:pro or 1103200:pro:14.99")
            variant, product, dollars, cents = match.groups()
            if sells.setdefault(variant, product) != product:
                raise ValueError(f"lists variant {variant} for two products")
            found.append((variant, product, int(dollars) * 100 + int(cents or 0) if dollars else None))
        return tuple(found)

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        """Require a PostgreSQL URL. It may name any driver, because hosting providers show various forms.

        The app always uses psycopg.
        """
        if value and not re.match(r"\s*postgres(ql)?(\+\w+)?://", value.get_secret_value()):
            raise ValueError("must start with postgresql://")
        return value

    @property
    def site_url(self) -> str:
        """The public URL of the site, with a trailing slash. Defaults to localhost."""
        return self.frontend_url or f"http://localhost:{self.port}/"

    @property
    def production(self) -> bool:
        """Whether this is a production site, as opposed to development."""
        return self.env is Environment.PRODUCTION

    @property
    def effective_log_level(self) -> LogLevel:
        """The configured log level. Defaults to info in production (one line per request) and to warning in development."""
        return self.log_level or (LogLevel.INFO if self.production else LogLevel.WARNING)

    @property
    def production_gaps(self) -> tuple[str, ...]:
        """The settings that a production site still needs before it can start, one phrase each. Empty in development."""
        if not self.production:
            return ()
        gaps = {
            **{f"{name}, because LEMON_API_KEY is set": False for name in self.payment_gaps if self.lemon_api_key},
            "FRONTEND_URL, starting with https://": self.frontend_url.startswith("https://"),
            "RESEND_API_KEY, because without it the links in emails would be printed": self.resend_api_key is not None,
            "JWT_SECRET, at least 32 random characters (`openssl rand -hex 32`)": self.jwt_secret is not None,
            "OPENAI_BASE_URL and OPENAI_MODEL, because INTERVIEWER=auto is for development": self.interviewer != "auto"
            or self.uses_openai,
            "GITHUB_CLIENT_SECRET, because GITHUB_CLIENT_ID is set": not self.github_client_id
            or self.github_client_secret is not None,
        }
        return tuple(gap for gap, filled in gaps.items() if not filled)

    @property
    def payment_gaps(self) -> tuple[str, ...]:
        """The names of the settings still needed before anything can be sold. Empty if payments are configured."""
        needed = {
            "LEMON_API_KEY": self.lemon_api_key,
            "LEMON_STORE_ID": self.lemon_store_id,
            "LEMON_WEBHOOK_SECRET": self.lemon_webhook_secret,
            "LEMON_VARIANT_ID_INDIVIDUAL": self.lemon_variant_id_individual,
            "LEMON_VARIANT_ID_PRO": self.lemon_variant_id_pro,
            "LEMON_VARIANT_ID_PREMIUM": self.lemon_variant_id_premium,
        }
        return tuple(name for name, value in needed.items() if not value)

    @property
    def uses_openai(self) -> bool:
        """Whether an OpenAI-compatible server conducts the interviews. A local server needs no API key, only its base URL."""
        return self.interviewer != "builtin" and bool(self.openai_api_key or self.openai_base_url)


@cache
def get_settings() -> Settings:
    """Return the settings of this process. Raises pydantic's ValidationError if a setting is invalid.

    If the environment variable ENV_FILE is set, it names the file to read instead of `.env`.
    """
    return Settings(_env_file=os.environ.get("ENV_FILE", ROOT / ".env"))


def explain(error: ValidationError) -> str:
    """Return one sentence that names each invalid setting and its problem."""
    parts = (f"{'.'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in error.errors(include_url=False))
    return "These settings are invalid: " + "; ".join(parts)
