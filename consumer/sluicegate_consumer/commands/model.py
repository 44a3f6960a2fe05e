"""`sluicegate model`: bring a model here, and look at one."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.pull import pull as pull_checkpoint
from sluicegate_consumer.operations.logging import configure_logging
from sluicegate_consumer.operations.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Bring a model to this machine, and look at one.")


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="Hugging Face id, for example Falconsai/nsfw_image_detection.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit.")] = None,
) -> None:
    """Download a checkpoint (configuration and safetensors) and print the digest that the settings can pin.

    This is the only command that downloads anything.
    """
    cache_dir = load_settings().model.cache_dir
    directory = pull_checkpoint(name, cache_dir, revision)
    served_as = f"{name}@{revision}" if revision else name
    checkpoint = find_checkpoint(served_as, cache_dir)
    typer.echo(f"directory: {directory}")
    typer.echo(f"model.name: {served_as}")
    typer.echo(f"model.digest: {checkpoint.digest}")


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="As in the setting model.name; that one if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Load a model as the service would, and print what it says of itself."""
    everything = load_settings()
    configure_logging(everything.observability, sys.stderr)
    settings = everything.model
    if name is not None:
        # Another model than the settings': their pin is not about it.
        settings = settings.model_copy(update={"name": name, "digest": None})
    classifier = load_classifier(settings, max_batch=1)
    card = classifier.card
    classifier.close()
    typer.echo(json.dumps(asdict(card)) if as_json else _lines(card))


def _lines(card: ModelCard) -> str:
    geometry = card.geometry
    resize = "to that size" if geometry.mode == "exact" else f"shortest edge to {geometry.shortest_edge}, cropped"
    rows = {
        "name": card.name,
        "digest": card.digest,
        "labels": ", ".join(card.labels),
        "scores": "exclusive (softmax)" if card.exclusive else "independent (sigmoid)",
        "input": f"{geometry.width}x{geometry.height}, {geometry.resample}, {resize}",
        "device": card.device,
        "runtime": card.runtime,
        "precision": card.precision,
    }
    return "\n".join(f"{key}: {value}" for key, value in rows.items())
