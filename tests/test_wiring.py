"""Settings, and the adapters that they select."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr, ValidationError

from interviewer.billing.catalogue import Product
from interviewer.errors import StartupError
from interviewer.grading.interviewer import BuiltinInterviewer
from interviewer.interviews.openai_client import OpenAIInterviewer
from interviewer.settings import Environment, Settings, explain
from interviewer.wiring import build, choose_catalogue, choose_interviewer, choose_payments, running, use


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


async def test_built_in_interviewer_is_the_default() -> None:
    assert isinstance(choose_interviewer(settings()), BuiltinInterviewer)


@pytest.mark.parametrize("given", [{"openai_api_key": "sk-x"}, {"openai_base_url": "http://localhost:1/v1"}])
async def test_key_or_address_selects_model_without_fallback(given: dict[str, str]) -> None:
    chosen = choose_interviewer(settings(**given, openai_model="mine"))
    assert isinstance(chosen, OpenAIInterviewer)
    assert (chosen.name, chosen.model) == ("openai", "mine")
    await chosen.close()


async def test_outbox_is_missing_in_production() -> None:
    for environment, visible in ((Environment.DEVELOPMENT, True), (Environment.PRODUCTION, False)):
        services = build(settings(env=environment, database_url="postgresql://h/x"))
        assert (services.outbox is not None) is visible
        await services.close()


def test_services_need_a_database() -> None:
    with pytest.raises(StartupError, match="DATABASE_URL"):
        build(settings())


def test_addresses_are_normalized() -> None:
    made = settings(frontend_url="https://x.example", allowed_origins="https://a.example/, https://b.example", port=8080)
    assert made.site_url == "https://x.example/"
    assert made.allowed_origins == ("https://a.example", "https://b.example")
    assert settings(port=8080).site_url == "http://localhost:8080/"


def test_explanation_names_setting_but_not_its_value() -> None:
    with pytest.raises(ValidationError) as caught:
        settings(database_url=SecretStr("mysql://user:secret@h/x"))
    assert "DATABASE_URL" in explain(caught.value)
    assert "secret" not in explain(caught.value)


STRONG = "k3J9x-0aQz7Lm2Wv8Rt5Yp1Bn4Cd6Ef"


@pytest.mark.parametrize(
    "secret",
    ["short", "x" * 64, "change-me-change-me-change-me-0123456789", "your-secret-key-0123456789-abcdefghij", STRONG[:31]],
)
def test_guessable_secret_is_refused_without_quoting_it(secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(jwt_secret=SecretStr(secret))
    assert "JWT_SECRET" in explain(caught.value)
    assert secret not in explain(caught.value)


def test_production_names_every_missing_setting() -> None:
    bare = settings(env=Environment.PRODUCTION)
    assert [gap.partition(",")[0].split()[0] for gap in bare.production_gaps] == ["FRONTEND_URL", "RESEND_API_KEY", "JWT_SECRET"]
    whole = {"frontend_url": "https://x.example", "resend_api_key": "re_x", "jwt_secret": STRONG + "x"}
    assert settings(env=Environment.PRODUCTION, **whole).production_gaps == ()
    assert "GITHUB_CLIENT_SECRET" in settings(env=Environment.PRODUCTION, **whole, github_client_id="x").production_gaps[0]


async def test_github_and_limits_exist_only_when_configured() -> None:
    given = {"database_url": "postgresql://h/x", "github_client_id": "x", "github_client_secret": "y"}
    with_both = build(settings(**given))
    without = build(settings(database_url="postgresql://h/x", rate_limits="off"))
    assert (with_both.github.configured, len(with_both.outside)) == (True, 2)
    assert (without.github.configured, len(without.outside)) == (False, 0)
    await with_both.close()
    await without.close()


def test_valkey_url_becomes_redis_url() -> None:
    made = settings(redis_url="valkey://localhost:6379/1")
    assert made.redis_url is not None
    assert made.redis_url.get_secret_value() == "redis://localhost:6379/1"
    with pytest.raises(ValidationError):
        settings(redis_url="http://localhost")


# -- payments --------------------------------------------------------------------------------------------------------

LEMON = {
    "lemon_api_key": SecretStr("lemon-confidential-key"),
    "lemon_store_id": "48213",
    "lemon_webhook_secret": SecretStr("k3J9x-0aQz"),
    "lemon_variant_id_individual": "1",
    "lemon_variant_id_pro": "2",
    "lemon_variant_id_premium": "3",
}
NEEDED = [name for name in LEMON if name != "lemon_api_key"]


@pytest.mark.parametrize(
    "secret",
    ["", "x7Kq2", " \t  x7 ", "aaaaaaaaaaaa", "changeme", "CHANGE-ME-0815", "your_secret_here", "password123", "an example"],
)
def test_guessable_webhook_secret_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(lemon_webhook_secret=SecretStr(secret))
    message = explain(caught.value)
    assert "LEMON_WEBHOOK_SECRET: " in message
    assert "openssl rand" in message
    assert not secret.strip() or secret not in message


@pytest.mark.parametrize("secret", ["x7Kq2z", "fixture-signing-secret-0001", "0123456789abcdef0123456789abcdef01234567"])
def test_valid_webhook_secret_is_accepted(secret: str) -> None:
    made = settings(lemon_webhook_secret=SecretStr(secret))
    assert made.lemon_webhook_secret is not None
    assert made.lemon_webhook_secret.get_secret_value() == secret


@pytest.mark.parametrize("name", [name for name in LEMON if name.endswith(("id", "individual", "pro", "premium"))])
@pytest.mark.parametrize("value", ["pro", "12a", "-1", "1.0", " 5", "\N{SUPERSCRIPT TWO}", "#5"])
def test_invalid_lemon_squeezy_id_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**{name: value})
    assert explain(caught.value).startswith(f"These settings are invalid: {name.upper()}: ")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("lemon_variant_id_pro", "lemon_variant_id_individual"),
        ("lemon_variant_id_premium", "lemon_variant_id_individual"),
        ("lemon_variant_id_premium", "lemon_variant_id_pro"),
    ],
)
def test_one_variant_cannot_sell_two_products(name: str, other: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**LEMON | {name: LEMON[other]})
    assert f"{name.upper()}: " in explain(caught.value)
    assert settings(**LEMON).payment_gaps == ()


@pytest.mark.parametrize("url", ["api.lemonsqueezy.com", "ftp://x", "https://x:99999", "https://api.lemonsqueezy.com/v1", ""])
def test_unusable_lemon_api_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(lemon_api_url=url)
    assert "LEMON_API_URL" in explain(caught.value)


@pytest.mark.parametrize("name", NEEDED)
def test_production_names_settings_missing_next_to_api_key(name: str) -> None:
    whole = {
        "env": Environment.PRODUCTION,
        "frontend_url": "https://x.example",
        "resend_api_key": "re_x",
        "jwt_secret": STRONG + "x",
    }
    without = {key: value for key, value in LEMON.items() if key != name}
    made = settings(**whole, **without)
    assert made.production_gaps == (f"{name.upper()}, because LEMON_API_KEY is set",)
    assert made.payment_gaps == (name.upper(),)
    assert settings(**whole, **LEMON).production_gaps == ()
    # Without the API key, nothing is sold, so no setting is missing.
    assert settings(**whole).production_gaps == ()


def test_development_starts_without_payment_settings() -> None:
    made = settings(lemon_api_key="x")
    assert made.production_gaps == ()
    assert made.payment_gaps == tuple(name.upper() for name in NEEDED)
    assert settings().payment_gaps == tuple(name.upper() for name in LEMON)


async def test_catalogue_lists_configured_variants() -> None:
    assert choose_payments(settings()) is None
    payments = choose_payments(settings(**LEMON))
    assert payments is not None
    await payments.close()
    catalogue = choose_catalogue(settings(**LEMON))
    assert [catalogue.product(variant) for variant in ("1", "2", "3", "4", "", None)] == [*Product, None, None, None]
    assert (catalogue.store_id, catalogue.live_only) == ("48213", False)
    assert choose_catalogue(settings(**LEMON, env=Environment.PRODUCTION)).live_only
    assert choose_catalogue(settings()).product("") is None, "what is not configured is not for sale"


async def test_running_site_gets_news_and_leaves_no_tasks(database_url: str) -> None:
    services = build(settings(database_url=database_url, rate_limits="off"))
    use(services)
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(services.notifier.wait(7, 30))
    async with running() as current:
        assert current is services
        assert await waiting
        assert asyncio.all_tasks() > before
    assert asyncio.all_tasks() == before


FORMER = "1103200:pro:14.99, 1103201:premium,1103202:individual:5"


def test_former_variants_are_parsed_with_prices() -> None:
    made = settings(**LEMON, lemon_former_variants=FORMER)
    assert made.lemon_former_variants == (("1103200", "pro", 1499), ("1103201", "premium", None), ("1103202", "individual", 500))
    catalogue = choose_catalogue(made)
    assert [catalogue.product(id) for id in ("1103200", "1103201", "1103202", "1103203")] == [
        Product.PRO,
        Product.PREMIUM,
        Product.INDIVIDUAL,
        None,
    ]
    assert [catalogue.plan_priced(cents) for cents in (1499, 1999, 2999, 500)] == [
        Product.PRO,
        Product.PRO,
        Product.PREMIUM,
        None,
    ]
    again = choose_catalogue(settings(**LEMON, lemon_former_variants="3:premium:19.99"))
    assert again.plan_priced(1999) is None, "two plans cost this or used to"


@pytest.mark.parametrize(
    "value", ["1103200", "1103200:gold", "x:pro", "1103200:pro:free", "1103200:pro:14.9", "9:pro,9:premium", "2:premium", "9;pro"]
)
def test_invalid_former_variants_are_refused(value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**LEMON, lemon_former_variants=value)
    assert explain(caught.value).startswith("These settings are invalid: LEMON_FORMER_VARIANTS")
