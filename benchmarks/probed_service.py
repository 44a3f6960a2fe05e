"""`sluicegate consume` with a clock in its event loop: `python probed_service.py LAGS`.

The service is the one that the command runs; beside it, in the same loop, a task asks to be woken every few
milliseconds and writes to the file LAGS when it asked for it and by how many seconds it was late, one JSON line each.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TextIO

from sluicegate_consumer.consume import consume
from sluicegate_consumer.operations.logging import configure_logging
from sluicegate_consumer.operations.settings import Settings, load_settings

EVERY_S = 0.005


async def main(settings: Settings, lags: TextIO) -> None:
    """Both until the process is ended."""
    probe = asyncio.create_task(watch(lags))
    try:
        await consume(settings)
    finally:
        probe.cancel()


async def watch(lags: TextIO) -> None:
    """The clock."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        lags.write(json.dumps([time.time(), loop.time() - due]) + "\n")


def read_lags(path: Path, began_s: float, ended_s: float) -> list[float]:
    """Seconds of delay of what was due between two moments (seconds since 1970)."""
    lines = path.read_text().splitlines()[:-1]  # the last one may be half written
    return [lag for moment, lag in map(json.loads, lines) if began_s <= moment <= ended_s]


if __name__ == "__main__":
    loaded = load_settings()
    configure_logging(loaded.observability)
    with Path(sys.argv[1]).open("w", buffering=1) as output:
        asyncio.run(main(loaded, output))
