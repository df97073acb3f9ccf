"""The payment service's webhooks over HTTP: responses, stored deliveries, and forged requests."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete, func, select

from interviewer import wiring
from interviewer.api.errors import MAX_WEBHOOK
from interviewer.billing.lemonsqueezy.events import Event, Kind, kind_of
from interviewer.billing.tables import ProcessedWebhook
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.core.database import Database
from interviewer.core.mail_console import Outbox
from interviewer.core.users import User
from interviewer.credits.tables import CreditTransaction
from interviewer.settings import Environment, Settings
from interviewer.wiring import Services
from tests.conftest import NewUser
from tests.support.billing import PREMIUM, PRO, SETTINGS, SIGNATURES, changed, issue_reference, nets, samples, shop, signature
from tests.support.billing_chaos import crashing
from tests.support.interviewer import ScriptedInterviewer
from tests.support.lemon_store import Delivery

PATH = "/api/webhooks/billing"
MISSING = object()
# Nesting deep enough to crash a careless parser.
DEEP = 100_000


@pytest.fixture
def settings() -> Settings:
    """Settings of a site with sales. No test here calls the payment service."""
    return Settings(
        _env_file=None, port=3999, database_url=None, openai_api_key=None, openai_base_url=None, frontend_url="", **SETTINGS
    )


@pytest.fixture
async def user(new_user: NewUser) -> User:
    return await new_user(credits=0)


async def post(
    client: httpx2.AsyncClient, body: bytes, given: str | bytes | None = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Post a webhook body, signed with the secret unless a signature is given.

    Return the status and the JSON of the response, after checking its shape.
    """
    signed = signature(body) if given is None else given
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent.append((b"X-Signature", signed if isinstance(signed, bytes) else signed.encode()))
    answer = await client.post(PATH, content=body, headers=sent)
    document = answer.json()
    assert set(document) == ({"outcome"} if answer.status_code == 200 else {"error"}), answer.text
    assert document.get("error") != ""
    return answer.status_code, document


async def tell(client: httpx2.AsyncClient, *deliveries: Delivery) -> list[str]:
    """Post deliveries, check that each returns 200, and return their outcomes."""
    outcomes = []
    for one in deliveries:
        status, document = await post(client, one.body)
        assert status == 200, (one.event, document)
        outcomes.append(document["outcome"])
    return outcomes


async def kept(services: Services) -> list[tuple[Outcome, bytes]]:
    return [(one.outcome, one.body) for one in await services.webhooks.listed(everything=True)]


async def rows(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.execute(select(func.count()).select_from(CreditTransaction))).scalar_one()


@asynccontextmanager
async def site(services: Services, interviewer: ScriptedInterviewer, **changes: Any) -> AsyncIterator[Services]:
    """Serve requests with changed settings on the same database, until the block ends."""
    settings = services.settings.model_copy(update=changes)
    other = wiring.build(settings, database=services.database, interviewer=interviewer, mailer=Outbox())
    wiring.use(other)
    yield other
    wiring.use(services)
    for adapter in other.outside:
        await adapter.close()


# -- good deliveries -------------------------------------------------------------------------------------------------


async def test_delivery_is_applied_once(client: httpx2.AsyncClient, services: Services, database: Database, user: User) -> None:
    store = shop()
    _, (bought,) = store.buy(user.email, custom=None, quantity=2)
    for _ in range(3):
        assert await post(client, bought.body) == (200, {"outcome": "applied"})
    assert await nets(database, user) == (2, 0)
    assert await kept(services) == [(Outcome.APPLIED, bought.body)], "one row with the posted body"
    _, deliveries = store.subscribe(user.email, PRO, custom=None)
    assert await tell(client, *deliveries, *deliveries) == ["applied"] * 8
    assert await nets(database, user) == (2, 10)
    assert await rows(database) == 2


async def test_content_type_of_a_delivery_does_not_matter(client: httpx2.AsyncClient, database: Database, user: User) -> None:
    store = shop()
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"):
        _, (bought,) = store.buy(user.email, custom=None)
        status, _ = await post(client, bought.body, **{"Content-Type": kind, "X-Event-Name": "order_refunded"})
        assert status == 200
    assert await nets(database, user) == (4, 0), "the event comes from the signed body"


