"""A checkpoint of transformers as a traced graph, for runtimes that convert one."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.torch_weights import load_weights

EXAMPLE_BATCH = 2
"""Of one image a tracer might take the batch's size for a constant."""


class LogitsAlone(nn.Module):
    """A classification model whose output is a tensor and not an object that holds one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits of shape (batch, labels) for normalised float32 pixels of shape (batch, 3, height, width)."""
        logits: Tensor = self.model(pixel_values=pixels).logits
        return logits


def traced(checkpoint: Checkpoint) -> Any:
    """The model as TorchScript, in float32 on the CPU, for batches of any size."""
    geometry = checkpoint.spec.geometry
    example = torch.zeros(EXAMPLE_BATCH, 3, geometry.height, geometry.width)
    module = LogitsAlone(load_weights(checkpoint.weights).eval())
    with torch.inference_mode(), warnings.catch_warnings():
        # What is constant for every image of this size may be traced as a constant.
        warnings.simplefilter("ignore")
        return torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
