"""What a person who sets this up wants to know of each server, found without loading a model."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.client import OllamaServer
from sluicegate_consumer.second_opinion.failures import AskFailed
from sluicegate_consumer.second_opinion.startup import check_model


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one server."""

    level: Literal["ok", "warning", "problem"]
    """`problem`: it would not be asked."""
    message: str


async def examine(settings: OllamaSettings) -> list[Finding]:
    """Whether each server answers and has the model, and whether that one sees images, runs there, and is pinned.

    Never raises for what it finds.
    """
    found = await asyncio.gather(*(_examine(str(url), settings) for url in settings.urls))
    return [finding for findings in found for finding in findings]


async def _examine(url: str, settings: OllamaSettings) -> list[Finding]:
    findings = []
    async with OllamaServer(url, settings) as server:
        try:
            findings.append(Finding("ok", f"{server.name}: Ollama {await server.version()}"))
            model = await check_model(server, settings)
        except AskFailed as failed:
            findings.append(Finding("problem", f"{server.name}: no answer: {failed}"))
        except ConfigurationError as error:
            findings.append(Finding("problem", str(error)))
        else:
            findings.append(_model(settings, server.name, model.digest))
    return findings


def _model(settings: OllamaSettings, server: str, digest: str) -> Finding:
    model = f"ollama.model {settings.model!r} on {server}: {digest}"
    if settings.digest is None:
        return Finding("warning", f"{model}: not pinned: set ollama.digest to it to refuse any other")
    return Finding("ok", model)
