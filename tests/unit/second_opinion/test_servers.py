"""The least busy server that can be asked is asked next, and whoever waits is told of every change."""

import asyncio

import pytest

from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.breaker import Breaker
from sluicegate_consumer.second_opinion.client import OllamaServer
from sluicegate_consumer.second_opinion.servers import AllOpen, Replica, Servers


def servers(count: int, places: int = 1) -> Servers:
    settings = OllamaSettings()
    return Servers(
        [
            Replica(OllamaServer(f"http://host-{number}", settings), Breaker(1, 5.0, lambda: 0.0))
            for number in range(count)
        ],
        places,
    )


async def test_the_least_busy_one_is_taken():
    pool = servers(2, places=2)
    taken = [await pool.take() for _ in range(4)]
    assert [2, 2] == [taken.count(replica) for replica in pool.replicas]
    assert taken[0] is not taken[1]


async def test_when_all_are_busy_the_next_place_is_waited_for_in_turn():
    pool = servers(1)
    first = await pool.take()
    waiting = [asyncio.create_task(pool.take()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    pool.give_back(first)
    await waiting[0]
    assert not waiting[1].done()
    pool.give_back(first)
    await waiting[1]


async def test_one_that_has_just_failed_is_taken_only_if_no_other_is_free():
    pool = servers(2)
    failed = pool.replicas[0]
    assert pool.replicas[1] is await pool.take(avoid=failed)
    assert failed is await pool.take(avoid=failed)


async def test_open_breakers_are_not_asked_and_all_open_is_said_at_once():
    pool = servers(2)
    pool.replicas[0].breaker.trip()
    assert pool.replicas[1] is await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.replicas[1].breaker.trip()
    pool.changed()
    with pytest.raises(AllOpen):
        await waiting
    assert not pool.available


async def test_whoever_waits_for_a_server_goes_on_when_one_is_back():
    pool = servers(1)
    pool.replicas[0].breaker.trip()
    waiting = asyncio.create_task(pool.wait_available())
    await asyncio.sleep(0)
    assert not waiting.done()
    pool.replicas[0].breaker.close()
    pool.changed()
    await waiting


async def test_a_cancelled_wait_takes_no_place():
    pool = servers(1)
    first = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    pool.give_back(first)
    assert 0 == pool.replicas[0].in_flight
    await pool.take()
