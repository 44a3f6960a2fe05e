"""Ending what may not end by itself."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


async def finish_within(seconds: float, ending: Coroutine[Any, Any, None], what: str) -> None:
    """Run `ending`, a client's own stop, and leave it behind if it takes longer or fails: we are going anyway.

    It runs in a task of its own, as aiokafka's `stop` may raise CancelledError although nobody cancelled it, and hangs
    while no broker answers.
    """
    task = asyncio.create_task(ending)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        log.warning("did_not_stop_in_time", what=what, seconds=seconds)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.warning("stopped_with_an_error", what=what, error=repr(error))
