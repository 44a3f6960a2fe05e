"""What a language model is shown stays within its bounds, and is nothing but pixels."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from sluicegate_consumer.images.decode import render_frame
from sluicegate_consumer.images.image import DecodeLimits, Rendition
from sluicegate_consumer.images.rendition import rendered

SPEC = Rendition(max_edge=896, min_edge=64, max_ratio=20.0)
sides = st.integers(1, 3000)


@given(sides, sides)
@example(1, 1)
@example(6000, 20)
@example(20, 6000)
@example(9000, 4500)
@example(1, 9000)
def test_both_sides_are_bounded_whatever_comes_in(width: int, height: int):
    picture = rendered(Image.new("RGB", (width, height)), SPEC)
    assert all(SPEC.min_edge <= side <= SPEC.max_edge for side in picture.size)
    assert max(picture.size) / min(picture.size) <= SPEC.max_ratio


@pytest.mark.parametrize(
    ("size", "expected"),
    [((896, 448), (896, 448)), ((1792, 896), (896, 448)), ((100, 80), (100, 80)), ((32, 16), (128, 64))],
)
def test_ordinary_images_keep_their_ratio_and_get_no_padding(size: tuple[int, int], expected: tuple[int, int]):
    assert expected == rendered(Image.new("RGB", size), SPEC).size


def test_a_strip_is_padded_with_grey_and_keeps_its_content():
    picture = rendered(Image.new("RGB", (6000, 20), "red"), SPEC)
    assert (896, 64) == picture.size
    assert (128, 128, 128) == picture.getpixel((448, 0))
    assert (255, 0, 0) == picture.getpixel((448, 32))


def test_no_metadata_survives():
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    file = io.BytesIO()
    Image.new("RGB", (100, 100)).save(
        file, "JPEG", exif=exif, comment=b"a secret name", icc_profile=b"a secret profile", dpi=(300, 300)
    )
    jpeg = render_frame(file.getvalue(), 0, SPEC, DecodeLimits()).jpeg
    assert b"secret" in file.getvalue()
    assert b"secret" not in jpeg
    assert {"jfif", "jfif_version", "jfif_unit", "jfif_density"} >= set(Image.open(io.BytesIO(jpeg)).info)


def test_the_frame_that_was_asked_for_is_rendered_and_the_last_one_beyond_the_end():
    file = io.BytesIO()
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    for index, expected in ((0, 0), (1, 1), (2, 2), (9, 2)):
        jpeg = render_frame(file.getvalue(), index, SPEC, DecodeLimits()).jpeg
        pixel = Image.open(io.BytesIO(jpeg)).getpixel((40, 40))
        assert expected == max(range(3), key=lambda channel: pixel[channel])
