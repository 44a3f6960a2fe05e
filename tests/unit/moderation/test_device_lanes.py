"""A device that takes several batches at a time gets them; and no batch answers for the time of the one before it."""

import asyncio
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.moderation.device import Device

FRAME = np.zeros((16, 16, 3), np.uint8)


class Lanes(MemoryClassifier):
    """Each call waits until as many are inside as there are lanes."""

    def __init__(self, lanes: int) -> None:
        super().__init__(self.meet)
        self._card = replace(self._card, lanes=lanes)
        self._together = threading.Barrier(lanes, timeout=5)

    def meet(self, _):
        self._together.wait()
        return 0.5, 0.5


@pytest.mark.parametrize("lanes", [1, 2, 3])
async def test_as_many_batches_as_lanes_are_computed_at_the_same_time(lanes):
    device = Device(Lanes(lanes), timeout_s=10)
    answers = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(lanes)))
    assert all(isinstance(answer[0], np.ndarray) for answer in answers)
    device.close()


async def test_a_batch_that_waits_for_the_device_is_not_late_for_it():
    def slowly(_):
        time.sleep(0.6)
        return 0.5, 0.5

    device = Device(MemoryClassifier(slowly), timeout_s=1.0)
    answers = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(2)))
    assert 2 == len(answers)
    device.close()


async def test_a_device_that_hangs_fails_all_that_wait_for_it():
    release = threading.Event()
    device = Device(MemoryClassifier(lambda _: (float(release.wait(10)), 0.0)), timeout_s=0.1)
    both = await asyncio.gather(*(device.classify([[FRAME]]) for _ in range(2)), return_exceptions=True)
    assert all(isinstance(error, Fatal) for error in both)
    release.set()
    device.close()
