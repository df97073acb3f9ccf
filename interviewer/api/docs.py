"""The API's interactive documentation, served without external files."""

from __future__ import annotations

from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from interviewer.api.middleware import YEAR

router = APIRouter(include_in_schema=False)
TITLE, DOCUMENT, DOCS = "Interviewer", "/api/openapi.json", "/api/docs"
_FILES = Path(fastapi_offline.__file__).parent / "static"
# Part of the asset URLs, so that an update invalidates files cached for a year.
_VERSION = version("fastapi-offline")


class Asset(StrEnum):
    """The files that the documentation page loads."""

    SCRIPT = "swagger-ui-bundle.js"
    STYLE = "swagger-ui.css"


@router.get(DOCS)
async def docs() -> HTMLResponse:
    """Return the documentation page."""
    return get_swagger_ui_html(
        openapi_url=DOCUMENT,
        title=f"{TITLE} · API",
        swagger_js_url=_address(Asset.SCRIPT),
        swagger_css_url=_address(Asset.STYLE),
        swagger_favicon_url="/favicon.ico",
        # The default validator is an external site, which must not receive our document.
        swagger_ui_parameters={"validatorUrl": None, "docExpansion": "list", "defaultModelsExpandDepth": 0},
    )


@router.get(f"{DOCS}/assets/{{name}}")
async def asset(name: Asset) -> FileResponse:
    """Return a script or style sheet of the documentation page, cacheable for a year."""
    return FileResponse(_FILES / name.value, headers={"Cache-Control": f"public, max-age={YEAR}, immutable"})


def _address(name: Asset) -> str:
    return f"{DOCS}/assets/{name.value}?v={_VERSION}"
