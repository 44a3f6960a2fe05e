"""How much of the machine is ours."""

import math
import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


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
