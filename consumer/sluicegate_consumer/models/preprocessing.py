"""What a checkpoint's `preprocessor_config.json` says: how to resize, how to normalise. Pure.

Written after transformers 5's image processors (`image_processing_backends.py` and the classes named in
`FAMILIES`). Only forms that can be followed to the pixel are read; any other is refused by the name of its
key, because scores of wrongly prepared pixels look like scores.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.pixels import Geometry, Resample

Channels = tuple[float, float, float]

RESAMPLES: tuple[Resample, ...] = get_args(Resample)
WARPED_FROM = 384
"""From this size on ConvNeXT's processor resizes to a square and does not crop."""

_HALF = (0.5, 0.5, 0.5)
_CLIP = {
    "resample": 3,
    "size": {"shortest_edge": 224},
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
}
_SQUARE = {"resample": 2, "size": {"height": 224, "width": 224}, "image_mean": _HALF, "image_std": _HALF}

FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "ViT": _SQUARE,
    "Siglip": {**_SQUARE, "resample": 3},
    "Beit": {**_SQUARE, "resample": 3, "crop_size": {"height": 224, "width": 224}},
    "CLIP": _CLIP,
    "Bit": _CLIP,
    "ConvNext": {
        "resample": 3,
        "size": {"shortest_edge": 384},
        "crop_pct": 224 / 256,
        "image_mean": _HALF,
        "image_std": _HALF,
    },
}
"""The processors that can be followed, with the values that their classes have where the file is silent."""

_SQUARE_BY_DEFAULT = ("ViT", "Beit")
"""What a bare number as `size` means: a square for these, the shortest edge for the others."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """From 0..255 to what the model was trained on: (value * rescale_factor - mean) / std, per channel."""

    rescale_factor: float
    mean: Channels
    std: Channels

    @property
    def scale(self) -> Channels:
        """Multiply by this first: the same sum as one multiplication and one addition."""
        red, green, blue = (self.rescale_factor / std for std in self.std)
        return red, green, blue

    @property
    def shift(self) -> Channels:
        """Then add this."""
        red, green, blue = (-mean / std for mean, std in zip(self.mean, self.std, strict=True))
        return red, green, blue


IDENTITY = Normalisation(rescale_factor=1.0, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
"""The model takes 0..255 as they are."""


def read_geometry(config: Mapping[str, Any]) -> Geometry:
    """How images are resized and cropped.

    Raises:
        ConfigurationError: the file asks for a form that cannot be followed exactly; the message names it.
    """
    family = _family(config)
    values = _with_defaults(config, family)
    for key, wanted in (("do_resize", True), ("do_pad", False)):
        if bool(values.get(key, wanted)) is not wanted:
            raise _refused(key, values[key], f"{wanted}: the model must be given frames of one size")
    size = _size(values["size"], "size", square=family in _SQUARE_BY_DEFAULT)
    resample = _resample(values["resample"])
    if family == "ConvNext":
        return _convnext(values, size, resample)
    crop = _crop(values)
    if "shortest_edge" not in size:
        if crop not in (None, size):
            raise _refused("crop_size", values["crop_size"], f"the same as size ({size}), or do_center_crop off")
        return Geometry(size["height"], size["width"], resample)
    edge = size["shortest_edge"]
    if crop is None:
        raise _refused(
            "do_center_crop",
            values.get("do_center_crop"),
            "true where size has a shortest_edge: frames must have one size",
        )
    if max(crop.values()) > edge:
        raise _refused("crop_size", values["crop_size"], f"no larger than the shortest edge, {edge}")
    return Geometry(crop["height"], crop["width"], resample, "shortest_edge", edge)


def read_normalisation(config: Mapping[str, Any]) -> Normalisation:
    """How pixel values are scaled.

    Raises:
        ConfigurationError: mean, standard deviation or factor are no usable numbers.
    """
    values = _with_defaults(config, _family(config))
    factor = _number(values.get("rescale_factor", 1 / 255), "rescale_factor") if values.get("do_rescale", True) else 1.0
    if not values.get("do_normalize", True):
        return Normalisation(factor, IDENTITY.mean, IDENTITY.std)
    std = _channels(values["image_std"], "image_std")
    if 0.0 in std:
        raise _refused("image_std", values["image_std"], "other than zero")
    return Normalisation(factor, _channels(values["image_mean"], "image_mean"), std)


def _family(config: Mapping[str, Any]) -> str:
    kind = config.get("image_processor_type") or config.get("feature_extractor_type")
    name = str(kind).removesuffix("Pil").removesuffix("Fast")
    family = name.removesuffix("ImageProcessor").removesuffix("FeatureExtractor")
    if family not in FAMILIES:
        known = ", ".join(f"{family}ImageProcessor" for family in FAMILIES)
        raise _refused("image_processor_type", kind, f"one of {known}")
    return family


def _with_defaults(config: Mapping[str, Any], family: str) -> dict[str, Any]:
    return {**FAMILIES[family], **{key: value for key, value in config.items() if value is not None}}


def _convnext(values: Mapping[str, Any], size: Mapping[str, int], resample: Resample) -> Geometry:
    if "shortest_edge" not in size:
        raise _refused("size", values["size"], "a shortest_edge")
    if values.get("do_center_crop"):
        raise _refused("do_center_crop", values["do_center_crop"], "absent: ConvNextImageProcessor crops by crop_pct")
    edge = size["shortest_edge"]
    if edge >= WARPED_FROM:
        return Geometry(edge, edge, resample)
    share = _number(values["crop_pct"], "crop_pct")
    if not 0 < share <= 1:
        raise _refused("crop_pct", share, "above 0 and at most 1")
    return Geometry(edge, edge, resample, "shortest_edge", int(edge / share))


def _crop(values: Mapping[str, Any]) -> dict[str, int] | None:
    if not values.get("do_center_crop"):
        return None
    crop = _size(values.get("crop_size"), "crop_size", square=True)
    if "shortest_edge" in crop:
        raise _refused("crop_size", crop, "a height and a width")
    return crop


def _size(value: object, key: str, *, square: bool) -> dict[str, int]:
    if isinstance(value, int):
        value = {"height": value, "width": value} if square else {"shortest_edge": value}
    if isinstance(value, Mapping):
        given = {name: edge for name, edge in value.items() if edge is not None}
        usable = all(isinstance(edge, int) and edge > 0 for edge in given.values())
        if usable and set(given) in ({"height", "width"}, {"shortest_edge"}):
            return given
    raise _refused(key, value, "a height and a width, or a shortest_edge, in whole pixels")


def _resample(value: object) -> Resample:
    if not isinstance(value, int) or not 0 <= value < len(RESAMPLES):
        raise _refused("resample", value, f"the number of a Pillow filter, 0 to {len(RESAMPLES) - 1}")
    return RESAMPLES[value]


def _channels(value: object, key: str) -> Channels:
    if isinstance(value, list | tuple) and len(value) == len(_HALF):
        red, green, blue = (_number(number, key) for number in value)
        return red, green, blue
    raise _refused(key, value, "three numbers: red, green, blue")


def _number(value: object, key: str) -> float:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise _refused(key, value, "a number")


def _refused(key: str, value: object, right: str) -> ConfigurationError:
    return ConfigurationError(f"preprocessor_config.json: {key}: is {value!r}, should be {right}")
