"""Downloads of an interview's report. They are plain links, so the session cookie authenticates the user."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from interviewer.api.access import Client, Services, SessionSecret, sign_in_first
from interviewer.api.errors import retry_after
from interviewer.core.ids import id_of
from interviewer.errors import AppError, NotFound
from interviewer.reports.markdown import markdown
from interviewer.reports.pdf import pdf
from interviewer.reports.reports import Report
from interviewer.reports.wording import file_name

router = APIRouter(prefix="/session/report", include_in_schema=False)


class Kind(StrEnum):
    """File types, by their extension."""

    MARKDOWN = "md"
    PDF = "pdf"


WRITERS: dict[Kind, tuple[Callable[[Report], str | bytes], str]] = {
    Kind.MARKDOWN: (markdown, "text/markdown; charset=utf-8"),
    Kind.PDF: (pdf, "application/pdf"),
}


@router.get("/{name}")
async def download(name: str, services: Services, client: Client, secret: SessionSecret = "") -> Response:
    """Return the report for a file name such as `7.md` or `7.pdf`.

    Unknown file types and other users' interviews are reported as not found. Without a session, the browser is redirected to the
    sign-in page.
    """
    number, _, ending = name.partition(".")
    id = id_of(number)
    try:
        with sign_in_first(f"/interview/{id}" if id else "/dashboard"):
            person = await services.sessions.authenticate(secret)
            if ending not in list(Kind) or not id:
                raise NotFound
            report = await services.reports.full(person.user_id, id, client)
            write, media_type = WRITERS[Kind(ending)]
            # A long PDF takes seconds of CPU time, so it is generated in a thread, after waiting in a queue that is fair between
            # users.
            async with services.files.slot(person.user_id), services.processor.slot(person.user_id):
                content = await asyncio.to_thread(write, report)
    except AppError as error:
        return PlainTextResponse(error.user_message, status_code=error.status, headers=retry_after(error))
    headers = {"Content-Disposition": disposition(f"{file_name(report)}.{ending}"), "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def disposition(name: str) -> str:
    """Return the Content-Disposition header of a download (RFC 6266), with an ASCII fallback for the file name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(one if one.isalnum() or one in "-." else "" for one in plain).lstrip("-.")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