@pytest.mark.parametrize("name", sorted(SIGNATURES["files"]))
async def test_recorded_signature_of_every_sample_is_accepted(client: httpx2.AsyncClient, services: Services, name: str) -> None:
    body = samples()[name].body
    status, document = await post(client, body, SIGNATURES["files"][name]["X-Signature"])
    expected = (
        "ignored"
        if name.startswith("31")
        else "waiting"
        if kind_of(Event(samples()[name].event)) is Kind.INVOICE
        else "unresolved"
    )
    assert (status, document["outcome"]) == (200, expected), "no user here bought it"
    assert await kept(services) == [(Outcome(expected), body)]


async def test_samples_in_order_yield_their_credits(client: httpx2.AsyncClient, database: Database) -> None:
    async with database.transaction() as session:
        mara = User(email="mara.ellingsen@example.com", username="Mara")
        session.add(mara)
    for _ in range(2):
        outcomes = await tell(client, *samples().values())
        assert outcomes == ["applied"] * (len(outcomes) - 1) + ["ignored"]
        assert await nets(database, mara) == (1, 30)


# -- signatures ------------------------------------------------------------------------------------------------------

BODY = shop().buy("user1@example.com", custom=None)[1][0].body
RIGHT = signature(BODY)
WRONG: dict[str, str | bytes] = {
    "empty": "",
    "one character": "0",
    "cut off": RIGHT[:-1],
    "the first half": RIGHT[:32],
    "one too many": RIGHT + "0",
    "upper case": RIGHT.upper(),
    "another digit": RIGHT[:-1] + ("1" if RIGHT[-1] == "0" else "0"),
    "with the name of the method": f"sha256={RIGHT}",
    "of another secret": signature(BODY, "another-secret"),
    "of an empty secret": signature(BODY, "\0"),
    "of another body": signature(BODY + b" "),
    "not ASCII": b"\xe9" * 64,
    "not even UTF-8": b"\xff\xfe\x80",
    "two": f"{RIGHT}, {RIGHT}",
    "long": "a" * 60_000,
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
async def test_wrong_signature_is_refused_and_nothing_is_stored(
    client: httpx2.AsyncClient, services: Services, database: Database, user: User, given: str | bytes
) -> None:
    assert await post(client, BODY, given) == (401, {"error": "Invalid signature"})
    assert await kept(services) == []
    assert await post(client, BODY) == (200, {"outcome": "applied"}), "only the signature was wrong"
    assert await nets(database, user) == (1, 0)


async def test_missing_signature_is_refused(client: httpx2.AsyncClient, services: Services) -> None:
    answer = await client.post(PATH, content=BODY)
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid signature"})
    assert await kept(services) == []


async def test_body_that_differs_in_one_byte_is_refused(client: httpx2.AsyncClient, services: Services) -> None:
    for position in range(0, len(BODY), 17):
        altered = bytearray(BODY)
        altered[position] ^= 1
        assert await post(client, bytes(altered), RIGHT) == (401, {"error": "Invalid signature"}), position
    for altered_length in (BODY[:-1], BODY + b"\n", b"", BODY * 2):
        assert (await post(client, altered_length, RIGHT))[0] == 401
    assert await kept(services) == []


# -- sizes -----------------------------------------------------------------------------------------------------------


async def test_body_size_limit_is_exact(client: httpx2.AsyncClient, services: Services, database: Database, user: User) -> None:
    for length in (MAX_WEBHOOK + 1, 5 * 1024 * 1024):
        assert (await post(client, BODY.ljust(length)))[0] == 413
    assert await kept(services) == []
    longest = BODY.ljust(MAX_WEBHOOK)
    assert await post(client, longest) == (200, {"outcome": "applied"})
    assert await kept(services) == [(Outcome.APPLIED, longest)]
    assert await nets(database, user) == (1, 0)


async def test_body_without_content_length_is_measured(client: httpx2.AsyncClient) -> None:
    body = BODY.ljust(MAX_WEBHOOK + 1)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    answer = await client.post(PATH, content=pieces(), headers={"X-Signature": signature(body)})
    assert (answer.status_code, set(answer.json())) == (413, {"error"})


# -- bodies that are not an event ------------------------------------------------------------------------------------


def raw(event: str = '"order_created"', attributes: str = "{}", *, id: str = '"1"', meta: str = "") -> bytes:
    """Return the body of a webhook from raw JSON fragments, which may be invalid."""
    return f'{{"meta":{{"event_name":{event}{meta}}},"data":{{"type":"x","id":{id},"attributes":{attributes}}}}}'.encode()


NO_EVENT = {
    "nothing": b"",
    "a space": b" ",
    "null": b"null",
    "a number": b"1",
    "a string": b'"order_created"',
    "a list": b"[]",
    "a list of events": b"[" + raw() + b"]",
    "cut off": raw()[:-1],
    "two events": raw() + raw(),
    "a form": b"meta[event_name]=order_created&data[id]=1",
    "an empty object": b"{}",
    "no meta": b'{"data":{}}',
    "meta null": b'{"meta":null}',
    "meta a list": b'{"meta":["event_name"]}',
    "meta a string": b'{"meta":"order_created"}',
    "no name": b'{"meta":{}}',
    "name null": raw("null"),
    "name a number": raw("5"),
    "name true": raw("true"),
    "name a list": raw('["order_created"]'),
    "name empty": raw('""'),
    "name long": raw(f'"{"x" * 201}"'),
    "not UTF-8": raw().replace(b"order", b"\xff\xfe"),
    "UTF-16": raw().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + raw(),
    "a raw zero byte": raw('"order\0created"'),
    "half a character in the name": raw('"\\ud800"'),
    "half a character in the address": raw(attributes='{"user_email":"\\udfff@example.com"}'),
    "deep lists": b"[" * DEEP,
    "deep objects": b'{"a":' * DEEP,
    "deep lists, closed": b"[" * DEEP + b"]" * DEEP,
    "deep attributes": raw(attributes='{"a":' * DEEP + "1" + "}" * DEEP),
    "deep custom data": raw(meta=',"custom_data":' + "[" * DEEP + "]" * DEEP),
    "deep id": raw(id="[" * DEEP + "]" * DEEP),
    "an endless number": raw(id="9" * 100_000),
}


@pytest.mark.parametrize("body", NO_EVENT.values(), ids=NO_EVENT)
async def test_body_that_is_not_an_event_is_refused(client: httpx2.AsyncClient, services: Services, body: bytes) -> None:
    status, document = await post(client, body)
    assert (status, document) == (400, {"error": "The body is not a valid event."})
    assert await kept(services) == []


# -- events with missing or invalid fields ---------------------------------------------------------------------------

STORE = shop(first_id=5_000_000)
ORDER = STORE.buy("user1@example.com", custom=None)[1][0]
SUBSCRIPTION_ID, (_, CREATED, INVOICE, _) = STORE.subscribe("user1@example.com", PREMIUM, custom=None)
INFINITE = float("inf")
BAD_IDS: tuple[object, ...] = (
    MISSING,
    None,
    True,
    False,
    -1,
    1.5,
    INFINITE,
    10**30,
    "",
    " ",
    "abc",
    "1\n",
    "1" * 21,
    "٣",
    [1],
    {"id": 1},
    "\0",
)
BAD_TIMES: tuple[object, ...] = (None, "", "yesterday", "2026-03-02", "2026-03-02T09:14:00", True, [], {}, INFINITE, -1e30, "\0")
# In UTC these are outside Python's range of years: the database would accept them, but they could not be read back.
BAD_TIMES += ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00")
BAD_CENTS: tuple[object, ...] = (MISSING, None, -1, 2**31, 2**63, 10**400, 1.5, INFINITE, float("nan"), "", "x", [], {})
BAD_WORDS: tuple[object, ...] = (None, 5, True, [], {}, "x" * 321, "a\0b")
BROKEN: dict[str, tuple[Delivery, dict[str, tuple[object, ...]]]] = {
    "order": (
        ORDER,
        {
            "data": (MISSING, None, [], "x", 5),
            "data.id": BAD_IDS,
            "data.attributes": (MISSING, None, [], "x", 5, {}),
            "data.attributes.store_id": (MISSING, None),
            "data.attributes.total": BAD_CENTS,
            "data.attributes.refunded_amount": (-1, 2**31, "x", []),
            "data.attributes.status": BAD_WORDS,
            "data.attributes.user_email": BAD_WORDS,
            "data.attributes.created_at": (MISSING, *BAD_TIMES),
            "data.attributes.first_order_item": ([], "x", 5, True),
            "data.attributes.first_order_item.variant_id": BAD_IDS,
            "data.attributes.first_order_item.quantity": (0, -1, -(2**40), 10_001, 2**40, 10**400, 1.5, INFINITE, None, "x", []),
        },
    ),
    "subscription": (
        CREATED,
        {
            "data.id": BAD_IDS,
            "data.attributes.variant_id": BAD_IDS,
            "data.attributes.order_id": tuple(one for one in BAD_IDS if one not in (MISSING, None)),
            "data.attributes.status": (MISSING, None, "", "dancing", "active\0", "ACTIVE", True, [], {}),
            "data.attributes.payment_processor": ("x" * 21, "a\0b", 5, []),
            "data.attributes.updated_at": (MISSING, *BAD_TIMES),
            "data.attributes.renews_at": BAD_TIMES[1:],
        },
    ),
    "invoice": (
        INVOICE,
        {
            "data.id": BAD_IDS,
            "data.attributes.subscription_id": BAD_IDS,
            "data.attributes.billing_reason": (MISSING, None, 5, [], "x" * 21, "a\0b"),
            "data.attributes.total": BAD_CENTS,
            "data.attributes.created_at": (MISSING, *BAD_TIMES),
        },
    ),
}


def put(delivery: Delivery, path: str, value: object) -> bytes:
    """Return a delivery's body with the field at the dotted `path` set to `value`, or without the field if `value` is MISSING."""
    document: dict[str, Any] = copy.deepcopy(json.loads(delivery.body))
    *way, last = path.split(".")
    place = document
    for name in way:
        place = place[name]
    if value is MISSING:
        place.pop(last, None)
    else:
        place[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, (_, paths) in BROKEN.items() for path in paths])
