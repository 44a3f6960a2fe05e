"""Opening encoded bytes: which formats are read, and what is refused before a pixel is decoded."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_schemas.events import Reason

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
    "BMP": "image/bmp",
    "DIB": "image/bmp",
    "TIFF": "image/tiff",
}
"""What Pillow calls the formats that are read, and what everybody else calls them."""

DECODERS = [name for name in MEDIA_TYPES if name != "MPO"]  # which the one for JPEG finds out
"""Pillow's decoders that may see an upload. Its other forty never do."""


@contextmanager
def opened(data: bytes, limits: DecodeLimits) -> Iterator[Image.Image]:
    """The image in `data`, its header read and checked, its pixels not decoded yet.

    Raises:
        Unprocessable: no decoder knows it, it is over a limit, or whatever is done with it inside the block fails.
    """
    _register_heif()
    try:
        with Image.open(io.BytesIO(data), formats=DECODERS) as image:
            require_pixels(image, limits)
            image.decodermaxblock = len(data)  # at the end of each piece libjpeg steps back: 2 % of its time
            yield image
    except Unprocessable:
        raise
    except UnidentifiedImageError:
        raise Unprocessable(
            Reason.IMAGE_UNSUPPORTED,
            f"{len(data)} bytes that are none of {', '.join(sorted(set(MEDIA_TYPES.values())))}",
        ) from None
    except (Image.DecompressionBombError, MemoryError) as error:
        raise Unprocessable(Reason.IMAGE_TOO_MANY_PIXELS, f"too large to decode: {type(error).__name__}") from error
    except Exception as error:  # a decoder raises what it likes when bytes are broken, and it is the bytes' fault
        raise Unprocessable(Reason.IMAGE_UNDECODABLE, f"{type(error).__name__} while decoding") from error


def require_pixels(image: Image.Image, limits: DecodeLimits) -> None:
    """Refuse an image or a page of it by its header."""
    width, height = image.size
    if width * height > limits.max_pixels:
        raise Unprocessable(
            Reason.IMAGE_TOO_MANY_PIXELS, f"{width} x {height} pixels: decode.max_pixels is {limits.max_pixels}"
        )


def frame_count(image: Image.Image, limits: DecodeLimits) -> int:
    """How many frames or pages there are.

    The further pictures of a multi-picture JPEG are no frames: they hold depth, gain or another eye's view, and no
    browser shows them.
    """
    if image.format == "MPO":
        return 1
    count: int = getattr(image, "n_frames", 1)
    if count > limits.max_frames:
        raise Unprocessable(Reason.IMAGE_TOO_MANY_FRAMES, f"{count} frames: decode.max_frames is {limits.max_frames}")
    return count


def _register_heif() -> None:
    """HEIC comes as a plugin of Pillow's: its registry is global, so this is done when first needed, not at import."""
    if "HEIF" not in Image.OPEN:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - loads libheif

        register_heif_opener(thumbnails=False)
