"""How a service is asked to end, once politely and by the second signal at once; and that it does end."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

SIGNALS = (signal.SIGTERM, signal.SIGINT)
FORCED = 130
"""The exit code of a process that an interrupt ended, as shells report it."""

SHUTDOWN_MARGIN_S = 20.0
"""Beyond the drain time, for the last commit and for leaving Kafka, both of which have limits of their own. An
orchestrator's grace period must be longer than both together."""
EXIT_GRACE_S = 5.0
"""For what is left when a service has ended: threads to be joined, caches to be written."""

log = structlog.get_logger()


@contextmanager
def shutdown_signals(within_s: float) -> Iterator[asyncio.Event]:
    """Capture SIGTERM and SIGINT: the first sets the event, the second ends the process with code 130.

    After the first one the process has `within_s` seconds: then it ends with code 1, whatever it is waiting for.

    To be entered in the main thread, inside a running event loop; the handlers of before are restored at the
    end.
    """
    loop = asyncio.get_running_loop()
    requested = asyncio.Event()
    call_off: list[Callable[[], None]] = []

    def begin(name: str) -> None:
        log.info("shutdown_requested", signal=name)
        requested.set()
        call_off.append(end_within(within_s, 1))

    asked = False

    def count(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            _end_now()
        asked = True

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        # The loop's own handling wakes it, also when the signal comes just as it falls asleep. Ours comes in front of
        # it, since the second signal must be heard even when the loop is stuck.
        loop.add_signal_handler(number, begin, number.name)
        signal.signal(number, count)
    try:
        yield requested
    finally:
        for each in call_off:
            each()
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def end_within(seconds: float, code: int) -> Callable[[], None]:
    """End the process with `code` unless it has ended by itself by then; returns how to call that off.

    The interpreter waits for its threads and the event loop for its tasks. A thread that hangs in a driver or in a
    file system that is gone, or a client's task that swallows its cancellation, would keep a process that does nothing
    looking alive.
    """
    called_off = threading.Event()

    def end() -> None:
        if not called_off.wait(seconds):
            os.write(sys.stderr.fileno(), b"something hangs: ended without waiting for it\n")
            os._exit(code)

    threading.Thread(target=end, name="last-resort", daemon=True).start()
    return called_off.set


def _end_now() -> None:
    # Written past the logger: the signal may have come while the logger's own lock is held.
    os.write(sys.stderr.fileno(), b"second signal: ended at once, without waiting for what is in flight\n")
    os._exit(FORCED)
