import asyncio

import pytest

from sluicegate_consumer.moderation.waiting_room import WaitingRoom
from sluicegate_consumer.policy.ruling import Ruling
from sluicegate_schemas.events import Decision

REVIEW = Ruling(Decision.REVIEW, ())


@pytest.fixture
async def room() -> WaitingRoom:
    room = WaitingRoom()
    for name in "abc":
        await room.enter(name)
    return room


async def test_first_come_first_served(room):
    assert ["a", "b", "c"] == [await room.next() for _ in range(3)]


async def test_one_that_comes_back_is_first(room):
    first = await room.next()
    room.back_to_the_front(first)
    assert ("a", 2) == (await room.next(), len(room))


async def test_whoever_waits_for_nobody_waits_until_somebody_comes():
    room = WaitingRoom()
    waiting = [asyncio.create_task(room.next()) for _ in range(2)]
    await asyncio.sleep(0)
    await room.enter("a")
    await room.enter("b")
    assert {"a", "b"} == set(await asyncio.gather(*waiting))


async def test_those_with_a_ruling_are_let_go_and_the_others_keep_their_order(room):
    assert [("b", REVIEW)] == room.let_go(lambda case: REVIEW if case == "b" else None)
    assert ["a", "c"] == [await room.next() for _ in range(2)]
