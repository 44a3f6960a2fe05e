"""Whether a server may be asked at all: looked at before its first question, and again whenever it was away."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.client import OllamaServer
from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence
from sluicegate_consumer.second_opinion.prompt import Prompt
from sluicegate_consumer.second_opinion.prompt_budget import (
    Measured,
    PromptBudget,
    needed_num_ctx,
    was_cut,
)

SMALLEST_EDGE = 32
"""Pixels. Below, Qwen's runners panic."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a server that may be asked."""

    digest: str
    """Of the model, `sha256:` and 64 hexadecimal digits."""
    budgets: Mapping[str, PromptBudget]
    """By policy."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a server says of its model."""

    digest: str
    """`sha256:` and 64 hexadecimal digits."""
    context_length: int | None
    """Tokens that it was trained for: a server silently uses no more, whatever it is asked for. None: not said."""


async def prepare(server: OllamaServer, settings: OllamaSettings, prompts: Iterable[Prompt]) -> Checked:
    """Check the model, load it, and measure every policy's prompt.

    Raises:
        ConfigurationError: this server's model must not be asked, or the prompt does not fit.
        AskFailed: the server does not answer.
    """
    model = await check_model(server, settings)
    num_ctx = min(settings.num_ctx, model.context_length or settings.num_ctx)
    try:
        await server.load()
        budgets = {prompt.criteria.policy: await measure(server, settings, prompt, num_ctx) for prompt in prompts}
    except AskFailed as failed:
        if failed.consequence is Consequence.NO_OPINION:
            raise ConfigurationError(f"{server.name} does not accept what it is asked: {failed}") from failed
        raise
    return Checked(model.digest, budgets)


async def check_model(server: OllamaServer, settings: OllamaSettings) -> Model:
    """Look at the model without loading it.

    Raises:
        ConfigurationError: it is missing, runs elsewhere, sees no images, or is not the one that the settings pin.
        AskFailed: the server does not answer.
    """
    where = f"ollama.model {settings.model!r} on {server.name}"
    refuse_cloud_name(settings.model)
    try:
        shown = await server.show()
    except AskFailed as failed:
        if failed.reason == "model_missing":
            raise ConfigurationError(f"{where}: not there: `ollama pull {settings.model}`") from failed
        raise
    listed = _listed(await server.tags(), settings.model)
    for facts in (shown, listed):
        if remote := facts.get("remote_host") or facts.get("remote_model"):
            raise ConfigurationError(f"{where}: runs at {remote}, images would leave: name a model of its own")
    if "vision" not in (shown.get("capabilities") or ()):
        raise ConfigurationError(f"{where}: sees no images: name a model with the capability `vision`")
    if not listed.get("digest"):
        raise ConfigurationError(f"{where}: the server's list does not have it, so its digest cannot be known")
    digest = with_algorithm(str(listed["digest"]))
    if settings.digest is not None and with_algorithm(settings.digest) != digest:
        raise ConfigurationError(f"{where}: is {digest}, but ollama.digest is {settings.digest}")
    return Model(digest, _context_length(shown))


async def measure(server: OllamaServer, settings: OllamaSettings, prompt: Prompt, num_ctx: int) -> PromptBudget:
    """Ask about the largest image there can be and about a smaller one, and have the tokens counted.

    Raises:
        ConfigurationError: `num_ctx`, as far as the model goes along with it, does not hold prompt, image and answer
            with room to spare.
        AskFailed: the server does not answer.
    """
    policy, edge = prompt.criteria.policy, settings.max_edge
    large = await _count(server, prompt, edge)
    small = await _count(server, prompt, max(edge // 2, SMALLEST_EDGE))
    budget = PromptBudget(small, large)
    needed = needed_num_ctx(budget, settings.num_predict)
    if needed > num_ctx or was_cut(budget):
        if num_ctx < settings.num_ctx:
            raise ConfigurationError(
                f"ollama.model {settings.model!r} on {server.name}: takes no more than {num_ctx} tokens, but the "
                f"prompt of policy {policy!r} with an image of {edge} by {edge} pixels and its answer need {needed} "
                "or more: set ollama.max_edge lower, shorten the policy, or name a model with a longer context"
            )
        right = needed if needed > num_ctx else 2 * num_ctx
        raise ConfigurationError(
            f"ollama.num_ctx {num_ctx} on {server.name}: the prompt of policy {policy!r} with an image of "
            f"{edge} by {edge} pixels takes {large.tokens} tokens or more ({small.tokens} with a smaller image), the "
            f"answer ollama.num_predict {settings.num_predict}: set ollama.num_ctx to at least {right}, "
            "or ollama.max_edge lower; a prompt that does not fit loses its policy"
        )
    return budget


def refuse_cloud_name(model: str) -> None:
    """Models of Ollama's cloud have `cloud` as their tag, or a name or tag that ends with `-cloud`.

    Raises:
        ConfigurationError: the name is such a one.
    """
    name, _, tag = model.lower().rpartition("/")[2].partition(":")
    if tag == "cloud" or name.endswith("-cloud") or tag.endswith("-cloud"):
        raise ConfigurationError(
            f"ollama.model {model!r}: a model of the cloud, images would leave: name one that the server itself runs"
        )


def with_algorithm(digest: str) -> str:
    """A digest as the rest of the system writes it; Ollama lists bare hexadecimal digits."""
    return f"sha256:{digest.lower().removeprefix('sha256:')}"


async def _count(server: OllamaServer, prompt: Prompt, edge: int) -> Measured:
    # Encoding is a matter of milliseconds, but of the event loop's.
    jpeg = await asyncio.to_thread(_plain_image, edge)
    reply = await server.ask(prompt, jpeg, num_predict=1)
    if reply.prompt_tokens is None:
        raise ConfigurationError(
            f"{server.name}: answers without prompt_eval_count, so a prompt cut to ollama.num_ctx could not be "
            "noticed: use a server that reports it"
        )
    return Measured(edge, edge, reply.prompt_tokens)


def _plain_image(edge: int) -> bytes:
    """A grey square."""
    from PIL import Image  # noqa: PLC0415 - heavy, and needed only here

    data = BytesIO()
    Image.new("RGB", (edge, edge), (128, 128, 128)).save(data, "JPEG")
    return data.getvalue()


def _context_length(shown: Mapping[str, Any]) -> int | None:
    facts = shown.get("model_info") or {}
    length = facts.get(f"{facts.get('general.architecture')}.context_length")
    return length if isinstance(length, int) and length > 0 else None


def _listed(tags: Mapping[str, Any], model: str) -> Mapping[str, Any]:
    """The model's entry in the server's list; a name without a tag means `latest`."""
    wanted = model.lower() if ":" in model.rpartition("/")[2] else f"{model.lower()}:latest"
    for entry in tags.get("models") or ():
        if str(entry.get("model") or entry.get("name")).lower() == wanted:
            return dict(entry)
    return {}
