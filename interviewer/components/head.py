"""The <head> of every page: fonts, icons, and our few scripts."""

from __future__ import annotations

import hashlib

import reflex as rx

from interviewer.settings import ROOT

SCRIPTS = ("drafts", "focus", "forms", "notices", "report", "resume", "room", "speech")
_FONTS = ("newsreader", "instrument-sans")


def head(origin: str) -> list[rx.Component]:
    """Return the elements of the <head>. `origin` is the site's URL with a trailing slash, or "/" in development."""
    return [
        *[
            rx.el.link(
                rel="preload",
                href=f"/fonts/{name}.woff2",
                custom_attrs={"as": "font"},
                type="font/woff2",
                cross_origin="anonymous",
            )
            for name in _FONTS
        ],
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(rel="apple-touch-icon", href="/icons/180.png"),
        rx.el.link(rel="manifest", href="/manifest.webmanifest"),
        rx.el.meta(name="theme-color", content="#f6f3ec", custom_attrs={"media": "(prefers-color-scheme: light)"}),
        rx.el.meta(name="theme-color", content="#14130f", custom_attrs={"media": "(prefers-color-scheme: dark)"}),
        rx.el.meta(name="color-scheme", content="light dark"),
        rx.el.meta(custom_attrs={"property": "og:type"}, content="website"),
        rx.el.meta(custom_attrs={"property": "og:site_name"}, content="Interviewer"),
        rx.el.meta(
            custom_attrs={"property": "og:image:alt"},
            content="An answer with highlighted words and a score of 8 out of 10 in a ring",
        ),
        rx.el.meta(name="twitter:card", content="summary_large_image"),
        rx.el.meta(name="twitter:image", content=f"{origin}og.png"),
        *[rx.el.script(src=f"/{name}.js?v={_version(name)}", defer=True) for name in SCRIPTS],
    ]


def _version(name: str) -> str:
    """Return a script's content hash, so that browsers don't use a cached old script with a new page."""
    return hashlib.sha256((ROOT / "assets" / f"{name}.js").read_bytes()).hexdigest()[:12]