async def test_invalid_event_is_refused_stored_and_grants_nothing(
    client: httpx2.AsyncClient, services: Services, database: Database, user: User, kind: str, path: str
) -> None:
    good, paths = BROKEN[kind]
    if kind == "invoice":  # otherwise the invoice would wait for its subscription
        await tell(client, Delivery(CREATED.event, put(CREATED, "data.attributes.status", "on_trial")))
    before = len(await kept(services))
    for number, value in enumerate(paths[path]):
        webhook_id = f"{path}-{number}"
        body = put(Delivery(good.event, put(good, "meta.webhook_id", webhook_id)), path, value)
        for _ in range(2):
            status, document = await post(client, body)
            assert status == 400, value
            assert document["error"].startswith("The event has missing or invalid fields:")
        newest, *_ = await services.webhooks.listed()
        assert (newest.outcome, newest.event, newest.body) == (Outcome.MALFORMED, good.event, body)
    assert len(await kept(services)) == before + len(paths[path])
    assert await nets(database, user) == (0, 0)
    assert await tell(client, good) == ["applied"], "only this was wrong"


HUGE = {
    "total": raw(attributes='{"store_id":48213,"total":1e999}'),
    "id": raw(id="1e999", attributes='{"store_id":48213}'),
    "store": raw(attributes=f'{{"store_id":{"9" * 4000}}}'),
    "not a number": raw(attributes='{"store_id":48213,"total":NaN}'),
    "minus nothing": raw(id="-0", attributes='{"store_id":48213}'),
    "the name twice": raw(meta=',"event_name":"order_refunded"', attributes='{"store_id":48213}'),
}


