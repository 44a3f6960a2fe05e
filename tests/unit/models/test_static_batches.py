"""Any number of frames in batches of fixed sizes: each frame its own outputs, each place one batch at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sluicegate_consumer.models.static_batches import StaticBatches, sizes_up_to

SHAPE = (4, 4, 3)


class MemoryRunner:
    """A device in memory: it computes what its place held when it was launched, and notices a place used twice."""

    def __init__(self, places: int, max_batch: int, *, fails: int | None = None) -> None:
        self._pixels = [np.full((max_batch, *SHAPE), 99, np.uint8) for _ in range(places)]
        self._results: dict[int, np.ndarray] = {}
        self._fails = fails
        self._lock = threading.Lock()
        self.launched: list[tuple[int, int]] = []

    def pixels(self, place):
        return self._pixels[place]

    def launch(self, place, size):
        with self._lock:
            assert place not in self._results, "a place was launched before its outputs were taken"
            self.launched.append((place, size))
            if len(self.launched) == self._fails:
                raise RuntimeError("out of memory")
            self._results[place] = self._pixels[place][:size, 0, 0].astype(np.float32)

    def outputs(self, place, size):
        threading.Event().wait(0.001)
        with self._lock:
            results = self._results.pop(place)
        assert len(results) == size
        return results


def frames(*values):
    return [np.full(SHAPE, value, np.uint8) for value in values]


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, (1,)), (4, (1, 4)), (16, (1, 8, 16)), (256, (1, 8, 32, 128, 256)), (300, (1, 8, 32, 128, 256, 300))],
)
def test_sizes_end_with_the_largest_batch(most, expected):
    assert expected == sizes_up_to(most)


@pytest.mark.parametrize(
    ("count", "launched"),
    [(1, [1]), (2, [8]), (8, [8]), (9, [16]), (16, [16]), (17, [16, 1]), (40, [16, 16, 8])],
)
def test_each_batch_goes_in_the_smallest_size_that_holds_it_and_outputs_keep_their_order(count, launched):
    runner = MemoryRunner(2, 16)
    outputs = StaticBatches(runner, 2, 16).outputs(frames(*range(count)))
    assert list(range(count)) == outputs[:, 0].tolist()
    assert launched == [size for _, size in runner.launched]


def test_places_take_turns():
    runner = MemoryRunner(2, 8)
    batches = StaticBatches(runner, 2, 8)
    for _ in range(4):
        batches.outputs(frames(1))
    assert [0, 1, 0, 1] == [place for place, _ in runner.launched]


def test_as_many_threads_as_places_get_their_own_outputs():
    batches = StaticBatches(MemoryRunner(2, 8), 2, 8)

    def ask(value):
        return batches.outputs(frames(*[value] * (1 + value % 8)))[:, 0].tolist()

    with ThreadPoolExecutor(4) as pool:
        for value, outputs in zip(range(200), pool.map(ask, range(200)), strict=True):
            assert [value] * (1 + value % 8) == outputs


@pytest.mark.parametrize("wrong", ["launch", "frame"])
def test_a_batch_that_fails_gives_its_place_back(wrong):
    runner = MemoryRunner(1, 8, fails=1 if wrong == "launch" else None)
    batches = StaticBatches(runner, 1, 8)
    bad = frames(1) if wrong == "launch" else [np.zeros((1, 1, 3), np.uint8)]
    with pytest.raises((RuntimeError, ValueError)):
        batches.outputs(bad)
    assert [[5.0, 5.0, 5.0]] == batches.outputs(frames(5)).tolist()
