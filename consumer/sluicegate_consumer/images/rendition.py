"""The form in which a language model is shown an image: bounded on every side, and nothing but pixels."""

import math

from PIL import Image

from sluicegate_consumer.images.image import Rendition

GREY = (128, 128, 128)


def rendered(image: Image.Image, rendition: Rendition) -> Image.Image:
    """A new RGB image with both sides within [min_edge, max_edge], and a ratio of at most max_ratio.

    Large images are scaled down, small ones up; what is still too narrow is padded with grey. It carries nothing
    along of what the given one knows beside its pixels.
    """
    width, height = _scaled(image.width, image.height, rendition)
    least = max(rendition.min_edge, math.ceil(max(width, height) / rendition.max_ratio))
    canvas = Image.new("RGB", (max(width, least), max(height, least)), GREY)
    resized = image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)
    canvas.paste(resized, ((canvas.width - width) // 2, (canvas.height - height) // 2))
    return canvas


def _scaled(width: int, height: int, rendition: Rendition) -> tuple[int, int]:
    largest = rendition.max_edge / max(width, height)
    scale = min(largest, max(1.0, rendition.min_edge / min(width, height)))
    return (
        min(rendition.max_edge, max(1, round(width * scale))),
        min(rendition.max_edge, max(1, round(height * scale))),
    )
