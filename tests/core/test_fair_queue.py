"""The turnstile: limits hold, no slot stays empty while an eligible request waits, and no user can block the others."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from interviewer.core.fair_queue import NoSlot, Reason, Turnstile


class Visit:
    """A request that holds its slot until `end` is called."""

    def __init__(self, turnstile: Turnstile, who: Hashable, *, fails: bool = False) -> None:
        self.who = who
        self.entered = False
        self.over = asyncio.Event()
        self._fails = fails
        self.task = asyncio.create_task(self._stay(turnstile))

    async def _stay(self, turnstile: Turnstile) -> None:
        async with turnstile.slot(self.who):
            self.entered = True
            await self.over.wait()
            if self._fails:
                raise ZeroDivisionError

    async def end(self) -> BaseException | None:
        self.over.set()
        [outcome] = await asyncio.gather(self.task, return_exceptions=True)
        return outcome


async def turn() -> None:
    """Yield to the event loop a few times, so that everything ready can run."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def visits(turnstile: Turnstile, *people: Hashable) -> AsyncIterator[list[Visit]]:
    """Start a visit for each user in order. End them all when the block ends, and check that the turnstile is empty."""
    come = []
    for who in people:
        come.append(Visit(turnstile, who))
        await turn()
    yield come
    for visit in come:
        visit.over.set()
    await asyncio.gather(*(visit.task for visit in come), return_exceptions=True)
    assert (turnstile.running, turnstile.waiting) == (0, 0)
    assert not turnstile._inside
    assert not turnstile._lines
    assert not any(turnstile._ranks)


def reason(outcome: BaseException | None) -> Reason | None:
    return outcome.reason if isinstance(outcome, NoSlot) else None


# -- invariants ------------------------------------------------------------------------------------------------------

STEPS = some.lists(
    some.tuples(some.sampled_from(["come", "come", "come", "leave", "fail", "cancel"]), some.integers(0, 5)), max_size=80
)


@settings(max_examples=150)
@given(
    at_once=some.integers(1, 6),
    each=some.integers(1, 4),
    queue=some.integers(0, 12),
    own=some.integers(0, 5),
    steps=STEPS,
    seed=some.randoms(),
)
def test_limits_hold_and_no_place_stays_empty(
    at_once: int, each: int, queue: int, own: int, steps: list[tuple[str, int]], seed: random.Random
) -> None:
    asyncio.run(_history(Turnstile(at_once, queue, each=each, own_queue=own, patience=60), steps, seed))


async def _history(turnstile: Turnstile, steps: list[tuple[str, int]], chance: random.Random) -> None:
    present: list[Visit] = []
    everybody: list[Visit] = []
    for what, who in steps:
        if what == "come":
            expected = turnstile.refuses(who)
            visit = Visit(turnstile, who, fails=chance.random() < 0.3)
            everybody.append(visit)
            await turn()
            if expected is not None:
                assert reason(await visit.end()) is expected
            else:
                present.append(visit)
        elif present:
            visit = present.pop(who % len(present))
            if what == "cancel":
                visit.task.cancel()
                # Sometimes cancel at the very moment when a slot becomes free.
                if inside := [other for other in present if other.entered]:
                    chance.choice(inside).over.set()
            elif not visit.entered:
                present.append(visit)
                continue
            else:
                visit.over.set()
        await turn()
        present = [visit for visit in present if not visit.task.done()]
        _check(turnstile, present)
    for visit in present:
        visit.task.cancel()
    await asyncio.gather(*(visit.task for visit in everybody), return_exceptions=True)
    assert (turnstile.running, turnstile.waiting, turnstile._inside, turnstile._lines) == (0, 0, {}, {})


def _check(turnstile: Turnstile, present: list[Visit]) -> None:
    inside = Counter(visit.who for visit in present if visit.entered)
    waiting = Counter(visit.who for visit in present if not visit.entered)
    assert turnstile.running == inside.total() <= turnstile.at_once
    assert turnstile.waiting == waiting.total() <= turnstile.queue
    assert all(count <= turnstile.each for count in inside.values())
    assert all(count <= turnstile.own_queue for count in waiting.values())
    if turnstile.running < turnstile.at_once:
        assert all(inside[who] == turnstile.each for who in waiting), "a slot is free while a caller who could take it is waiting"


# -- fairness --------------------------------------------------------------------------------------------------------


async def test_newcomer_behind_a_large_backlog_is_next() -> None:
    turnstile = Turnstile(2, 100, each=2, own_queue=50)
    async with visits(turnstile, *["crowd"] * 20, "guest") as come:
        assert [visit.entered for visit in come] == [True, True] + [False] * 19
        await come[0].end()
        await turn()
        assert come[-1].entered, "the guest runs nothing, the crowd runs one"


