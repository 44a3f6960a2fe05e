"""How exactly a model is to be computed, and what this CPU can do."""

from pathlib import Path
from typing import Literal

Precision = Literal["float32", "bfloat16", "float16"]

CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16"}
"""Without one of these bfloat16 is emulated, which is slower than float32."""


def cpu_has_bfloat16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether this CPU multiplies bfloat16 in its own instructions, as Linux names them."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return not BFLOAT16_FLAGS.isdisjoint(flags.split())
