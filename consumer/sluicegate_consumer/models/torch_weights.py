"""Reading a checkpoint of transformers. Import this where the extra `torch` is installed and after `go_offline`."""

from pathlib import Path

import torch
from transformers import AutoModelForImageClassification
from transformers.utils import logging

from sluicegate_consumer.errors import ConfigurationError


def load_weights(directory: Path) -> torch.nn.Module:
    """The model in `directory`, in float32, every weight from safetensors, no code of the checkpoint's own.

    Raises:
        ConfigurationError: the checkpoint's weights do not fill the model.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: torch.nn.Module
    model, report = AutoModelForImageClassification.from_pretrained(
        directory,
        dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    # transformers fills what a file lacks with random numbers, and random scores look like scores.
    if absent := sorted(report["missing_keys"]):
        raise ConfigurationError(
            f"the weights in {directory} lack {len(absent)} of the model's tensors, {absent[0]} first; "
            "should be a checkpoint that was trained for image classification"
        )
    return model
