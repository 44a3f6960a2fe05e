"""A device that takes several batches at a time gets them; and no batch answers for the time of the one before it."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.moderation.device import Device

FRAME = np.zeros((16, 16, 3), np.uint8)
TOLERANCE_NS = 300_000_000
"""The event loop learns of an end later than the thread that begins with the next batch."""


class Lanes(MemoryClassifier):
    """Takes several calls at a time."""

    def __init__(self, lanes: int, side_by_side: int, judge: Callable[[np.ndarray], Sequence[float]]) -> None:
        super().__init__(judge)
        self._card = replace(self._card, lanes=lanes, side_by_side=side_by_side)


def slowly(_):
    time.sleep(0.6)
    return 0.5, 0.5


@pytest.mark.parametrize("lanes", [1, 2, 3])
async def test_as_many_batches_as_lanes_are_computed_at_the_same_time(lanes):
    together = threading.Barrier(lanes, timeout=5)
    device = Device(Lanes(lanes, lanes, lambda _: (float(together.wait()), 0.5)), timeout_s=10)
    batches = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(lanes)))
    assert all(isinstance(computed.answers[0], np.ndarray) for computed in batches)
    device.close()


async def test_a_batch_that_waits_for_the_device_is_not_late_for_it():
    device = Device(MemoryClassifier(slowly), timeout_s=1.0)
    batches = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(2)))
    assert 2 == len(batches)
    device.close()


async def test_a_device_that_hangs_fails_all_that_wait_for_it():
    release = threading.Event()
    device = Device(MemoryClassifier(lambda _: (float(release.wait(10)), 0.0)), timeout_s=0.1)
    async with asyncio.timeout(5):
        both = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(2)), return_exceptions=True)
    assert all(isinstance(error, Fatal) for error in both)
    release.set()
    device.close()


async def test_a_small_batch_beside_a_large_one_does_not_wait_for_it():
    release = threading.Event()
    device = Device(Lanes(2, 2, lambda frame: (float(not frame.any() or release.wait(10)), 0.0)), timeout_s=10)
    large = asyncio.create_task(device.classify([[FRAME + 1]]))
    await asyncio.sleep(0.05)
    await device.classify([[FRAME]])
    assert not large.done()
    release.set()
    await large
    device.close()


async def test_what_a_batch_waited_for_another_is_not_its_computing():
    device = Device(MemoryClassifier(slowly), timeout_s=5.0)
    first, second = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(2)))
    assert first.began_ns < first.ended_ns
    assert second.began_ns >= first.ended_ns - TOLERANCE_NS
    device.close()


async def test_a_lane_that_only_copies_beside_another_begins_when_that_one_ended():
    device = Device(Lanes(2, 1, slowly), timeout_s=5.0)
    both = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(2)))
    first, second = sorted(both, key=lambda computed: computed.ended_ns)
    assert second.began_ns == first.ended_ns
    device.close()
