"""Find language models that run on this machine, and try one at startup if the operator asks for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from interviewer.errors import InterviewerError
from interviewer.settings import Settings, get_settings

# The ports on which these servers listen by default.
PORTS: Mapping[str, int] = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080}
# Of all look-ups together.
SECONDS = 0.3
_NOT_FOR_CHAT = ("embed", "rerank", "whisper", "tts", "bge-")
_TOPIC = 6


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model that a server on this machine lists."""

    server: str
    name: str
    base_url: str

    @property
    def settings(self) -> dict[str, str]:
        """The settings that choose it."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_MODEL": self.name}

    @property
    def command(self) -> str:
        """The line that starts the site with it."""
        return f"{' '.join(f'{name}={value}' for name, value in self.settings.items())} make run"


def find_local_model(ports: Mapping[str, int] = PORTS) -> LocalModel | None:
    """Return the first model that a server on this machine lists, or None. Takes at most SECONDS.

    Nothing is sent but requests for the lists.
    """
    return asyncio.run(_found(ports))


async def _found(ports: Mapping[str, int]) -> LocalModel | None:
    # Without proxies: nothing about this machine may be asked elsewhere.
    async with httpx2.AsyncClient(trust_env=False, timeout=SECONDS) as client:
        asking = [asyncio.create_task(_listed(client, server, port)) for server, port in ports.items()]
        done, late = await asyncio.wait(asking, timeout=SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    return next((model for task in asking if task in done and (model := task.result()) is not None), None)


async def _listed(client: httpx2.AsyncClient, server: str, port: int) -> LocalModel | None:
    from interviewer.interviews.model_server.server import model_names

    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        response = await client.get(f"{base_url}/models")
        names = model_names(response.content) if response.is_success else []
    except (httpx2.HTTPError, InterviewerError):
        return None
    fitting = (name for name in names if name and not any(word in name.lower() for word in _NOT_FOR_CHAT))
    return next((LocalModel(server, name, base_url) for name in fitting), None)


def choose_local_model(settings: Settings, model: LocalModel) -> tuple[Settings, str]:
    """Try a model by one question. Returns the settings to start with and what was decided, as a sentence for the operator."""
    chosen = settings.model_copy(update={"openai_base_url": model.base_url, "openai_model": model.name})
    try:
        asyncio.run(_ask_once(chosen))
    except InterviewerError as error:
        reason = error.reason or type(error).__name__
        return settings, f"built in, because {model.name} ({model.server}) could not ask a question: {reason}"
    os.environ.update(model.settings)
    get_settings.cache_clear()
    return chosen, f"{model.name} at {model.base_url} ({model.server}), which asked a question (INTERVIEWER=auto)"


async def _ask_once(settings: Settings) -> None:
    from interviewer import wiring
    from interviewer.interviews import replies
    from interviewer.interviews.interviewer import QuestionBrief

    interviewer = wiring.choose_interviewer(settings)
    try:
        await replies.ask(interviewer, QuestionBrief(_TOPIC, 1, must_be_code=False), lambda _event: None)
    finally:
        await interviewer.close()