@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE)
async def test_huge_numbers_do_no_harm(client: httpx2.AsyncClient, services: Services, body: bytes) -> None:
    status, _ = await post(client, body)
    assert status in (200, 400)
    [(outcome, stored)] = await kept(services)
    assert (outcome, stored) == (Outcome.MALFORMED if status == 400 else Outcome.IGNORED, body)


async def test_last_of_duplicate_fields_counts(client: httpx2.AsyncClient, database: Database, user: User) -> None:
    body = BODY.replace(b'"quantity":1', b'"quantity":500,"quantity":2')
    assert body != BODY
    assert await post(client, body) == (200, {"outcome": "applied"})
    assert await nets(database, user) == (2, 0)


async def test_known_event_without_data_is_refused_and_stored(client: httpx2.AsyncClient, services: Services) -> None:
    for event in Event:
        body = json.dumps({"meta": {"event_name": event}}).encode()
        assert (await post(client, body))[0] == 400
        assert (await kept(services))[0] == (Outcome.MALFORMED, body)


# -- odd values that do not matter -----------------------------------------------------------------------------------

REFERENCES: tuple[object, ...] = (None, True, 5, "", " ", "forged", "é", "a\0b", "x" * 65, "x\n", [], {})
NESTED: Any = {"checkout_ref": "forged"}
for _depth in range(100):
    NESTED = {"checkout_ref": NESTED, "list": [NESTED] if len(str(NESTED)) < 100 else []}
