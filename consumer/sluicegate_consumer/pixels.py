"""What images and models have to agree on: the shape of a frame."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""Shape (height, width, 3), RGB, 0 to 255, at the model's size."""

Resample = Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
"""Pillow's filters, in the order of their numbers, which Hugging Face's processors use."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a model wants its images resized and cropped.

    `mode="exact"` resizes to (height, width) whatever the ratio; `mode="shortest_edge"` resizes the shorter side to
    `shortest_edge` pixels keeping the ratio, then crops (height, width) from the centre.
    """

    height: int
    width: int
    resample: Resample = "bilinear"
    mode: Literal["exact", "shortest_edge"] = "exact"
    shortest_edge: int | None = None
