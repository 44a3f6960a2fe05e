"""Where a model runs, and how many cores it may use there."""

import math
import os
import re
from pathlib import Path

from sluicegate_consumer.errors import ConfigurationError

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


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


def usable_cores(cpu_max: Path = CPU_MAX) -> int:
    """Cores that this process may use: by its affinity, and by its container's quota.

    The quota is control groups' v2: `cpu.max` holds microseconds of computing, or `max`, for each period.
    A runtime that counts the host's cores instead starts threads that the quota then stalls.
    """
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = cpu_max.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else min(cores, max(1, math.ceil(int(quota) / int(period))))