async def test_users_with_equal_load_alternate() -> None:
    turnstile = Turnstile(3, 100, each=1, own_queue=50)
    order = []
    async with visits(turnstile, *["first", "second", "third"], *["a"] * 5, *["b"] * 3, *["c"] * 1) as come:
        while waiting := [visit for visit in come if not visit.entered]:
            inside = next(visit for visit in come if visit.entered and not visit.task.done())
            await inside.end()
            await turn()
            order += [visit.who for visit in waiting if visit.entered]
    assert order[:3] == ["a", "b", "c"]
    assert Counter(order) == {"a": 5, "b": 3, "c": 1}
    for small, large in (("b", "a"), ("c", "b")):
        assert order.index(large) < order[::-1].index(small) + len(order), "no user waits for all of another user's calls"


async def test_ten_users_get_their_share_next_to_a_greedy_one() -> None:
    """With a thousand requests by one user and five by each of ten others for ten slots, the others do not wait long."""
    turnstile = Turnstile(10, 2000, each=5, own_queue=1500, patience=60)
    waited: dict[str, list[int]] = {}
    clock = 0

    async def call(who: str) -> None:
        came = clock
        async with turnstile.slot(who):
            waited.setdefault(who, []).append(clock - came)
            await asyncio.sleep(0.001)

    async def ticking() -> None:
        nonlocal clock
        while True:
            await asyncio.sleep(0.001)
            clock += 1

    ticks = asyncio.create_task(ticking())
    crowd = [asyncio.create_task(call("crowd")) for _ in range(1000)]
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(call(f"person {number}")) for number in range(10) for _ in range(5)]
    await asyncio.gather(*others)
    left = sum(not task.done() for task in crowd)
    await asyncio.gather(*crowd)
    ticks.cancel()
    assert left > 800, "the crowd's queue was not served first"
    assert max(wait for who, waits in waited.items() if who != "crowd" for wait in waits) < max(waited["crowd"]) / 4


async def test_user_at_the_limit_leaves_room_for_others() -> None:
    async with visits(Turnstile(10, 100, each=2, own_queue=50), *["crowd"] * 9, "guest") as come:
        assert [visit.entered for visit in come] == [True, True] + [False] * 7 + [True]


# -- refusals --------------------------------------------------------------------------------------------------------


async def test_full_queue_refuses_immediately_with_reason() -> None:
    turnstile = Turnstile(1, 3, each=1, own_queue=2)
    async with visits(turnstile, "a", "a", "a", "b"):
        assert turnstile.refuses("a") is Reason.OWN
        assert turnstile.refuses("c") is Reason.FULL
        for who, why in (("a", Reason.OWN), ("c", Reason.FULL)):
            with pytest.raises(NoSlot) as caught:
                async with turnstile.slot(who):
                    pytest.fail("came in")
            assert caught.value.reason is why


async def test_without_queue_requests_are_refused() -> None:
    turnstile = Turnstile(2, 0, each=1)
    async with visits(turnstile, "a", "b"):
        assert (turnstile.refuses("a"), turnstile.refuses("c")) == (Reason.OWN, Reason.FULL)


async def test_wait_ends_after_patience() -> None:
    turnstile = Turnstile(1, 10, patience=0.05)
    async with visits(turnstile, "a", "b", "c") as come:
        await asyncio.sleep(0.1)
        assert [reason(await visit.end()) for visit in come[1:]] == [Reason.WAITED] * 2
        assert (turnstile.running, turnstile.waiting) == (1, 0)


# -- returned slots -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [True, False])
async def test_cancelled_waiter_leaves_no_gap(before: bool) -> None:
    """This also holds if the waiter is cancelled just after a slot was granted."""
    turnstile = Turnstile(1, 10)
    async with visits(turnstile, "a", "b", "c") as come:
        if before:
            come[1].task.cancel()
            come[0].over.set()
        else:
            come[0].over.set()
            while turnstile.waiting == 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
            come[1].task.cancel()
        await turn()
        assert (come[1].entered, come[2].entered) == (False, True)


async def test_failing_visit_returns_its_place() -> None:
    turnstile = Turnstile(1, 10)
    failing = Visit(turnstile, "a", fails=True)
    await turn()
    async with visits(turnstile, "b") as come:
        assert isinstance(await failing.end(), ZeroDivisionError)
        await turn()
        assert come[0].entered


async def test_closed_turnstile_admits_none_and_lets_running_finish() -> None:
    turnstile = Turnstile(1, 10)
    async with visits(turnstile, "a", "b", "c") as come:
        turnstile.close()
        assert [reason(await visit.end()) for visit in come[1:]] == [Reason.CLOSED] * 2
        assert turnstile.refuses("d") is Reason.CLOSED
        assert not come[0].task.done()
        assert await come[0].end() is None


async def test_nine_thousand_can_wait_and_give_up() -> None:
    crowded = Turnstile(10_100, 20_000, each=10, own_queue=100, patience=600)
    people = [Visit(crowded, number // 100) for number in range(10_000)]
    await turn()
    assert crowded.waiting == 9_000
    for number in range(100):
        async with crowded.slot(("new", number)):
            assert crowded.waiting == 9_000
    for person in people:
        person.task.cancel()
    await asyncio.gather(*(person.task for person in people), return_exceptions=True)
    assert (crowded.running, crowded.waiting) == (0, 0)
