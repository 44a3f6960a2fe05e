"""Trying again what may pass: with growing, scattered pauses, and within a deadline."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sluicegate_consumer.errors import Transient

Result = TypeVar("Result")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


async def retried(attempt: Callable[[], Awaitable[Result]], deadline_s: float) -> Result:
    """Call `attempt` until it does not raise `Transient`, or the deadline would pass first.

    Pauses are drawn from [0, p], p doubling each time: "full jitter", which spreads best what failed together
    (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

    Raises:
        Transient: with what the last attempt met that failed, if one did, the deadline and the number of attempts.
    """
    ends = time.monotonic() + deadline_s
    tries, longest_s, failed = 0, FIRST_PAUSE_S, "nothing came in time"
    while True:
        tries, longest_s = tries + 1, min(LONGEST_PAUSE_S, 2 * longest_s)
        try:
            async with asyncio.timeout(max(0.0, ends - time.monotonic())):
                return await attempt()
        except TimeoutError as error:
            raise _given_up(failed, deadline_s, tries) from error
        except Transient as error:
            failed = str(error)
            pause = random.uniform(0, longest_s)  # noqa: S311 - no secret
            if time.monotonic() + pause >= ends:
                raise _given_up(failed, deadline_s, tries) from error
            await asyncio.sleep(pause)


def _given_up(failed: str, deadline_s: float, tries: int) -> Transient:
    return Transient(f"{failed} (not fetched within {deadline_s:g} s, in {tries} attempts)")
