"""States of disconnected pages expire within minutes, and those of connected pages are kept."""

from __future__ import annotations

import pytest
import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken

from interviewer.state import retention
from interviewer.state.retention import ANONYMOUS, SIGNED_IN, forget
from interviewer.state.session import SessionState

EXPIRATION = 6 * 3600


async def manager(**pages: tuple[float, str]) -> StateManagerMemory:
    """Return a state manager with one state per page. `pages` has the time of each page's last use and its user's email."""
    made = StateManagerMemory(token_expiration=EXPIRATION)  # type: ignore[abstract]  # its methods are overloaded there
    for name, (used, email) in pages.items():
        token = BaseStateToken(ident=name, cls=rx.State)
        root = await made.get_state(token)
        session = await root.get_state(SessionState)
        session.email = email
        made._token_expires_at[name] = (used + EXPIRATION, token)
    return made


async def test_expiry_depends_on_sign_in_and_connection() -> None:
    now = 1_000_000.0
    old, older = now - ANONYMOUS - 1, now - SIGNED_IN - 1
    made = await manager(
        fresh=(now, ""), gone=(old, ""), open=(older, ""), ada=(old, "ada@example.com"), ben=(older, "ben@example.com")
    )
    assert forget(made, {"open"}, now) == 2
    assert set(made.states) == {"fresh", "open", "ada"}
    await made.close()


async def test_locked_state_is_kept() -> None:
    now = 1_000_000.0
    made = await manager(busy=(0, ""))
    async with made.modify_state(BaseStateToken(ident="busy", cls=rx.State)):
        assert forget(made, (), now * 1e6) == 0
    await made.close()


async def test_least_recently_used_states_expire_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    made = await manager(**{f"p{number}": (now - number / 100, "ada@example.com") for number in range(8)})
    monkeypatch.setattr(retention, "MOST", 3)
    assert forget(made, {"p7"}, now) == 4
    assert set(made.states) == {"p0", "p1", "p2", "p7"}
    await made.close()
