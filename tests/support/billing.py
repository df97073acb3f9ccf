"""Shared by the billing tests: a configured store, signed webhook deliveries, and checks of the resulting balances."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from interviewer.billing.catalogue import Catalogue, Product
from interviewer.billing.tables import CheckoutReference
from interviewer.billing.webhook_outcomes import Outcome
from interviewer.billing.webhooks import Webhooks
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import Balances
from tests.support.lemon_store import Delivery, Store

STORE = "48213"
INDIVIDUAL, PRO, PREMIUM = "1103390", "1103301", "1103302"
SAMPLES = Path(__file__).parent.parent / "samples" / "lemonsqueezy"
SIGNATURES = json.loads((SAMPLES / "_signatures.json").read_text())
SECRET: str = SIGNATURES["secret"]
CATALOGUE = Catalogue({Product.INDIVIDUAL: INDIVIDUAL, Product.PRO: PRO, Product.PREMIUM: PREMIUM}, STORE)
SETTINGS: dict[str, Any] = {
    "lemon_api_key": SecretStr("lemon-confidential-key"),
    "lemon_store_id": STORE,
    "lemon_webhook_secret": SecretStr(SECRET),
    "lemon_variant_id_individual": INDIVIDUAL,
    "lemon_variant_id_pro": PRO,
    "lemon_variant_id_premium": PREMIUM,
}


def samples() -> dict[str, Delivery]:
    """Return the sample deliveries as a dict keyed by file name, in order."""
    return {
        path.name: Delivery(SIGNATURES["files"][path.name]["X-Event-Name"], path.read_bytes())
        for path in sorted(SAMPLES.glob("[0-9]*.json"))
    }


def signature(body: bytes, secret: str = SECRET) -> str:
    """Return the webhook signature of a body, computed independently of the code under test."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def event(name: str, kind: str, id: object, attributes: dict[str, Any], **meta: Any) -> bytes:
    """Return the JSON body of a custom webhook event from the configured store."""
    document = {
        "meta": {"event_name": name, "test_mode": False, **meta},
        "data": {"type": kind, "id": id, "attributes": {"store_id": int(STORE), **attributes}},
    }
    return json.dumps(document).encode()


def changed(delivery: Delivery, *, meta: dict[str, Any] | None = None, **attributes: Any) -> Delivery:
    """Return a copy of a delivery with changed attributes or metadata."""
    document = json.loads(delivery.body)
    document["meta"] |= meta or {}
    document["data"]["attributes"] |= attributes
    return Delivery(delivery.event, json.dumps(document).encode())


async def send(webhooks: Webhooks, *deliveries: Delivery) -> list[Outcome]:
    """Deliver the webhooks one after the other, and return their outcomes."""
    return [await webhooks.receive(one.body, signature(one.body)) for one in deliveries]


async def issue_reference(database: Database, user: User, word: str = "chk_1") -> dict[str, str]:
    """Store the checkout reference `word` for a user, and return the custom data that carries it in a webhook."""
    async with database.transaction() as session:
        session.add(CheckoutReference(reference=word, user_id=user.id, product=Product.PRO.value))
    return {"checkout_ref": word}


async def balances(database: Database, user: User) -> Balances:
    """Return a user's balances, after asserting that they match the ledger."""
    async with database.transaction() as session:
        fresh = await session.get(User, user.id)
        assert fresh is not None
        assert not await ledger.discrepancies(session, [user.id])
        return await ledger.balances(session, fresh)


async def nets(database: Database, user: User) -> tuple[int, int]:
    """Return individual and subscription credits, each minus its debt."""
    found = await balances(database, user)
    return found.individual - found.individual_debt, found.subscription - found.subscription_debt


def shop(**options: Any) -> Store:
    """Return a store that sells the configured variants."""
    return Store(store_id=STORE, individual=INDIVIDUAL, pro=PRO, premium=PREMIUM, **options)
