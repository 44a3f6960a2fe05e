"""One image never costs its neighbours their scores, and a device that cannot be trusted ends the process."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.moderation.device import Device


def frame(value: int) -> np.ndarray:
    return np.full((16, 16, 3), value, np.uint8)


class Fragile(MemoryClassifier):
    """Fails for a whole batch where one frame of it is white."""

    def __init__(self) -> None:
        super().__init__(self.judge)

    @staticmethod
    def judge(pixels: np.ndarray) -> tuple[float, float]:
        if pixels.min() == 255:
            raise RuntimeError("white")
        return 0.0, float(pixels[0, 0, 0])


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device(Fragile(), timeout_s=5)
    yield device
    device.close()


async def test_scores_come_back_image_by_image_however_many_frames_each_has(device):
    answers = (await device.classify([[frame(1)], [frame(2), frame(3)], [frame(4)]])).answers
    assert [[1], [2, 3], [4]] == [answer[:, 1].tolist() for answer in answers]


@pytest.mark.parametrize("bad", [{0}, {6}, {0, 6}, {2, 3}, set(range(7))])
async def test_images_that_fail_stand_alone_and_the_others_keep_their_scores(device, bad):
    images = [[frame(255 if number in bad else number)] for number in range(7)]
    answers = (await device.classify(images)).answers
    assert bad == {number for number, answer in enumerate(answers) if isinstance(answer, RuntimeError)}
    assert all(answers[number][0, 1] == number for number in set(range(7)) - bad)


async def test_an_error_that_passes_costs_nothing_even_an_image_that_is_alone():
    failures = [RuntimeError("out of memory")]

    def fail_once(pixels: np.ndarray) -> tuple[float, float]:
        if failures:
            raise failures.pop()
        return 0.0, float(pixels[0, 0, 0])

    device = Device(MemoryClassifier(fail_once), timeout_s=5)
    (answer,) = (await device.classify([[frame(3)]])).answers
    assert [[0.0, 3.0]] == answer.tolist()
    device.close()


async def test_scores_of_the_wrong_shape_are_fatal():
    device = Device(MemoryClassifier(lambda _: (1.0, 0.0, 0.0)), timeout_s=5)
    with pytest.raises(Fatal, match=r"shape \(1, 3\) for 1 frames"):
        await device.classify([[frame(1)]])
    device.close()


async def test_a_device_that_hangs_is_fatal_in_time_and_closing_does_not_wait_for_it():
    release = threading.Event()

    def hang(_: np.ndarray) -> tuple[float, float]:
        release.wait(10)
        return 1.0, 0.0

    classifier = MemoryClassifier(hang)
    device = Device(classifier, timeout_s=0.05)
    with pytest.raises(Fatal, match=r"did not answer within model\.timeout_s=0\.05"):
        await device.classify([[frame(1)], [frame(2)]])
    device.close()
    assert not classifier.closed
    release.set()


async def test_closing_closes_the_classifier():
    classifier = MemoryClassifier()
    Device(classifier, timeout_s=5).close()
    assert classifier.closed
