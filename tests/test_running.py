"""The interviewer that `interviewer run` chooses and its banner names."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from interviewer.cli.local_models import LocalModel, choose_local_model, find_local_model
from interviewer.cli.running import interviewer_in_use
from interviewer.settings import Environment, Settings, get_settings
from tests.support import openai_server


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "built in: question bank, no language model (neither OPENAI_API_KEY nor OPENAI_BASE_URL is set)"),
        ({"openai_api_key": "sk-secret"}, "gpt-5.4-mini at https://api.openai.com/v1"),
        ({"openai_base_url": "http://localhost:11434/v1", "openai_model": "qwen3"}, "qwen3 at http://localhost:11434/v1"),
        ({"interviewer": "builtin", "openai_api_key": "k"}, "built in: question bank, no language model (INTERVIEWER=builtin)"),
        ({"openai_base_url": "https://u:secret@host/v1?key=secret", "openai_model": "m"}, "m at https://host/v1"),
    ],
)
def test_banner_names_the_interviewer(given: dict[str, str], expected: str) -> None:
    assert interviewer_in_use(Settings(_env_file=None, **given)) == expected  # type: ignore[arg-type]


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def test_local_model_is_found_by_its_list_alone() -> None:
    behavior = openai_server.Behavior(models=["nomic-embed-text", "qwen3"])
    with openai_server.running(behavior) as url:
        ports = {"Ollama": 9, "LM Studio": port_of(url)}
        model = find_local_model(ports)
    assert model is not None
    assert (model.server, model.name) == ("LM Studio", "qwen3")
    assert model.command == f"OPENAI_BASE_URL={model.base_url} OPENAI_MODEL=qwen3 make run"
    assert behavior.requests == []
    assert find_local_model(ports) is None


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the settings that choosing a model sets."""
    for name in ("OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.setenv(name, "")
    yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("environment")
def test_local_model_is_chosen_by_one_question() -> None:
    behavior = openai_server.Behavior(models=["qwen3"])
    with openai_server.running(behavior) as url:
        model = LocalModel("Ollama", "qwen3", url)
        chosen, decided = choose_local_model(Settings(_env_file=None), model)
        assert (chosen.openai_base_url, chosen.openai_model, len(behavior.requests)) == (url, "qwen3", 1)
        assert decided.startswith(f"qwen3 at {url} (Ollama)")
        behavior.faults = ["401"]
        kept, decided = choose_local_model(Settings(_env_file=None), model)
    assert "401" in decided
    assert decided.startswith("built in, because qwen3 (Ollama) could not ask a question")
    assert kept == Settings(_env_file=None)


def test_local_models_are_ignored_in_production() -> None:
    gaps = Settings(_env_file=None, env=Environment.PRODUCTION, interviewer="auto").production_gaps
    assert any("INTERVIEWER=auto" in gap for gap in gaps)
