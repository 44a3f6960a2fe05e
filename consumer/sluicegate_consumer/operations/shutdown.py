"""How a service is asked to end: once politely, and by the second signal at once."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

SIGNALS = (signal.SIGTERM, signal.SIGINT)
FORCED = 130
"""The exit code of a process that an interrupt ended, as shells report it."""

log = structlog.get_logger()


@contextmanager
def shutdown_signals() -> Iterator[asyncio.Event]:
    """Capture SIGTERM and SIGINT: the first sets the event, the second ends the process with code 130.

    To be entered in the main thread, inside a running event loop; the handlers of before are restored at the
    end.
    """
    loop = asyncio.get_running_loop()
    requested = asyncio.Event()

    def begin(name: str) -> None:
        log.info("shutdown_requested", signal=name)
        requested.set()

    asked = False

    def handle(number: int, _frame: FrameType | None) -> None:
        # Not the loop's own signal handling: the second signal must be heard even when the loop is stuck.
        nonlocal asked
        if asked:
            _end_now()
        asked = True
        loop.call_soon_threadsafe(begin, signal.Signals(number).name)

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_now() -> None:
    # Written past the logger: the signal may have come while the logger's own lock is held.
    os.write(sys.stderr.fileno(), b"second signal: ended at once, without waiting for what is in flight\n")
    os._exit(FORCED)