STRANGE: dict[str, tuple[object, ...]] = {
    "meta.webhook_id": (MISSING, None, True, 5, 1.5, "", "x" * 101, "a\0b", "\n", "é", [], ["x"], {}, NESTED),
    "meta.test_mode": (MISSING, None, 0, "", [], True, "yes", {"x": 1}),
    "meta.custom_data": (
        *(MISSING, None, True, 5, "text", "\0", [], ["checkout_ref"], {}, NESTED),
        *({"checkout_ref": reference} for reference in REFERENCES),
        *({name: "2"} for name in ("user_id", "userId", "user", "email", "id")),
    ),
    "meta.more": ("\0", NESTED, 10**400),
    "more": ("\0", NESTED),
    "data.type": (MISSING, None, "customers", 5, []),
    "data.attributes.more": ("\0", NESTED, INFINITE),
    "data.attributes.test_mode": (MISSING, None, True, "yes"),
    "data.attributes.user_name": (None, "\0", 5, NESTED),
    "data.attributes.first_order_item.price": (-1, "\0", None),
    "data.attributes.refunded_amount": (MISSING, None, 0),
}


@pytest.mark.parametrize("path", STRANGE)
async def test_irrelevant_fields_may_hold_anything(
    client: httpx2.AsyncClient, database: Database, new_user: NewUser, path: str
) -> None:
    buyer, other = await new_user(credits=0), await new_user(credits=0)
    store = shop()
    for number, value in enumerate(STRANGE[path], 1):
        _, (bought,) = store.buy(buyer.email, custom=None)
        assert await post(client, put(bought, path, value)) == (200, {"outcome": "applied"}), value
        assert await nets(database, buyer) == (number, 0), value
    assert await nets(database, other) == (0, 0)


UNKNOWN = {
    "an event": raw('"affiliate_activated"'),
    "no data": b'{"meta":{"event_name":"store_painted"}}',
    "data null": b'{"meta":{"event_name":"store_painted"},"data":null}',
    "data a list": b'{"meta":{"event_name":"store_painted"},"data":[{"id":1}]}',
    "data a string": b'{"meta":{"event_name":"store_painted"},"data":"x"}',
    "attributes null": raw('"store_painted"', "null"),
    "attributes a list": raw('"store_painted"', "[1]"),
    "a zero byte in the name": raw('"store\\u0000painted"'),
    "a line in the name": raw('"store\\npainted\\u001b[31m"'),
    "an emoji as the name": raw('"\\ud83c\\udfa8"'),
    "a long name": raw(f'"{"x" * 200}"'),
    "another case": raw('"ORDER_CREATED"', '{"store_id":48213}'),
    "a space": raw('"order_created "', '{"store_id":48213}'),
}


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN)
async def test_unknown_event_is_acknowledged_and_stored(client: httpx2.AsyncClient, services: Services, body: bytes) -> None:
    assert await post(client, body) == (200, {"outcome": "ignored"})
    [one] = await services.webhooks.listed(everything=True)
    assert (one.outcome, one.body) == (Outcome.IGNORED, body)
    assert one.event.isascii()
    assert one.event.isprintable()
    assert await services.webhooks.listed() == [], "it needs no attention"


# -- other stores and test mode --------------------------------------------------------------------------------------


@pytest.mark.parametrize("store_id", [1, "1", 482130, -48213, True, [48213], {"id": 48213}, "48213 ", 48213.5])
async def test_event_of_another_store_has_no_effect(
    client: httpx2.AsyncClient, services: Services, database: Database, user: User, store_id: object
) -> None:
    _, (bought,) = shop().buy(user.email, custom=None)
    assert await tell(client, changed(bought, store_id=store_id)) == ["ignored"]
    assert [outcome for outcome, _ in await kept(services)] == [Outcome.IGNORED]
    assert await nets(database, user) == (0, 0)


