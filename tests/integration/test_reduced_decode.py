"""Decoding from part of the coefficients: much faster, and off by so little that scores hardly move."""

import io

import numpy as np
import pytest
from PIL import Image

from sluicegate_consumer.images.decode import decode_frames
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.operations.settings import ModelSettings
from sluicegate_consumer.pixels import Geometry

pytestmark = pytest.mark.integration

GEOMETRY = Geometry(224, 224)
MEAN, SCORE = 0.2, 0.02


def decoded(data, *, reduced, geometry=GEOMETRY):
    frame = np.zeros((geometry.height, geometry.width, 3), np.uint8)
    return frame, decode_frames(data, geometry, DecodeLimits(reduced=reduced), lambda _: [frame])


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def large(photographs):
    """Photographs at 12 and 2 megapixels, as a camera saves them."""
    images = [Image.open(path).convert("RGB") for path in photographs.values()]
    return [
        jpeg(image.resize(size, Image.Resampling.BICUBIC)) for image in images for size in ((4000, 3000), (1600, 1200))
    ]


def test_pixels_and_scores_hardly_move(large):
    classifier = load_classifier(ModelSettings(name="embedded", device="cpu", precision="float32"), max_batch=16)
    exact, reduced = ([decoded(data, reduced=reduced)[0] for data in large] for reduced in (False, True))
    means = [np.abs(one.astype(int) - other).mean() for one, other in zip(exact, reduced, strict=True)]
    assert 0 < max(means)
    assert np.mean(means) <= MEAN
    assert np.abs(classifier.classify(exact) - classifier.classify(reduced)).max() <= SCORE


def test_size_and_orientation_are_those_of_the_file(large):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = jpeg(Image.open(io.BytesIO(large[0])), exif=exif)
    exact, facts = decoded(turned, reduced=False)
    reduced, others = decoded(turned, reduced=True)
    assert (facts.width, facts.height) == (others.width, others.height) == (3000, 4000)
    assert np.abs(exact.astype(int) - reduced).mean() <= MEAN


def test_small_jpegs_and_other_formats_are_decoded_whole(photographs):
    for name in ("rocket", "coffee"):
        data = photographs[name].read_bytes()
        assert np.array_equal(decoded(data, reduced=False)[0], decoded(data, reduced=True)[0])
