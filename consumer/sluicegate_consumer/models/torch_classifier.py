"""Any Hugging Face image classification checkpoint, run by torch.

Import this where the extra `torch` is installed and after `go_offline`, never at the top of a module: it
brings torch and transformers with it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.classifier import ModelCard
from sluicegate_consumer.models.device import choose_device
from sluicegate_consumer.models.precision import Precision
from sluicegate_consumer.models.scores import probabilities, score_in_chunks
from sluicegate_consumer.models.torch_weights import load_weights
from sluicegate_consumer.operations.cores import usable_cores
from sluicegate_consumer.pixels import Frame


class TorchClassifier:
    """A `Classifier` on the CPU in float32 or bfloat16, or on one CUDA device in float16.

    On a GPU float16 has an eighth of bfloat16's error at the same speed; what overflows comes back as
    not-a-number.

    Args:
        checkpoint: A directory of transformers.
        device: The setting `model.device`.
        precision: On the CPU; a GPU computes in float16.
        max_batch: Frames that go to the device at once; more are split.

    Raises:
        ConfigurationError: the device is not there, or the checkpoint's weights do not fill the model.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str, precision: Precision, max_batch: int) -> None:
        on = torch.device(choose_device(device, torch.cuda.device_count()))
        if on.type == "cpu":
            torch.set_num_threads(usable_cores())
        used: Precision = precision if on.type == "cpu" else "float16"
        self._card = checkpoint.card(str(on), "torch", used)
        self._device = on
        self._dtype: torch.dtype = getattr(torch, used)
        self._model: torch.nn.Module | None = load_weights(checkpoint.weights).to(on, self._dtype).eval()
        normalisation, geometry = checkpoint.spec.normalisation, checkpoint.spec.geometry
        self._scale, self._shift = (
            torch.tensor(channels, device=on).view(1, 3, 1, 1)
            for channels in (normalisation.scale, normalisation.shift)
        )
        shape = (max_batch, geometry.height, geometry.width, 3)
        # Pinned once: memory pinned anew for every batch costs more than an unpinned copy.
        self._pixels = torch.empty(shape, dtype=torch.uint8, pin_memory=on.type == "cuda")

    @property
    def card(self) -> ModelCard:
        """Name, digest, labels."""
        return self._card

    def classify(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """Scores, float32 of shape (frames, labels): see `Classifier`."""
        return score_in_chunks(frames, len(self._pixels), self._score)

    def close(self) -> None:
        """Give the weights' memory back; `classify` raises from now on."""
        self._model = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    @torch.inference_mode()
    def _score(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        if self._model is None:
            raise RuntimeError("the classifier is closed")
        pixels = self._pixels[: len(frames)]
        np.stack(frames, out=pixels.numpy())
        # Four times fewer bytes travel as uint8 than as float32, hence normalised on the device; and in
        # float32, since float16 would round the pixels before the model sees them.
        values = pixels.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float()
        inputs = torch.addcmul(self._shift, values, self._scale).to(self._dtype)
        logits = self._model(pixel_values=inputs).logits.float().cpu().numpy()
        return probabilities(logits, exclusive=self._card.exclusive)
