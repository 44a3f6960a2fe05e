"""Any mode of Pillow's to upright RGB, as somebody who looks at the image would see it."""

import numpy as np
from PIL import Image

ORIENTATION_TAG = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation (EXIF 2.32, table 4.6.4 A), in Pillow's words, as its `exif_transpose` has them."""

XMP = ("xmp", "XML:com.adobe.xmp")
"""Under which Pillow keeps it."""

TRANSPARENT_MODES = {"RGBA", "RGBa", "LA", "La", "PA"}
WIDE_MODES = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
SIXTEEN_BIT_MAX = 65535


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """What makes the image upright, as its EXIF orientation says; None where it is."""
    if image.format == "PNG":
        image.load()  # its EXIF and XMP may stand behind its pixels
    # Where there is no EXIF, Pillow takes an orientation from XMP. Browsers do not: whoever writes one could have us
    # judge a picture upside down that everybody else sees upright.
    for xmp in XMP:
        image.info.pop(xmp, None)
    if image.format == "TIFF":
        return None  # Pillow turns it as it reads it
    return TURNS.get(image.getexif().get(ORIENTATION_TAG, 1))


def upright_rgb(image: Image.Image) -> Image.Image:
    """The present frame, turned as its EXIF orientation says, on white where it is transparent."""
    turn = turn_of(image)
    rgb = to_rgb(image)
    return rgb if turn is None else rgb.transpose(turn)


def to_rgb(image: Image.Image) -> Image.Image:
    """The present frame as it is stored, on white where it is transparent; the image itself where it is RGB already."""
    if image.mode == "RGB" and "transparency" not in image.info:
        image.load()
        return image
    if image.mode in WIDE_MODES:
        return _narrowed(image)
    if image.mode in TRANSPARENT_MODES or "transparency" in image.info:
        return _on_white(image.convert("RGBA"))
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Not `convert("RGB")`, which reveals what lies under transparent pixels and nobody sees."""
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _narrowed(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled: Pillow's own conversion would clip everything above 255 to white.

    16-bit values are divided by 257. Floats are taken as 0 to 1 where they lie within, as TIFF has them; of any other
    range, and of 32-bit integers beyond 16 bits, the smallest value is black and the largest white.
    """
    values = np.asarray(image, dtype=np.float32)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F":
        low, high = (0.0, 1.0) if low >= 0.0 and high <= 1.0 else (low, high)
    elif low >= 0.0 and high <= SIXTEEN_BIT_MAX:
        low, high = 0.0, float(SIXTEEN_BIT_MAX)
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(np.rint(scaled).astype(np.uint8)).convert("RGB")
