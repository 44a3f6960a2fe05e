"""Many different frames out of a few photographs: as they were taken, and as they arrive at their worst."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from sluicegate_consumer.pixels import Frame, Geometry

SMALLEST_SIDE = 128
"""Pixels; what is smaller holds no photograph."""
SMALLEST_SHARE = 0.15
"""Of a photograph's side, that a crop has."""
OFTEN, SELDOM = 0.5, 0.3
"""How likely a change is."""


def photographs(folder: Path) -> list[Image.Image]:
    """In RGB, whatever of a folder can be opened and is large enough.

    Raises:
        SystemExit: there is none.
    """
    found = []
    for path in sorted(folder.iterdir()):
        try:
            with Image.open(path) as image:
                if min(image.size) >= SMALLEST_SIDE:
                    found.append(image.convert("RGB"))
        except OSError:
            continue  # no image
    if not found:
        raise SystemExit(f"--images {folder}: holds no image of {SMALLEST_SIDE} pixels or more; should be photographs")
    return found


def as_taken(pictures: Sequence[Image.Image], geometry: Geometry, count: int, seed: int) -> Iterator[Frame]:
    """Crops, mirrored half of the time, at the model's size."""
    return (_frame(crop, geometry) for crop in islice(_crops(pictures, Random(seed)), count))


def distorted(pictures: Sequence[Image.Image], geometry: Geometry, count: int, seed: int) -> Iterator[Frame]:
    """The same, each brighter or darker, of another contrast or colour, blurred, turned or noisy."""
    random, noise = Random(seed), np.random.default_rng(seed)
    for crop in islice(_crops(pictures, Random(seed)), count):
        frame = _frame(_distorted(crop, random), geometry)
        if random.random() < OFTEN:
            noisy = frame + noise.normal(0.0, random.uniform(2, 40), frame.shape)
            frame = np.clip(noisy, 0, 255).astype(np.uint8)
        yield frame


def _crops(pictures: Sequence[Image.Image], random: Random) -> Iterator[Image.Image]:
    while True:
        picture = random.choice(pictures)
        width, height = (int(side * random.uniform(SMALLEST_SHARE, 1)) for side in picture.size)
        left, top = random.randint(0, picture.width - width), random.randint(0, picture.height - height)
        crop = picture.crop((left, top, left + width, top + height))
        yield crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < OFTEN else crop


def _distorted(crop: Image.Image, random: Random) -> Image.Image:
    for change, least, most in (
        (ImageEnhance.Brightness, 0.2, 2.0),
        (ImageEnhance.Contrast, 0.2, 3.0),
        (ImageEnhance.Color, 0.0, 3.0),
    ):
        if random.random() < OFTEN:
            crop = change(crop).enhance(random.uniform(least, most))
    if random.random() < SELDOM:
        crop = crop.filter(ImageFilter.GaussianBlur(random.uniform(1, 8)))
    return crop.rotate(random.uniform(0, 360)) if random.random() < SELDOM else crop


def _frame(crop: Image.Image, geometry: Geometry) -> Frame:
    return np.asarray(crop.resize((geometry.width, geometry.height), Image.Resampling.BILINEAR))
