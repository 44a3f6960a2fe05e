"""A checkpoint of transformers on one CUDA device, as fast as we know. Import where torch is, after `go_offline`."""

from collections.abc import Sequence

import numpy as np
import structlog
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.cuda_graphs import CudaGraphs
from sluicegate_consumer.models.preprocessing import Normalisation
from sluicegate_consumer.models.scores import probabilities
from sluicegate_consumer.models.static_batches import StaticBatches
from sluicegate_consumer.models.torch_weights import load_weights
from sluicegate_consumer.pixels import Frame

PLACES = 2
"""Batches on the device: one computed, one copied."""

log = structlog.get_logger()


class CudaClassifier:
    """A `Classifier` in float16, of which two calls may run at the same time.

    Frames are copied as uint8, a quarter of the bytes of float32, and normalised inside the compiled graph; only
    outputs come back. What overflows in float16 comes back as not-a-number.

    Args:
        checkpoint: A directory of transformers.
        device: `cuda:N`.
        max_batch: Frames that are computed at once; more are split.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str, max_batch: int) -> None:
        on, geometry = torch.device(device), checkpoint.spec.geometry
        self._card = checkpoint.card(device, "torch", "float16", lanes=PLACES)
        module = Normalised(load_weights(checkpoint.weights), checkpoint.spec.normalisation).to(on).eval()
        shape = (max_batch, geometry.height, geometry.width, 3)
        with torch.cuda.device(on), torch.inference_mode():
            forward = compiled(module, torch.zeros(shape, dtype=torch.uint8, device=on))
            runner = CudaGraphs(forward, on, PLACES, shape)
        self._batches: StaticBatches | None = StaticBatches(runner, PLACES, max_batch)

    @property
    def card(self) -> ModelCard:
        """Name, digest, labels."""
        return self._card

    @torch.inference_mode()
    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores, float32 of shape (frames, labels): see `Classifier`."""
        if self._batches is None:
            raise RuntimeError("the classifier is closed")
        return probabilities(self._batches.outputs(frames), exclusive=self._card.exclusive)

    def close(self) -> None:
        """Give the device's memory back; `classify` raises from now on."""
        self._batches = None
        torch.cuda.empty_cache()


class Normalised(nn.Module):
    """A model in float16 whose input is frames: uint8, (batch, height, width, 3)."""

    scale: Tensor
    shift: Tensor

    def __init__(self, model: nn.Module, normalisation: Normalisation, dtype: torch.dtype = torch.float16) -> None:
        super().__init__()
        self.model = model.to(dtype)
        self.dtype = dtype
        for name, channels in (("scale", normalisation.scale), ("shift", normalisation.shift)):
            self.register_buffer(name, torch.tensor(channels).view(1, 3, 1, 1))

    def forward(self, frames: Tensor) -> Tensor:
        """Logits, float32. Normalised in float32, since float16 would round the pixels before the model sees them."""
        values = frames.permute(0, 3, 1, 2).float()
        inputs = torch.addcmul(self.shift, values, self.scale).to(self.dtype)
        logits: Tensor = self.model(pixel_values=inputs).logits
        return logits.float()


def compiled(module: nn.Module, example: Tensor) -> nn.Module:
    """The module compiled by inductor where that works here, which needs a C compiler; else as it is."""
    fast: nn.Module = torch.compile(module, dynamic=False)  # type: ignore[assignment]
    try:
        fast(example)
    except Exception as error:  # noqa: BLE001 - a compiler raises what it likes
        log.warning("model.not_compiled", error=str(error)[:200])
        return module
    return fast
