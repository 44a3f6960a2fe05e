"""NVIDIA's decoder gives the pixels that Pillow gives, and where it would not, Pillow decodes.

Where no GPU is, this is shown of the same library's decoder on the CPU.
"""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sluicegate_consumer.errors import ConfigurationError, Unprocessable
from sluicegate_consumer.images.decode import decode_frames
from sluicegate_consumer.images.decoder import ProcessDecoder
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_consumer.pixels import Geometry
from sluicegate_schemas.events import Reason

device_jpeg = pytest.importorskip("sluicegate_consumer.images.device_jpeg")

pytestmark = pytest.mark.integration

GEOMETRY = Geometry(height=224, width=224)
ONE_STEP = 1
"""Of 255, at the model's size."""
ORIENTATION_TAG, TURNED_LEFT = 0x0112, 6


def frame_of(data: bytes, jpeg: str) -> tuple[np.ndarray, object]:
    frame = np.zeros((224, 224, 3), np.uint8)
    return frame, decode_frames(data, GEOMETRY, DecodeLimits(jpeg=jpeg), lambda _: [frame])


def encoded(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = TURNED_LEFT
    return exif


KINDS = {
    "baseline": {"quality": 90},
    "poor": {"quality": 20},
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:2": {"subsampling": "4:2:2"},
    "turned": {"exif": turned()},
    "stored as RGB": {"keep_rgb": True},
    "with restart markers": {"restart_marker_rows": 1},
}


@pytest.fixture(scope="module")
def pictures(photographs):
    return [Image.open(path).convert("RGB") for path in photographs.values()]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_are_pillows(pictures, kind):
    for number, picture in enumerate(pictures):
        odd = picture.resize((641 + number, 479 - number))
        for data in (encoded(picture, **KINDS[kind]), encoded(odd, **KINDS[kind])):
            with Image.open(io.BytesIO(data)) as image:
                assert device_jpeg.on_device(image, data) is not None, "this test compares Pillow with itself"
            (ours, facts), (pillows, same) = frame_of(data, "nvimgcodec"), frame_of(data, "pillow")
            assert np.abs(ours.astype(int) - pillows).max() <= ONE_STEP
            assert same == facts


def with_thumbnail(picture: Image.Image) -> bytes:
    """As a camera writes it: another JPEG lies in its first segment."""
    inner = b"Exif\0\0" + encoded(picture.resize((160, 120)))
    data = encoded(picture)
    return data[:2] + b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner + data[2:]


def test_the_thumbnail_of_a_camera_is_not_taken_for_the_end(pictures):
    data = with_thumbnail(pictures[0])
    with Image.open(io.BytesIO(data)) as image:
        assert device_jpeg.on_device(image, data) is not None
    assert np.abs(frame_of(data, "nvimgcodec")[0].astype(int) - frame_of(data, "pillow")[0]).max() <= ONE_STEP


LEFT_TO_PILLOW = {
    "grey": lambda picture: encoded(picture.convert("L")),
    "CMYK": lambda picture: encoded(picture.convert("CMYK")),
    "progressive": lambda picture: encoded(picture, progressive=True),
    "followed by something": lambda picture: encoded(picture) + b"more",
}


@pytest.mark.parametrize("kind", LEFT_TO_PILLOW)
def test_some_are_left_to_pillow(pictures, kind):
    data = LEFT_TO_PILLOW[kind](pictures[0])
    with Image.open(io.BytesIO(data)) as image:
        assert device_jpeg.on_device(image, data) is None
    assert np.array_equal(frame_of(data, "nvimgcodec")[0], frame_of(data, "pillow")[0])


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_what_ends_early_is_refused_as_pillow_refuses_it(pictures, kept):
    data = encoded(pictures[0])
    for jpeg in ("nvimgcodec", "pillow"):
        with pytest.raises(Unprocessable) as refused:
            frame_of(data[: int(len(data) * kept)], jpeg)
        assert refused.value.reason is Reason.IMAGE_UNDECODABLE


def test_broken_bytes_in_the_middle_end_as_they_do_with_pillow(pictures):
    data = encoded(pictures[1])
    random = np.random.default_rng(1)
    for _ in range(150):
        broken = bytearray(data)
        broken[random.integers(len(data) // 4, len(data) - 2)] ^= 1 << int(random.integers(8))
        ends = []
        for jpeg in ("nvimgcodec", "pillow"):
            try:
                ends.append(frame_of(bytes(broken), jpeg)[0])
            except Unprocessable as refused:
                ends.append(refused.reason)
        assert type(ends[0]) is type(ends[1])
        if isinstance(ends[0], np.ndarray):
            assert np.abs(ends[0].astype(int) - ends[1]).max() <= ONE_STEP


async def test_a_decoding_process_decodes_with_it(pictures):
    data = encoded(pictures[0])
    async with ProcessDecoder(GEOMETRY, DecodeLimits(jpeg="nvimgcodec"), 1) as decoder:
        image = await decoder.decode(data)
        assert np.abs(image.frames[0].astype(int) - frame_of(data, "pillow")[0]).max() <= ONE_STEP
        image.close()
        with pytest.raises(Unprocessable):
            await decoder.decode(data[:-500])


async def test_where_it_is_missing_nothing_is_decoded_and_the_mend_is_named(monkeypatch):
    monkeypatch.setattr("sluicegate_consumer.images.decoder.nvimgcodec_is_installed", lambda: False)
    with pytest.raises(ConfigurationError, match=r"decode\.jpeg: is 'nvimgcodec', .* 'sluicegate\[nvimgcodec\]'"):
        async with ProcessDecoder(GEOMETRY, DecodeLimits(jpeg="nvimgcodec"), 1):
            pass


def test_it_is_not_imported_unless_it_is_asked_for():
    program = "import sys; from sluicegate_consumer import consume; print('nvidia.nvimgcodec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
