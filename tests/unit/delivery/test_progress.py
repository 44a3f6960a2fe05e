"""A client that reads nothing although there is something is stuck; one that has nothing to read is not."""

import pytest

from sluicegate_consumer.delivery.progress import Progress
from sluicegate_consumer.errors import Fatal


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    return Progress(100.0, clock)


def test_silence_with_nothing_to_read_is_no_stall(progress: Progress, clock: Clock):
    for clock.now in (60.0, 120.0, 500.0):
        assert progress.silent
        progress.require(0)


def test_silence_although_records_wait_is_one_after_its_time(progress: Progress, clock: Clock):
    clock.now = 50.0
    progress.require(3)
    clock.now = 99.0
    progress.require(3)
    clock.now = 100.0
    with pytest.raises(Fatal, match="no record in 100 s, although 3 wait"):
        progress.require(3)


def test_records_that_have_only_just_come_are_waited_for(progress: Progress, clock: Clock):
    clock.now = 300.0
    progress.require(3)
    clock.now = 340.0
    progress.require(3)
    progress.moved()
    clock.now = 399.0
    progress.require(3)


def test_what_moves_is_not_silent(progress: Progress, clock: Clock):
    clock.now = 49.0
    assert not progress.silent
    clock.now = 80.0
    progress.moved()
    assert not progress.silent
