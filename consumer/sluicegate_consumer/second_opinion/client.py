"""One Ollama server, and every way in which it fails to answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from ollama import AsyncClient, GenerateResponse, ResponseError

from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence, failure_of_status
from sluicegate_consumer.second_opinion.prompt import Prompt
from sluicegate_consumer.second_opinion.score import Alternative, Token

CONNECT_S = 5.0
"""A server of one's own network that takes longer to accept a connection is not there."""
INQUIRY_S = 10.0
"""For requests that involve no model."""
TOP_LOGPROBS = 20
"""Alternatives at each token; the API gives no more."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said, as far as it matters here."""

    text: str
    thought: bool
    """Whether there was text in `thinking`, though it was asked not to think."""
    done_reason: str | None
    prompt_tokens: int | None
    tokens: tuple[Token, ...]


class OllamaServer:
    """Asks one server. An async context manager: it keeps connections.

    Every method raises `AskFailed`. No other host is ever asked: redirects are not followed, proxies of the
    environment not used.
    """

    def __init__(self, url: str, settings: OllamaSettings) -> None:
        self._settings = settings
        # The longest of all; each request has its own limit around it.
        timeout = httpx.Timeout(max(settings.timeout_s, settings.deadline_s, INQUIRY_S), connect=CONNECT_S)
        self._ollama = AsyncClient(url, timeout=timeout, trust_env=False, follow_redirects=False)
        # The package's own `show` and `list` drop the fields that tell a model of the cloud.
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False, follow_redirects=False)
        self.name = urlsplit(url).netloc.rpartition("@")[2]
        """Host and port, for logs."""

    async def ask(
        self, prompt: Prompt, jpeg: bytes, *, timeout_s: float | None = None, num_predict: int | None = None
    ) -> Reply:
        """One question about one image.

        Args:
            prompt: of the image's policy.
            jpeg: the image.
            timeout_s: seconds that it may take; None: as the settings have it.
            num_predict: tokens of the answer; None: as the settings have it.
        """
        settings = self._settings
        response = await self._generate(
            timeout_s or settings.timeout_s,
            prompt=prompt.user,
            system=prompt.system,
            images=[jpeg],
            think=False,
            format=dict(prompt.schema),
            logprobs=True,
            top_logprobs=TOP_LOGPROBS,
            options={
                "temperature": 0,
                "seed": SEED,
                "num_ctx": settings.num_ctx,
                "num_predict": num_predict or settings.num_predict,
            },
        )
        return Reply(
            text=response.response or "",
            thought=bool(response.thinking),
            done_reason=response.done_reason,
            prompt_tokens=response.prompt_eval_count,
            tokens=_tokens(response),
        )

    async def load(self) -> None:
        """Have the model loaded, with the context that questions will have; a first time may take minutes."""
        await self._generate(self._settings.deadline_s, options={"num_ctx": self._settings.num_ctx})

    async def show(self) -> Mapping[str, Any]:
        """What the server knows of the model."""
        return await self._inquire("POST", "/api/show", {"model": self._settings.model})

    async def tags(self) -> Mapping[str, Any]:
        """The models that the server has."""
        return await self._inquire("GET", "/api/tags")

    async def version(self) -> str:
        """Of the server."""
        return str((await self._inquire("GET", "/api/version")).get("version"))

    async def _generate(self, timeout_s: float, **request: Any) -> GenerateResponse:
        try:
            # Around the HTTP client's own, which starts anew with every byte.
            async with asyncio.timeout(timeout_s):
                response: GenerateResponse = await self._ollama.generate(
                    self._settings.model, keep_alive=keep_alive(self._settings.keep_alive), **request
                )
        # A caller's cancellation is no Exception and passes through.
        except ResponseError as error:
            raise failure_of_status(error.status_code, str(error.error)) from None
        except Exception as error:
            raise _failure(error) from error
        return response

    async def _inquire(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(INQUIRY_S):
                response = await self._http.request(method, path, json=body)
            found = response.json() if response.is_success else {}
        except Exception as error:
            raise _failure(error) from error
        if not response.is_success:
            raise failure_of_status(response.status_code, response.text)
        if not isinstance(found, dict):
            raise AskFailed(Consequence.SUSPECT, "malformed_response")
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await self._ollama.close()  # type: ignore[no-untyped-call] # the package's own
        await self._http.aclose()


def keep_alive(text: str) -> float | str:
    """As the API takes it: a number of seconds, negative for ever, or a text with a unit, never a number as text."""
    try:
        return float(text)
    except ValueError:
        return text


def _tokens(response: GenerateResponse) -> tuple[Token, ...]:
    return tuple(
        Token(
            entry.token,
            entry.logprob,
            tuple(Alternative(other.token, other.logprob) for other in entry.top_logprobs or ()),
        )
        for entry in response.logprobs or ()
    )


def _failure(error: Exception) -> AskFailed:
    """What an exception of the HTTP client, or of reading what it brought, means."""
    match error:
        # The package turns httpx's ConnectError into Python's own.
        case ConnectionError() | httpx.ConnectError():
            return AskFailed(Consequence.AWAY, "refused")
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return AskFailed(Consequence.AWAY, "unreachable")
        case TimeoutError() | httpx.TimeoutException():
            return AskFailed(Consequence.SUSPECT, "timeout")
        # A body that is no JSON, JSON of another shape, or not packed as its header says; the error's text may quote
        # the model's, so it is not kept.
        case ValueError() | TypeError() | AttributeError() | RecursionError() | httpx.DecodingError():
            return AskFailed(Consequence.SUSPECT, "malformed_response", type(error).__name__)
        # Whatever else can go wrong with a request: one server's failure must not end the service.
        case httpx.RequestError():
            return AskFailed(Consequence.SUSPECT, "connection_lost", type(error).__name__)
        case _:
            raise error
