"""Whether there is a language model to ask: one that sees images and runs on the server itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from sluicegate_consumer.operations.settings import OllamaSettings

ANSWER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A vision language model and the server that has it."""

    url: str
    name: str


async def find_language_model(url: str) -> LanguageModel | str:
    """The model that a server would be asked with: the default one, or else the first that can be used.

    Returns:
        The model, or why there is none.
    """
    try:
        # Without the environment's proxies: nothing of this may go anywhere else.
        async with httpx.AsyncClient(base_url=url, timeout=ANSWER_TIMEOUT_S, trust_env=False) as client:
            tags = await _answer(client, "GET", "/api/tags")
            for name in _candidates(tags):
                if is_usable(name, await _answer(client, "POST", "/api/show", {"model": name})):
                    return LanguageModel(url, name)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return f"Ollama does not answer at {url} ({type(error).__name__})"
    return f"Ollama at {url} has no vision language model that runs on it (try: ollama pull {OllamaSettings().model})"


def is_usable(name: str, shown: Mapping[str, Any]) -> bool:
    """Whether a model, as `/api/show` describes it, sees images and is not one of the cloud's."""
    return (
        not name.endswith("-cloud") and not shown.get("remote_host") and "vision" in (shown.get("capabilities") or ())
    )


def _candidates(tags: Mapping[str, Any]) -> Sequence[str]:
    """The server's models, those of the default's name first."""
    names = [str(model["name"]) for model in tags.get("models") or () if isinstance(model, dict) and "name" in model]
    return sorted(names, key=lambda name: name.partition(":")[0] != OllamaSettings().model)


async def _answer(client: httpx.AsyncClient, method: str, path: str, body: object = None) -> Mapping[str, Any]:
    answer = (await client.request(method, path, json=body)).raise_for_status().json()
    if not isinstance(answer, dict):
        raise ValueError(f"{path}: an object was expected")  # noqa: TRY004 - whatever it is, it is no answer of Ollama
    return answer
