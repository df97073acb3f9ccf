"""How Reflex builds and serves the application."""

from typing import Any, cast

import reflex as rx
from reflex_base.constants import StateManagerMode

from interviewer.components.theme import TAILWIND
from interviewer.settings import get_settings

settings = get_settings()

config = rx.Config(
    app_name="interviewer",
    app_module_import="interviewer.app",
    # The address of the build; it is replaced by the page's own right after the build (interviewer/frontend.py).
    api_url="http://localhost:3000",
    deploy_url=settings.site_url.rstrip("/"),
    cors_allowed_origins=[settings.site_url.rstrip("/"), *settings.allowed_origins],
    telemetry_enabled=False,
    show_built_with_reflex=False,
    state_manager_mode=StateManagerMode.MEMORY,
    # Seconds of silence after which a page's state is forgotten; the page then loads it anew.
    redis_token_expiration=6 * 3600,
    # Packed at build time, in the order of preference: 10 to 15 percent less than gzip alone.
    frontend_compression_formats=["brotli", "gzip"],
    plugins=[rx.plugins.TailwindV4Plugin(cast("Any", TAILWIND))],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
