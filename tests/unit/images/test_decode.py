"""Every format and every mode becomes what a person would see; nothing broken passes for an image."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pillow_heif import register_heif_opener

from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.decode import decode_frames, render_frame, sampled
from sluicegate_consumer.images.image import DecodeLimits, Rendition
from sluicegate_consumer.pixels import Frame, Geometry
from sluicegate_schemas.events import Reason

LIMITS = DecodeLimits()
GEOMETRY = Geometry(height=16, width=16, resample="nearest")
ORANGE = (240, 120, 30)
NEAR = 12
"""Lossy codecs may be off by so much of 255."""


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    if form == "HEIF":
        register_heif_opener()
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def decoded(data: bytes, limits: DecodeLimits = LIMITS) -> tuple[list[Frame], Any]:
    frames: list[Frame] = []

    def room(count: int) -> list[Frame]:
        frames.extend(np.zeros((count, 16, 16, 3), np.uint8))
        return frames

    return frames, decode_frames(data, GEOMETRY, limits, room)


def shown(data: bytes) -> Image.Image:
    """What a language model is shown of it."""
    rendered = render_frame(data, 0, Rendition(), LIMITS)
    return Image.open(io.BytesIO(rendered.jpeg))


def refusal(data: bytes, limits: DecodeLimits = LIMITS) -> Reason:
    with pytest.raises(Unprocessable) as caught:
        decoded(data, limits)
    return caught.value.reason


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("AVIF", "image/avif"),
        ("HEIF", "image/heic"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_every_format_is_read(form: str, media_type: str):
    (frame,), facts = decoded(encoded(Image.new("RGB", (40, 20), ORANGE), form))
    assert (media_type, 40, 20, 1) == (facts.media_type, facts.width, facts.height, facts.frame_count)
    assert np.abs(frame.astype(int) - ORANGE).max() <= NEAR


@pytest.mark.parametrize("form", ["PPM", "TGA", "ICO", "PCX", "EPS"])
def test_other_formats_that_pillow_knows_are_unsupported(form: str):
    assert refusal(encoded(Image.new("RGB", (20, 20)), form)) is Reason.IMAGE_UNSUPPORTED


def blue_with_a_red_corner() -> Image.Image:
    """The corner is the one above on the left."""
    upright = Image.new("RGB", (32, 16), "blue")
    upright.paste("red", (0, 0, 8, 8))
    return upright


def is_upright(frame: Frame) -> bool:
    red, blue = frame[0, 0].astype(int), frame[-1, -1].astype(int)
    return bool(np.abs(red - (255, 0, 0)).max() <= 2 * NEAR and np.abs(blue - (0, 0, 255)).max() <= 2 * NEAR)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_the_exif_orientation_is_undone(form: str, orientation: int):
    upright = blue_with_a_red_corner()
    sideways = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = upright if sideways is None else upright.transpose(Image.Transpose(sideways))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, form, exif=exif.tobytes())
    (frame,), facts = decoded(data)
    assert (32, 16) == (facts.width, facts.height)
    assert is_upright(frame)
    assert is_upright(np.asarray(shown(data)))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_an_orientation_in_xmp_turns_nothing_as_no_browser_heeds_it(form: str):
    xmp = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/>'
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    options = {"PNG": {"pnginfo": text}, "TIFF": {"tiffinfo": {700: xmp}}}.get(form, {"xmp": xmp})
    data = encoded(blue_with_a_red_corner(), form, **options)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if form != "TIFF":  # which Pillow has turned by now
            assert 3 == image.getexif()[0x0112]
    (frame,), _ = decoded(data)
    assert is_upright(frame)
    assert is_upright(np.asarray(shown(data)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_pixels_are_white_and_not_what_lies_under_them(mode: str):
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0)).convert(mode)
    (frame,), _ = decoded(encoded(image, "TIFF" if mode == "PA" else "PNG"))
    assert 255 == frame.min()


def test_a_palette_with_a_transparent_colour_is_on_white():
    image = Image.new("P", (16, 16), 0)
    image.putpalette([10, 20, 30] * 256)
    (frame,), _ = decoded(encoded(image, "PNG", transparency=0))
    assert 255 == frame.min()


def test_cmyk_is_converted_and_not_inverted():
    (frame,), _ = decoded(encoded(Image.new("RGB", (16, 16), ORANGE).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(frame.astype(int) - ORANGE).max() <= NEAR


@pytest.mark.parametrize(
    ("values", "form", "expected"),
    [
        (np.array([[0, 65535]], np.uint16), "PNG", [0, 255]),
        (np.array([[0, 32896]], np.uint16), "TIFF", [0, 128]),
        (np.array([[0.0, 0.5]], np.float32), "TIFF", [0, 128]),
        (np.array([[-10.0, 30.0]], np.float32), "TIFF", [0, 255]),
        (np.array([[0, 65535]], np.int32), "TIFF", [0, 255]),
    ],
)
def test_more_than_eight_bits_are_scaled_and_not_clipped(values: np.ndarray, form: str, expected: list[int]):
    (frame,), _ = decoded(encoded(Image.fromarray(np.repeat(values, 8, axis=1)), form))
    assert expected == [int(frame[0, 0, 0]), int(frame[0, -1, 0])]


def test_one_bit_images_are_black_and_white():
    image = Image.new("1", (16, 16), 1)
    image.putpixel((0, 0), 0)
    (frame,), facts = decoded(encoded(image, "PNG"))
    assert (0, 255, 255) == (frame[0, 0, 0], frame[1, 1, 0], facts.contrast)


def animation(colours: list[str], form: str) -> bytes:
    frames = [Image.new("RGB", (16, 16), colour) for colour in colours]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=50)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_animations_give_every_sampled_frame(form: str):
    frames, facts = decoded(animation(["red", "lime", "blue"], form))
    assert (3, (0, 1, 2)) == (facts.frame_count, facts.frame_indices)
    assert [0, 1, 2] == [int(frame[8, 8].argmax()) for frame in frames]


def test_long_animations_are_sampled_evenly_from_the_first_frame():
    colours = [f"rgb({number * 20},0,0)" for number in range(12)]
    frames, facts = decoded(animation(colours, "GIF"), DecodeLimits(sampled_frames=4))
    assert (12, (0, 3, 6, 9)) == (facts.frame_count, facts.frame_indices)
    assert [0, 60, 120, 180] == [int(frame[0, 0, 0]) for frame in frames]


def test_a_frame_that_draws_only_a_part_is_seen_whole():
    first = Image.new("RGB", (16, 16), "red")
    second = first.copy()
    second.putpixel((5, 5), (0, 255, 0))
    frames, _ = decoded(encoded(first, "GIF", save_all=True, append_images=[second], optimize=True))
    assert [255, 0, 0] == frames[1][0, 0].tolist()
    assert [0, 255, 0] == frames[1][5, 5].tolist()


@pytest.mark.parametrize(("count", "most"), [(1, 8), (8, 8), (9, 8), (1000, 8), (5, 1)])
def test_samples_are_distinct_ordered_and_begin_with_the_first(count: int, most: int):
    indices = sampled(count, most)
    assert (min(count, most), 0) == (len(indices), indices[0])
    assert sorted(set(indices)) == list(indices)
    assert indices[-1] < count


def test_the_contrast_of_one_flat_colour_is_nothing():
    _, facts = decoded(encoded(Image.new("RGB", (16, 16), ORANGE), "PNG"))
    assert 0 == facts.contrast


def test_too_many_pixels_are_refused_by_the_header():
    limits = DecodeLimits(max_pixels=99)
    assert refusal(encoded(Image.new("RGB", (10, 10)), "PNG"), limits) is Reason.IMAGE_TOO_MANY_PIXELS


def test_a_later_page_is_measured_too():
    pages = [Image.new("RGB", (4, 4)), Image.new("RGB", (20, 20))]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert refusal(data, DecodeLimits(max_pixels=50)) is Reason.IMAGE_TOO_MANY_PIXELS


def test_too_many_frames_are_refused():
    data = animation(["red", "lime", "blue"], "GIF")
    assert refusal(data, DecodeLimits(max_frames=2)) is Reason.IMAGE_TOO_MANY_FRAMES


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_image_is_never_half_an_image(form: str, share: float):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8))
    data = encoded(noise, form)
    assert refusal(data[: int(len(data) * share)]) in {Reason.IMAGE_UNDECODABLE, Reason.IMAGE_UNSUPPORTED}


@pytest.mark.parametrize("data", [b"", b"x", b"not an image", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_image_is_unsupported(data: bytes):
    assert refusal(data) is Reason.IMAGE_UNSUPPORTED
