"""The quick resize gives Pillow's pixels, to within one step of 255, whatever the pixels and the sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sluicegate_consumer.images.colour import TURNS
from sluicegate_consumer.images.preprocess import to_geometry
from sluicegate_consumer.images.resize import FILTERS, STEP, is_quick, resized
from sluicegate_consumer.pixels import Geometry

SIDES = st.integers(1, 400)


def apart(ours: Image.Image, pillows: Image.Image) -> int:
    assert ours.size == pillows.size
    return int(np.abs(np.asarray(ours, np.int16) - np.asarray(pillows, np.int16)).max())


def noise(width: int, height: int, seed: int, levels: int = 256) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, levels, (height, width, 3)) * (255 // (levels - 1))
    return Image.fromarray(values.astype(np.uint8))


def test_bilinear_is_quick_with_this_pillow():
    assert is_quick("bilinear")


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.sampled_from([2, 256]), st.integers(0, 2**32 - 1))
def test_bilinear_is_at_most_one_step_from_pillows(size, to_size, levels, seed):
    image = noise(*size, seed, levels)
    expected = image.resize(to_size, Image.Resampling.BILINEAR)
    assert apart(resized(image, to_size, "bilinear"), expected) <= STEP


@pytest.mark.parametrize("resample", sorted(set(FILTERS) - {"bilinear"}))
def test_all_else_is_pillows_own(resample):
    image = noise(90, 70, 1)
    assert 0 == apart(resized(image, (40, 50), resample), image.resize((40, 50), FILTERS[resample]))


@pytest.mark.parametrize("turn", TURNS.values())
@pytest.mark.parametrize("resample", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize(("mode", "edge"), [("exact", None), ("shortest_edge", 45)])
def test_turning_the_small_image_is_at_most_one_step_from_turning_the_large_one(turn, resample, mode, edge):
    geometry = Geometry(32, 32, resample, mode, edge)
    for width, height in ((201, 120), (120, 200), (31, 57)):
        image = noise(width, height, width)
        assert apart(to_geometry(image, geometry, turn), to_geometry(image.transpose(turn), geometry)) <= STEP
