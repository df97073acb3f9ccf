"""The interviewer that the banner of `interviewer run` names."""

from __future__ import annotations

import pytest

from interviewer.cli.running import interviewer_in_use
from interviewer.settings import Settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "built in: question bank, no language model (neither OPENAI_API_KEY nor OPENAI_BASE_URL is set)"),
        ({"openai_api_key": "sk-secret"}, "gpt-5.4-mini at https://api.openai.com/v1"),
        ({"openai_base_url": "http://localhost:11434/v1", "openai_model": "qwen3"}, "qwen3 at http://localhost:11434/v1"),
        ({"openai_base_url": "https://u:secret@host/v1?key=secret", "openai_model": "m"}, "m at https://host/v1"),
    ],
)
def test_banner_names_the_interviewer(given: dict[str, str], expected: str) -> None:
    assert interviewer_in_use(Settings(_env_file=None, **given)) == expected  # type: ignore[arg-type]
