"""How Reflex builds and serves the application."""

from typing import Any, cast

import reflex as rx
from reflex_base.constants import StateManagerMode
from reflex_base.environment import environment

from interviewer.components.theme import TAILWIND
from interviewer.settings import get_settings

settings = get_settings()
store = settings.redis_url.get_secret_value() if settings.redis_url else None

# A page that is being written to is locked for seconds at a time instead of again for each of its many changes, unless another
# copy asks for it.
environment.REFLEX_OPLOCK_ENABLED.set(True)
# Connections of a copy to the store, at most; who needs another one waits for it.
environment.REFLEX_REDIS_MAX_CONNECTIONS.set(32)
# Hosted stores do not let a client set what they notify of; docs/operations.md says what to set there.
environment.REFLEX_IGNORE_REDIS_CONFIG_ERROR.set(True)

config = rx.Config(
    app_name="interviewer",
    app_module_import="interviewer.app",
    # The address of the build; it is replaced by the page's own right after the build (interviewer/frontend.py).
    api_url="http://localhost:3000",
    deploy_url=settings.site_url.rstrip("/"),
    cors_allowed_origins=[settings.site_url.rstrip("/"), *settings.allowed_origins],
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # Copies share the state of pages and its locks where they have something to share it in.
    state_manager_mode=StateManagerMode.REDIS if store else StateManagerMode.MEMORY,
    redis_url=store,
    # Seconds of silence after which a page's state is forgotten; the page then loads it again.
    redis_token_expiration=6 * 3600,
    # Packed at build time, in the order of preference: 10 to 15 percent less than gzip alone.
    frontend_compression_formats=["brotli", "gzip"],
    plugins=[rx.plugins.TailwindV4Plugin(cast("Any", TAILWIND))],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
