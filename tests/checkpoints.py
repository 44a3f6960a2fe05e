"""Checkpoints with random weights, made on the spot: what a test of the torch path needs of a model."""

import json
from pathlib import Path

PREPROCESSOR = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 1 / 255,
    "size": {"height": 64, "width": 64},
}
"""With the keys and values of Falconsai/nsfw_image_detection, but the size."""


def save_tiny_vit(
    directory: Path, labels: tuple[str, ...] = ("normal", "nsfw"), problem_type: str | None = None
) -> Path:
    """A two-layer ViT for 64x64 pixels whose scores differ widely from image to image; gives `directory`."""
    import torch  # noqa: PLC0415 - an extra, and only this function needs it
    from transformers import ViTConfig, ViTForImageClassification  # noqa: PLC0415 - same

    torch.manual_seed(20260101)
    config = ViTConfig(
        image_size=64,
        patch_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        problem_type=problem_type,
    )
    model = ViTForImageClassification(config)
    with torch.no_grad():
        # As initialised, every image gets nearly the same scores, and a mistake in the pixels would not show.
        model.vit.embeddings.patch_embeddings.projection.weight.mul_(20)
        model.classifier.weight.mul_(50)
    model.save_pretrained(directory)
    (directory / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return directory


def save_files(directory: Path, config: dict, preprocessor: dict, weights: bytes = b"weights") -> Path:
    """A checkpoint's files without any model in them: enough for whatever does not load it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config))
    (directory / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    (directory / "model.safetensors").write_bytes(weights)
    return directory
