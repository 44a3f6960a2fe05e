"""Our frames are those of the model's own Hugging Face image processor: at most 1 of 255 apart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sluicegate_consumer.images.preprocess import to_geometry
from sluicegate_consumer.pixels import Geometry

pytestmark = [pytest.mark.integration, pytest.mark.torch]

TOLERANCE = 1


def processors() -> list[tuple[Any, Geometry]]:
    transformers = pytest.importorskip("transformers")
    vit = transformers.ViTImageProcessor(size={"height": 224, "width": 224}, resample=2)
    clip = transformers.CLIPImageProcessor(
        size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}, resample=3
    )
    large = transformers.ViTImageProcessor(size={"height": 384, "width": 384}, resample=3)
    return [
        (vit, Geometry(224, 224, "bilinear")),
        (clip, Geometry(224, 224, "bicubic", "shortest_edge", 224)),
        (large, Geometry(384, 384, "bicubic")),
    ]


def test_pixels_equal_those_of_the_models_own_processor(photographs: dict[str, Path]):
    for processor, geometry in processors():
        for name, path in photographs.items():
            image = Image.open(path).convert("RGB")
            for turned in (image, image.rotate(90, expand=True)):
                theirs = processor(turned, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"][0]
                ours = np.asarray(to_geometry(turned, geometry)).transpose(2, 0, 1)
                worst = np.abs(theirs.astype(float) - ours).max()
                assert worst <= TOLERANCE, f"{name}, {type(processor).__name__}: {worst} of 255"
