"""A ViT-B/16 to measure with. Its weights are random: nothing is downloaded, and speed does not depend on them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "vit-b-16-random-weights"
HARMLESS_BIAS = 4.0
"""Added to the logit of `normal`, so that uploads are approved as most are in production; as initialised, every one
would lie between the bands of the policy and be escalated."""
PREPROCESSOR = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 1 / 255,
    "size": {"height": 224, "width": 224},
}
"""With the keys and values of Falconsai/nsfw_image_detection, as are the labels and the architecture."""


def save_vit(directory: Path, smaller: Mapping[str, Any]) -> Path:
    """Save a ViT-B/16 of 224x224 pixels, or a smaller one, unless it is there already; gives its directory."""
    path = directory / NAME
    if (path / "preprocessor_config.json").exists():
        return path
    import torch  # noqa: PLC0415 - heavy, and only this function needs it
    from transformers import ViTConfig, ViTForImageClassification  # noqa: PLC0415 - same

    torch.manual_seed(20260101)
    labels = {0: "normal", 1: "nsfw"}
    config = ViTConfig(**smaller, id2label=labels, label2id={label: index for index, label in labels.items()})
    model = ViTForImageClassification(config)
    with torch.no_grad():
        model.get_parameter("classifier.bias")[0] = HARMLESS_BIAS
    model.save_pretrained(path)
    (path / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return path
