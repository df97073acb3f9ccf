"""Settings, and which adapters they choose."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from interviewer.adapters.builtin.interviewer import BuiltinInterviewer
from interviewer.adapters.openai import OpenAIInterviewer
from interviewer.errors import StartupError
from interviewer.settings import Environment, Settings, explain
from interviewer.wiring import build, choose_interviewer


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


async def test_without_key_and_address_the_built_in_interviewer_asks() -> None:
    assert isinstance(choose_interviewer(settings()), BuiltinInterviewer)


@pytest.mark.parametrize("given", [{"openai_api_key": "sk-x"}, {"openai_base_url": "http://localhost:1/v1"}])
async def test_a_key_or_an_address_chooses_the_model_and_nothing_steps_in_for_it(given: dict[str, str]) -> None:
    chosen = choose_interviewer(settings(**given, openai_model="mine"))
    assert isinstance(chosen, OpenAIInterviewer)
    assert (chosen.name, chosen.model) == ("openai", "mine")
    await chosen.close()


async def test_the_outbox_page_has_nothing_to_show_in_production() -> None:
    for environment, visible in ((Environment.DEVELOPMENT, True), (Environment.PRODUCTION, False)):
        services = build(settings(env=environment, database_url="postgresql://h/x"))
        assert (services.outbox is not None) is visible
        await services.close()


def test_services_need_a_database() -> None:
    with pytest.raises(StartupError, match="DATABASE_URL"):
        build(settings())


def test_addresses_are_brought_into_form() -> None:
    made = settings(frontend_url="https://x.example", allowed_origins="https://a.example/, https://b.example", port=8080)
    assert made.site_url == "https://x.example/"
    assert made.allowed_origins == ("https://a.example", "https://b.example")
    assert settings(port=8080).site_url == "http://localhost:8080/"


def test_an_explanation_names_the_setting_and_not_its_value() -> None:
    with pytest.raises(ValidationError) as caught:
        settings(database_url=SecretStr("mysql://user:secret@h/x"))
    assert "DATABASE_URL" in explain(caught.value)
    assert "secret" not in explain(caught.value)


STRONG = "k3J9x-0aQz7Lm2Wv8Rt5Yp1Bn4Cd6Ef"


@pytest.mark.parametrize(
    "secret",
    ["short", "x" * 64, "change-me-change-me-change-me-0123456789", "your-secret-key-0123456789-abcdefghij", STRONG[:31]],
)
def test_a_secret_that_can_be_guessed_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(jwt_secret=SecretStr(secret))
    assert "JWT_SECRET" in explain(caught.value)
    assert secret not in explain(caught.value)


def test_production_names_every_gap() -> None:
    bare = settings(env=Environment.PRODUCTION)
    assert [gap.partition(",")[0].split()[0] for gap in bare.production_gaps] == ["FRONTEND_URL", "RESEND_API_KEY", "JWT_SECRET"]
    whole = {"frontend_url": "https://x.example", "resend_api_key": "re_x", "jwt_secret": STRONG + "x"}
    assert settings(env=Environment.PRODUCTION, **whole).production_gaps == ()
    assert "GITHUB_CLIENT_SECRET" in settings(env=Environment.PRODUCTION, **whole, github_client_id="x").production_gaps[0]


async def test_github_and_limits_are_there_when_they_are_configured() -> None:
    given = {"database_url": "postgresql://h/x", "github_client_id": "x", "github_client_secret": "y"}
    with_both = build(settings(**given))
    without = build(settings(database_url="postgresql://h/x", rate_limits="off"))
    assert (with_both.github.configured, len(with_both.outside)) == (True, 2)
    assert (without.github.configured, len(without.outside)) == (False, 0)
    await with_both.close()
    await without.close()


def test_valkey_is_named_as_the_client_knows_it() -> None:
    made = settings(redis_url="valkey://localhost:6379/1")
    assert made.redis_url is not None
    assert made.redis_url.get_secret_value() == "redis://localhost:6379/1"
    with pytest.raises(ValidationError):
        settings(redis_url="http://localhost")
