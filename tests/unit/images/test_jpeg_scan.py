"""What is called one whole scan was neither cut off nor added to."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sluicegate_consumer.images.jpeg_scan import is_one_whole_scan


def jpeg(**options: object) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (64, 80, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", **options)
    return file.getvalue()


WHOLE = jpeg()


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"quality": 100}, {"restart_marker_blocks": 1}])
def test_a_jpeg_as_it_was_written_is_one(options):
    assert is_one_whole_scan(jpeg(**options))


@given(st.integers(0, len(WHOLE) - 1))
def test_cut_off_anywhere_it_is_none(length):
    assert not is_one_whole_scan(WHOLE[:length])


@given(st.binary(min_size=1, max_size=9))
def test_with_anything_behind_it_it_is_none(more):
    assert not is_one_whole_scan(WHOLE + more)


@given(st.integers(len(WHOLE) // 2, len(WHOLE) - 3), st.sampled_from([0x01, 0x06, 0xC4, 0xD8, 0xD9, 0xDA, 0xFE]))
def test_with_a_marker_among_its_pixels_it_is_none(at, marker):
    assert not is_one_whole_scan(WHOLE[:at] + bytes([0xFF, marker]) + WHOLE[at + 2 :])


def test_a_progressive_one_has_several():
    assert not is_one_whole_scan(jpeg(progressive=True))


@given(st.binary(max_size=200))
def test_whatever_the_bytes_there_is_an_answer(data):
    assert is_one_whole_scan(data) in {True, False}