async def test_test_mode_has_no_effect_in_production(
    client: httpx2.AsyncClient, services: Services, database: Database, interviewer: ScriptedInterviewer, user: User
) -> None:
    _, tested = shop(test_mode=True).subscribe(user.email, PRO, custom=None)
    _, live = shop(first_id=2_000_000).subscribe(user.email, PREMIUM, custom=None)
    half = [changed(live[1], test_mode=True), changed(live[1], meta={"test_mode": True, "webhook_id": "half"})]
    async with site(services, interviewer, env=Environment.PRODUCTION):
        assert await tell(client, *tested, *half) == ["ignored"] * 6
        assert await nets(database, user) == (0, 0)
        assert len(await kept(services)) == 6, "recorded"
        assert await tell(client, *live[2:]) == ["waiting", "applied"]
        assert await nets(database, user) == (0, 20)
    _, again = shop(test_mode=True, first_id=3_000_000).subscribe(user.email, PRO, custom=None)
    assert await tell(client, *again) == ["applied"] * 4, "in development, test mode is how to try buying"


# -- the owner of a purchase -----------------------------------------------------------------------------------------


async def test_forged_checkout_data_moves_no_credits(client: httpx2.AsyncClient, database: Database, new_user: NewUser) -> None:
    payer, victim = await new_user(credits=0), await new_user(credits=0)
    carried = await issue_reference(database, victim)
    forged: dict[str, Any] = {"user_id": str(victim.id), "email": victim.email, "checkout_ref": "chk_2"}
    store = shop()
    assert await tell(client, *store.buy(payer.email, custom=forged)[1]) == ["applied"]
    assert await tell(client, *store.buy("nobody.here@example.com", custom=forged)[1]) == ["unresolved"]
    assert await tell(client, *store.buy(payer.email, custom={"checkout_ref": "CHK_1"})[1]) == ["applied"]
    assert (await nets(database, payer), await nets(database, victim)) == ((2, 0), (0, 0))
    assert await tell(client, *store.buy(payer.email, custom=carried)[1]) == ["applied"]
    assert (await nets(database, payer), await nets(database, victim)) == ((2, 0), (1, 0)), (
        "the user who opened the checkout gets it"
    )


async def test_known_purchase_stays_with_its_owner(client: httpx2.AsyncClient, database: Database, new_user: NewUser) -> None:
    owner, thief = await new_user(credits=0), await new_user(credits=0)
    store = shop()
    id, deliveries = store.subscribe(owner.email, PRO, custom=None)
    await tell(client, *deliveries)
    carried = await issue_reference(database, thief)
    renewed = [changed(one, meta={"custom_data": carried}, user_email=thief.email) for one in store.renew(id)]
    assert await tell(client, *renewed) == ["applied"] * 2
    assert (await nets(database, owner), await nets(database, thief)) == ((0, 20), (0, 0))


async def test_delivery_after_account_deletion_keeps_no_body(
    client: httpx2.AsyncClient, services: Services, database: Database, user: User
) -> None:
    store = shop()
    id, deliveries = store.subscribe(user.email, PRO, custom=await issue_reference(database, user))
    created, *rest = [one for one in deliveries if one.event != "order_created"]
    await tell(client, created, *store.cancel(id))
    await services.personal.erase(user.id, user.email)
    assert (
        await tell(client, *rest, *store.expire(id), *[one for one in deliveries if one.event == "order_created"])
        == ["ignored"] * 5
    )
    assert {body for _, body in await kept(services)} == {b""}, "it contained name and address"
    assert await services.webhooks.listed() == []


async def test_unresolved_delivery_of_a_deleted_account_is_closed(
    client: httpx2.AsyncClient, services: Services, database: Database, user: User
) -> None:
    """A delivery with an unknown variant waits for the operator until its account is deleted."""
    _, (_, created, _, _) = shop().subscribe(user.email, PRO, custom=None)
    assert await tell(client, changed(created, variant_id=77, status="expired")) == ["unresolved"]
    assert len(await services.webhooks.listed()) == 1
    await services.personal.erase(user.id, user.email)
    assert await services.webhooks.listed() == []
    assert {outcome for outcome, _ in await kept(services)} == {Outcome.IGNORED}


# -- an order that arrives in parts ----------------------------------------------------------------------------------


async def test_order_is_worth_its_first_body_with_an_item(client: httpx2.AsyncClient, database: Database, user: User) -> None:
    _, (bought,) = shop().buy(user.email, custom=None, quantity=3)
    bare = changed(bought, meta={"webhook_id": "bare"}, first_order_item=None)
    assert await tell(client, bare, bought) == ["unresolved", "applied"]
    assert await nets(database, user) == (3, 0)


# -- repeated deliveries ---------------------------------------------------------------------------------------------


