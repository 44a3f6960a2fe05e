"""Encoded bytes to pixels. Pure: no process, no thread, no file; whoever calls it contains what it may do."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sluicegate_consumer.images.colour import to_rgb, turn_of, upright_rgb
from sluicegate_consumer.images.formats import MEDIA_TYPES, frame_count, opened, require_pixels
from sluicegate_consumer.images.image import DecodeLimits, RenderedImage, Rendition
from sluicegate_consumer.images.preprocess import model_size, to_geometry, upright_size
from sluicegate_consumer.images.rendition import rendered
from sluicegate_consumer.pixels import Frame, Geometry

OVERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What decoding found out beside the pixels; see `DecodedImage`."""

    frame_indices: tuple[int, ...]
    width: int
    height: int
    frame_count: int
    media_type: str
    contrast: int


def decode_frames(
    data: bytes, geometry: Geometry, limits: DecodeLimits, room: Callable[[int], Sequence[Frame]]
) -> Facts:
    """Decode the sampled frames into memory that the caller provides.

    Args:
        data: Encoded bytes.
        geometry: The model's.
        limits: What the image may cost.
        room: Gives so many arrays of shape (height, width, 3), uint8, to write the frames into.

    Raises:
        Unprocessable: the bytes cannot be decoded, or are over a limit.
    """
    with opened(data, limits) as image:
        count = frame_count(image, limits)
        indices = sampled(count, limits.sampled_frames)
        width, height, contrast = 0, 0, 0
        for target, index in zip(room(len(indices)), indices, strict=True):
            _seek(image, index, limits)
            turn = turn_of(image)
            if index == 0:
                width, height = upright_size(image.size, turn)
                if limits.reduced:
                    _reduce(image, geometry, turn)
            target[...] = np.asarray(to_geometry(_pixels(image, data, limits), geometry, turn))
            contrast = max(contrast, _contrast(target))
        return Facts(indices, width, height, count, MEDIA_TYPES[str(image.format)], contrast)


def render_frame(data: bytes, index: int, rendition: Rendition, limits: DecodeLimits) -> RenderedImage:
    """One frame as a JPEG without metadata; the last one where there are fewer.

    Raises:
        Unprocessable: the bytes cannot be decoded, or are over a limit.
    """
    with opened(data, limits) as image:
        last = frame_count(image, limits) - 1
        _seek(image, min(index, last), limits)
        picture = rendered(upright_rgb(image), rendition)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=rendition.quality)
    return RenderedImage(file.getvalue(), picture.width, picture.height)


def sampled(count: int, most: int) -> tuple[int, ...]:
    """At most `most` of `count` frames, evenly spaced, the first one always among them."""
    if count <= most:
        return tuple(range(count))
    return tuple(number * count // most for number in range(most))


def _pixels(image: Image.Image, data: bytes, limits: DecodeLimits) -> Image.Image:
    """The present frame in RGB, as it is stored."""
    if limits.jpeg == "nvimgcodec":
        from sluicegate_consumer.images.device_jpeg import on_device  # noqa: PLC0415 - an extra

        if (pixels := on_device(image, data)) is not None:
            return pixels
    return to_rgb(image)


def _seek(image: Image.Image, index: int, limits: DecodeLimits) -> None:
    if index:
        image.seek(index)
        require_pixels(image, limits)  # the pages of a TIFF have sizes of their own


def _reduce(image: Image.Image, geometry: Geometry, turn: Image.Transpose | None) -> None:
    """Have a JPEG decoded from part of its coefficients, to twice the model's size at least; other formats have none.

    The inverse cosine transform of fewer coefficients is the average over the pixels that it leaves out. At twice the
    size the resize that follows has still enough to filter: with less, scores differ by up to .1.
    """
    width, height = model_size(upright_size(image.size, turn), geometry)
    image.draft(None, upright_size((OVERSAMPLING * width, OVERSAMPLING * height), turn))


def _contrast(frame: Frame) -> int:
    """The widest range of values that any one colour has in the frame."""
    rows = frame.reshape(len(frame), -1)  # first over whole rows, in their order in memory: a fifth of the time
    brightest, darkest = (extremes.reshape(-1, 3) for extremes in (rows.max(axis=0), rows.min(axis=0)))
    return int((brightest.max(axis=0) - darkest.min(axis=0)).max())
