"""Lifetimes of mailed links."""

from __future__ import annotations

from datetime import timedelta

VERIFICATION_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(minutes=15)