async def test_repeated_old_delivery_changes_nothing(
    client: httpx2.AsyncClient, services: Services, database: Database, user: User
) -> None:
    store = shop()
    order, deliveries = store.buy(user.email, custom=None, quantity=2)
    id, more = store.subscribe(user.email, PRO, custom=None)
    deliveries += more + store.renew(id) + store.change_variant(id, PREMIUM) + store.refund_order(order)
    deliveries += store.refund_invoice(store.invoices_of(id)[1]) + store.cancel(id)
    await tell(client, *deliveries)
    expected = (await nets(database, user), await rows(database), (await services.plans.account(user.id)).plan)
    assert expected[0] == (0, 20)
    assert expected[2].status == "cancelled"

    async def unchanged() -> bool:
        return (await nets(database, user), await rows(database), (await services.plans.account(user.id)).plan) == expected

    for old in deliveries:
        await tell(client, old)
        assert await unchanged(), old.event
    for old in deliveries:
        async with database.transaction() as session:
            await session.execute(delete(ProcessedWebhook))
        await tell(client, old)
        assert await unchanged(), f"{old.event}, with its row gone"


# -- our own failures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["buy", "subscribe", "refund"])
async def test_failure_at_any_statement_is_retried_and_applied_once(
    client: httpx2.AsyncClient, services: Services, database: Database, user: User, kind: str
) -> None:
    store = shop()
    expected, failures = (0, 0), 0
    for after in range(60):
        if kind == "buy":
            _, (delivery,) = store.buy(user.email, custom=None)
            expected = (expected[0] + 1, 0)
        elif kind == "subscribe":
            _, (_, delivery, _, _) = store.subscribe(user.email, PRO, custom=None)
            expected = (0, expected[1] + 10)
        else:
            id, deliveries = store.subscribe(user.email, PRO, custom=None)
            await tell(client, *deliveries)
            [delivery] = store.refund_order(str(store.subscriptions[id]["attributes"]["order_id"]))
        with crashing(database, after):
            status, document = await post(client, delivery.body)
        if status == 200:
            break
        failures += 1
        assert (status, document) == (500, {"error": "Something went wrong on our side. Please try again."})
        assert await kept_as(services, delivery) is Outcome.FAILED, "the operator can see it"
        assert await tell(client, delivery) == ["applied"]
        assert await kept_as(services, delivery) is Outcome.APPLIED
        assert await nets(database, user) == expected, after
    assert failures >= 6, "each statement, and the commit"
    assert status == 200, "there were no more statements"
    assert await nets(database, user) == expected


async def kept_as(services: Services, delivery: Delivery) -> Outcome | None:
    return next((one.outcome for one in await services.webhooks.listed(everything=True) if one.body == delivery.body), None)


async def test_without_a_database_the_sender_is_asked_to_retry(
    client: httpx2.AsyncClient, services: Services, database: Database, interviewer: ScriptedInterviewer, user: User
) -> None:
    lost = wiring.build(
        services.settings,
        database=Database("postgresql://nobody@127.0.0.1:1/nothing"),
        interviewer=interviewer,
        mailer=Outbox(),
    )
    wiring.use(lost)
    answer = await client.post(PATH, content=BODY, headers={"X-Signature": RIGHT})
    assert (answer.status_code, set(answer.json())) == (503, {"error"})
    assert int(answer.headers["retry-after"]) > 0
    wiring.use(services)
    await lost.close()
    assert await post(client, BODY) == (200, {"outcome": "applied"})
    assert await nets(database, user) == (1, 0)


@pytest.mark.parametrize("given", [RIGHT, "", signature(BODY, "\0")])
async def test_without_a_secret_every_delivery_is_refused(
    client: httpx2.AsyncClient, services: Services, interviewer: ScriptedInterviewer, given: str
) -> None:
    async with site(services, interviewer, lemon_webhook_secret=None):
        answer = await client.post(PATH, content=BODY, headers={"X-Signature": given})
    assert (answer.status_code, set(answer.json())) == (503, {"error"})
    assert int(answer.headers["retry-after"]) > 0
    assert await kept(services) == []


# -- the route -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_wrong_method_gets_405(client: httpx2.AsyncClient, services: Services, method: str) -> None:
    answer = await client.request(method, PATH, headers={"X-Signature": RIGHT})
    assert (answer.status_code, answer.json()) == (405, {"error": "Method not allowed"})
    assert await kept(services) == []
