"""Starting what may take long, without being deaf to the request to end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

LET_GO_S = 10.0
"""More than a client takes to stop, which is all that a start does once it is called off."""

log = structlog.get_logger()


async def started(starting: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Whether `starting` came to its end before `stop` was set; otherwise it has been called off.

    Raises:
        Exception: what `starting` raises.
    """
    task = asyncio.create_task(starting)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return True
        return False
    finally:
        stopping.cancel()
        await _call_off(task)


async def _call_off(task: asyncio.Task[None]) -> None:
    if task.done():
        return
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=LET_GO_S)
    if not done:
        log.warning("start_not_called_off_in_time", seconds=LET_GO_S)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.warning("start_failed_when_called_off", error=repr(error))
