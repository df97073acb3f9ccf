"""Give each page's websocket the key of the page's state, and close the websocket when the session ends."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interviewer import wiring
from interviewer.accounts.browser_sessions import COOKIE, cookie_value
from interviewer.accounts.open_pages import Connection
from interviewer.api.middleware import EVENT_PATH

# RFC 6455's code for "Policy violation".
ENDED = 1008


class OwnPages:
    """ASGI middleware that replaces the `token` parameter in the URL of a page's websocket with the key of the page's state.

    The key is derived from the token and the session cookie. Reflex uses the key as its own token and never sees the original
    one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a page's websocket with the key of the page's state, and register the connection while it is open.

        Other requests, and websockets without a token, pass unchanged.
        """
        if scope["type"] != "websocket" or not scope["path"].startswith(EVENT_PATH):
            await self._app(scope, receive, send)
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        token = next((value for name, value in query if name == "token"), "")
        if not token:
            await self._app(scope, receive, send)
            return
        pages = wiring.services().open_pages
        connection = await pages.connect(token, cookie_value(_cookies(scope), COOKIE))
        others = [(name, value) for name, value in query if name != "token"]
        keyed = {**scope, "query_string": urlencode([*others, ("token", connection.key)]).encode()}
        try:
            await self._app(keyed, *_closable(connection, receive, send))
        finally:
            pages.disconnect(connection)


def _cookies(scope: Scope) -> str:
    """Return the connection's cookies, decoded as Reflex decodes them for event handlers, so that both see the same session."""
    return "; ".join(_decoded(value) for name, value in scope["headers"] if name == b"cookie")


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _closable(connection: Connection, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Wrap `receive` and `send` so that the server can close the websocket. Nothing is received or sent afterward.

    Sets `connection.close`, which closes the websocket. A message that arrives after the session has ended closes it, too.
    """
    accepted = closed = False

    async def close() -> None:
        nonlocal closed
        if not closed and accepted:
            closed = True
            await send({"type": "websocket.close", "code": ENDED, "reason": "session ended"})

    async def received() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive" or not connection.ended:
            return message
        await close()
        return {"type": "websocket.disconnect", "code": ENDED}

    async def sent(message: Message) -> None:
        nonlocal accepted
        if not closed:
            accepted = accepted or message["type"] == "websocket.accept"
            await send(message)

    connection.close = close
    return received, sent
