"""Finding a model on this disk. Nothing here ever goes to the network."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.digest import files_digest
from sluicegate_consumer.models.precision import Precision
from sluicegate_consumer.models.spec import ModelSpec, read_spec

CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"
ONNX = "model.onnx"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
HUB_PATTERNS = (CONFIG, PREPROCESSOR, "model*.safetensors", INDEX)
"""The files of a checkpoint on the hub that `sluicegate model pull` brings here, as glob patterns."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model on this disk, complete and understood, but not loaded."""

    name: str
    """What verdicts and the policy call it."""
    digest: str
    weights: Path
    """The ONNX file, or the directory in the layout of `save_pretrained`."""
    runtime: Literal["torch", "onnxruntime"]
    """What these weights are made for. Others may run them as well."""
    spec: ModelSpec

    def card(
        self, device: str, runtime: str, precision: Precision, *, lanes: int = 1, side_by_side: int = 1
    ) -> ModelCard:
        """What this checkpoint says of itself once it is loaded on `device` by `runtime`."""
        spec = self.spec
        return ModelCard(
            name=self.name,
            digest=self.digest,
            labels=spec.labels,
            geometry=spec.geometry,
            exclusive=spec.exclusive,
            device=device,
            runtime=runtime,
            precision=precision,
            lanes=lanes,
            side_by_side=side_by_side,
        )


def read_checkpoint(name: str, directory: Path) -> Checkpoint:
    """The checkpoint in `directory`: of transformers (`save_pretrained`), or Optimum's export of one to ONNX.

    Where a directory holds both, ONNX is taken. Weights are safetensors or ONNX, never pickles, which may run
    code when they are read.

    Raises:
        ConfigurationError: a file is missing or says something that is not supported.
    """
    weights = _weight_files(name, directory)
    config, preprocessor = (_read_json(name, directory / file) for file in (CONFIG, PREPROCESSOR))
    try:
        spec = read_spec(config, preprocessor)
    except ConfigurationError as error:
        raise ConfigurationError(f"model {name!r}: {error}") from error
    digest = files_digest([directory / CONFIG, directory / PREPROCESSOR, *weights])
    onnx = directory / ONNX
    if onnx in weights:
        return Checkpoint(name, digest, onnx, "onnxruntime", spec)
    return Checkpoint(name, digest, directory, "torch", spec)


def _weight_files(name: str, directory: Path) -> list[Path]:
    """The files that the runtime will read weights from, shards and ONNX's external data included."""
    if (directory / ONNX).is_file():
        return list(directory.glob(f"{ONNX}*"))
    if (directory / WEIGHTS).is_file():
        return [directory / WEIGHTS]
    if (directory / INDEX).is_file():
        shards = set(_read_json(name, directory / INDEX).get("weight_map", {}).values())
        files = [directory / Path(shard).name for shard in shards]
        if missing := sorted(file.name for file in files if not file.is_file()):
            raise ConfigurationError(f"model {name!r}: {INDEX} names {missing}, which are not in {directory}")
        return [directory / INDEX, *files]
    raise ConfigurationError(
        f"model {name!r}: no weights in {directory}: should hold {WEIGHTS}, {INDEX} or {ONNX}; "
        "pickled weights (*.bin, *.pt) are never read, save them as safetensors"
    )


def _read_json(name: str, path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ConfigurationError(f"model {name!r}: {path.name} is missing in {path.parent}") from None
    except ValueError as error:
        raise ConfigurationError(f"model {name!r}: {path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"model {name!r}: {path} should hold a JSON object")
    return content
