"""A batch closes when it is full, or when the device is free and its oldest item has waited long enough."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sluicegate_consumer.batching.batcher import Batch, Batcher, CloseReason

FAR = 3600.0
T = TypeVar("T")


async def fill(batcher: Batcher[int], weights: Iterable[int]) -> None:
    for item, weight in enumerate(weights):
        await batcher.put(item, weight)


async def test_a_full_batch_is_taken_at_once():
    batcher: Batcher[int] = Batcher(3, FAR)
    await fill(batcher, [1, 1, 1])
    assert Batch((0, 1, 2), 3, CloseReason.SIZE) == await batcher.take()


async def test_a_lone_item_is_taken_when_it_has_waited_long_enough():
    batcher: Batcher[int] = Batcher(3, 0.01)
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    await batcher.put(7)
    assert Batch((7,), 1, CloseReason.DEADLINE) == await taking


async def test_without_a_wait_whatever_is_there_is_taken():
    batcher: Batcher[int] = Batcher(8, 0.0)
    await fill(batcher, [1, 1])
    assert Batch((0, 1), 2, CloseReason.FREE) == await batcher.take()


async def test_a_batch_past_its_deadline_keeps_filling_while_nobody_takes_it():
    now = 0.0
    batcher: Batcher[int] = Batcher(4, 1.0, clock=lambda: now)
    await batcher.put(0)
    now = 5.0
    await batcher.put(1)
    assert Batch((0, 1), 2, CloseReason.FREE) == await batcher.take()


async def test_while_a_batch_is_out_only_a_full_one_is_given_and_the_rest_when_it_is_done():
    batcher: Batcher[int] = Batcher(3, 0.0)
    await batcher.put(0)
    await batcher.take()
    await fill(batcher, [1, 1])
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0.01)
    assert not taking.done()
    batcher.done()
    assert Batch((0, 1), 2, CloseReason.FREE) == await taking


async def test_a_full_batch_may_wait_behind_the_one_that_is_out():
    batcher: Batcher[int] = Batcher(2, 0.0)
    await batcher.put(0)
    await batcher.take()
    taking = asyncio.create_task(batcher.take())
    await fill(batcher, [1, 1])
    assert Batch((0, 1), 2, CloseReason.SIZE) == await taking


async def test_of_two_takers_whose_time_is_up_one_gets_the_item_and_the_other_waits_on():
    batcher: Batcher[int] = Batcher(3, 0.01)
    takers = [asyncio.create_task(batcher.take()) for _ in range(2)]
    await asyncio.sleep(0)
    await batcher.put(7)
    done, waiting = await asyncio.wait(takers, timeout=0.2)
    assert [(7,)] == [taker.result().items for taker in done]
    for taker in waiting:
        taker.cancel()


async def test_the_batch_closes_while_its_taker_waits():
    batcher: Batcher[int] = Batcher(2, FAR)
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    await fill(batcher, [1, 1])
    assert Batch((0, 1), 2, CloseReason.SIZE) == await taking


async def test_no_more_than_one_full_batch_waits():
    batcher: Batcher[int] = Batcher(2, FAR)
    await fill(batcher, [1, 1])
    putting = asyncio.create_task(batcher.put(2))
    await asyncio.sleep(0)
    assert not putting.done()
    await batcher.take()
    await putting
    assert 1 == batcher.waiting


async def test_an_item_heavier_than_a_batch_makes_one_of_its_own():
    batcher: Batcher[int] = Batcher(2, FAR)
    await batcher.put(0)
    await batcher.put(1, weight=5)
    assert (Batch((0,), 1, CloseReason.SIZE), Batch((1,), 5, CloseReason.SIZE)) == (
        await batcher.take(),
        await batcher.take(),
    )
    assert 0 == batcher.waiting


async def test_a_cancelled_taker_takes_nothing_along():
    batcher: Batcher[int] = Batcher(2, FAR)
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    await batcher.put(0)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    await batcher.put(1)
    assert (0, 1) == (await batcher.take()).items


@given(st.lists(st.integers(1, 6), min_size=1, max_size=60), st.integers(1, 8))
def test_every_item_leaves_once_in_order_and_no_batch_is_too_heavy(weights: list[int], most: int):
    async def pass_through() -> list[Batch[int]]:
        batcher: Batcher[int] = Batcher(most, 0.0)
        filling = asyncio.create_task(fill(batcher, weights))
        batches: list[Batch[int]] = []
        while sum(len(batch.items) for batch in batches) < len(weights):
            batches.append(await batcher.take())
            batcher.done()
        await filling
        return batches

    batches = asyncio.run(pass_through())
    assert list(range(len(weights))) == [item for batch in batches for item in batch.items]
    assert all(batch.weight <= most or len(batch.items) == 1 for batch in batches)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), min_size=1, max_size=40),
    st.integers(1, 8),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.001]),
    st.lists(st.integers(0, 4), min_size=40, max_size=40),
)
def test_nothing_is_forgotten_whoever_puts_takes_and_is_done_when(
    puts: list[tuple[int, int]], most: int, takers: int, wait_s: float, pauses: list[int]
):
    """Several takers, each with a batch out for some turns of the loop; items come in between, at any turn."""

    async def turns(count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def pass_through() -> list[int]:
        batcher: Batcher[int] = Batcher(most, wait_s)
        left: list[int] = []

        async def work(number: int) -> None:
            while True:
                batch = await batcher.take()
                await turns(pauses[(number + len(left)) % len(pauses)])
                batcher.done()
                await asyncio.sleep(0)
                left.extend(batch.items)

        working = [asyncio.create_task(work(number)) for number in range(takers)]
        for item, (weight, pause) in enumerate(puts):
            await batcher.put(item, weight)
            await turns(pause)
        async with asyncio.timeout(5):
            while len(left) < len(puts):
                await asyncio.sleep(0)
        for task in working:
            task.cancel()
        return left

    assert list(range(len(puts))) == sorted(asyncio.run(pass_through()))


class BatcherMachine(RuleBasedStateMachine):
    """Against the plainest model: a list of what waits. Time stands still but where a rule moves it."""

    MOST = 6
    WAIT_S = 10.0

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        self.batcher: Batcher[int] = Batcher(self.MOST, self.WAIT_S, clock=lambda: self.now)
        self.model: list[tuple[int, int, float]] = []
        self.count = 0
        self.out = 0

    def step(self, coroutine: Coroutine[Any, Any, T]) -> T | None:
        """What a coroutine comes to without waiting; None where it would have to wait, and is then given up."""

        async def run() -> T | None:
            task = asyncio.create_task(coroutine)
            await asyncio.sleep(0)
            if task.done():
                return task.result()
            task.cancel()
            await asyncio.wait({task})
            return None

        return self.loop.run_until_complete(run())

    def teardown(self) -> None:
        self.loop.close()

    @property
    def weight(self) -> int:
        return sum(weight for _, weight, _ in self.model)

    @precondition(lambda self: self.weight < self.MOST)
    @rule(weight=st.integers(1, 9))
    def put(self, weight: int) -> None:
        self.step(self.batcher.put(self.count, weight))
        self.model.append((self.count, weight, self.now))
        self.count += 1

    @precondition(lambda self: self.weight >= self.MOST)
    @rule(weight=st.integers(1, 9))
    def put_while_full(self, weight: int) -> None:
        """It waits, and nothing is added."""
        before = self.batcher.waiting
        self.step(self.batcher.put(self.count, weight))
        assert before == self.batcher.waiting

    @rule(seconds=st.floats(0.1, 30))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @property
    def ready(self) -> bool:
        """Whether there is a batch for whoever asks."""
        if self.weight >= self.MOST:
            return True
        return self.out == 0 and bool(self.model) and self.now - self.model[0][2] >= self.WAIT_S

    @precondition(lambda self: self.out > 0)
    @rule()
    def done(self) -> None:
        self.batcher.done()
        self.out -= 1

    @precondition(lambda self: not self.ready)
    @rule()
    def take_too_early(self) -> None:
        assert self.step(self.batcher.take()) is None

    @precondition(lambda self: self.ready)
    @rule()
    def take(self) -> None:
        batch = self.step(self.batcher.take())
        assert batch is not None
        self.out += 1
        expected = CloseReason.SIZE if self.weight >= self.MOST else CloseReason.FREE
        assert expected is batch.closed_by
        assert list(batch.items) == [item for item, _, _ in self.model[: len(batch.items)]]
        weights = [weight for _, weight, _ in self.model[: len(batch.items)]]
        assert sum(weights) == batch.weight
        assert batch.weight <= self.MOST or 1 == len(batch.items)
        del self.model[: len(batch.items)]
        # Nothing that would have fitted was left behind.
        assert not self.model or batch.weight + self.model[0][1] > self.MOST

    @invariant()
    def keeps_all_that_was_put(self) -> None:
        assert len(self.model) == self.batcher.waiting


TestBatcherMachine = BatcherMachine.TestCase


async def test_where_two_batches_keep_the_device_busy_a_small_second_one_goes_at_once_and_a_third_waits():
    batcher: Batcher[int] = Batcher(3, 0.0, side_by_side=2)
    for item in range(2):
        await batcher.put(item)
        assert Batch((item,), 1, CloseReason.FREE) == await batcher.take()
    await batcher.put(2)
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0.01)
    assert not taking.done()
    batcher.done()
    assert Batch((2,), 1, CloseReason.FREE) == await taking
