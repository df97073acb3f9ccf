"""Read the text of a résumé file for the start form, which shows it to the user to check. Nothing is stored here."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from interviewer.api.access import Client, Services, SessionSecret
from interviewer.core.rate_limits import Action
from interviewer.interviews.resume_files import resume_text

router = APIRouter(prefix="/session", include_in_schema=False)


@router.post("/resume")
async def read(request: Request, services: Services, client: Client, secret: SessionSecret = "") -> JSONResponse:
    """Return the text of the PDF or .docx file in the request's body. `assets/resume.js` sends it.

    The session and the rate limits are checked before the body is read. Errors are JSON, with a message that says what to do.
    """
    person = await services.sessions.authenticate(secret)
    await services.guard.check(Action.UPLOAD, client, str(person.user_id))
    data = await request.body()
    # Each file takes a process, so a user can have one read at a time, in a queue that is fair between users.
    async with services.files.slot(person.user_id), services.processor.slot(person.user_id):
        return JSONResponse({"text": await asyncio.to_thread(resume_text, data)})
