"""JPEGs decoded by NVIDIA's nvImageCodec, on a GPU where there is one. Import where the extra `nvimgcodec` is.

Without a GPU the same library decodes on the CPU, with libjpeg-turbo as Pillow does: no faster, but so its place in the
pipeline can be tested where no GPU is.
"""

import os
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from sluicegate_consumer.images.jpeg_scan import is_one_whole_scan

# It says at every start which of NVIDIA's further libraries are not there, and for each image that it leaves to us.
os.environ.setdefault("PYNVIMGCODEC_VERBOSITY", "0")

from nvidia import nvimgcodec


def on_device(image: Image.Image, data: bytes) -> Image.Image | None:
    """The pixels of `data` in RGB as they are stored, not turned; None for what is better left to Pillow.

    That is whatever is no JPEG in colour, a progressive one, which a GPU's decoder is no faster with, and one that is
    not whole: this library fills in what is missing, where Pillow says so.

    Args:
        image: The same, its header read by Pillow.
        data: Encoded bytes.
    """
    if image.format != "JPEG" or image.mode != "RGB" or not is_one_whole_scan(data):
        return None
    decoded = decoder().decode(data, params=_parameters())
    return None if decoded is None else Image.fromarray(np.asarray(decoded.cpu()))


@cache
def decoder() -> Any:
    """The library's, opened once: on a GPU it maps memory that is not the images'."""
    try:
        return nvimgcodec.Decoder(max_num_cpu_threads=1)
    except RuntimeError:  # of CUDA: there is no device, or no driver
        return nvimgcodec.Decoder(
            device_id=nvimgcodec.NVIMGCODEC_DEVICE_CPU_ONLY,
            backends=[nvimgcodec.Backend(nvimgcodec.BackendKind.CPU_ONLY)],
            max_num_cpu_threads=1,
        )


@cache
def _parameters() -> Any:
    return nvimgcodec.DecodeParams(color_spec=nvimgcodec.ColorSpec.SRGB, apply_exif_orientation=False)
