import asyncio
from contextlib import suppress

import pytest

from sluicegate_consumer.errors import Fatal, Poison, Transient, Unprocessable
from sluicegate_consumer.moderation.station import station
from sluicegate_schemas.events import Reason


async def run(items: list[object]) -> tuple[list[object], list[object]]:
    """Results and failures of a station whose work is to raise what is an exception."""
    waiting: asyncio.Queue[object] = asyncio.Queue()
    for item in items:
        waiting.put_nowait(item)
    done, failed = [], []

    async def work(item: object) -> object:
        if isinstance(item, Exception):
            raise item
        return item

    async def hand_on(item: object) -> None:
        done.append(item)

    task = asyncio.create_task(station(waiting.get, work, hand_on, lambda _, failure: failed.append(failure)))
    while not waiting.empty() and not task.done():
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return done, failed


async def test_a_failure_of_one_item_does_not_touch_the_next():
    failures = [Poison("a"), Unprocessable(Reason.IMAGE_EMPTY, "b"), Transient("c")]
    assert ([1, 2], failures) == await run([1, *failures, 2])


@pytest.mark.parametrize("error", [Fatal("over"), KeyError("a bug")])
async def test_anything_else_ends_it(error):
    with pytest.raises(type(error)):
        await run([1, error, 2])
