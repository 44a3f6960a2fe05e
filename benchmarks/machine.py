"""What the figures were measured on."""

import os
import subprocess
from pathlib import Path


def machine() -> dict[str, str]:
    """What it all ran on: cores, processor, memory, the load average before it began, commit."""
    information = Path("/proc/cpuinfo").read_text()
    fields = dict(line.split(":", 1) for line in information.splitlines() if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    matrix = [flag for flag in ("amx_bf16", "amx_int8", "avx512_bf16", "avx512f", "avx2") if flag in named["flags"]]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": f"{named['model name']}, {', '.join(matrix)}",
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory / 2**30:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f}",
        "commit": commit(),
    }


def commit() -> str:
    """The checkout's, with a plus if it has changes that are in no commit."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "consumer", "producer", "schemas")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=Path(__file__).parent, check=True, capture_output=True, text=True)
    return done.stdout.strip()
