"""Where a model runs."""

import re

from sluicegate_consumer.errors import ConfigurationError


def choose_device(wanted: str, cuda_devices: int) -> str:
    """What `auto`, `cpu`, `cuda` or `cuda:N` comes to on a machine with so many CUDA devices.

    Returns:
        `cpu` or `cuda:N`.

    Raises:
        ConfigurationError: `wanted` is none of these, or names a device that is not there.
    """
    match = re.fullmatch(r"auto|cpu|cuda(?::(\d+))?", wanted)
    if match is None:
        raise ConfigurationError(f"model.device: is {wanted!r}, should be auto, cpu, cuda or cuda:N")
    if wanted == "cpu" or (wanted == "auto" and not cuda_devices):
        return "cpu"
    index = int(match[1] or 0)
    if index >= cuda_devices:
        raise ConfigurationError(
            f"model.device: is {wanted!r}, but the model's runtime sees {cuda_devices} CUDA devices here; "
            "should be auto or cpu, or check the driver and that the runtime is a CUDA build"
        )
    return f"cuda:{index}"
