"""Sends dead letters back to where they came from: chosen first, so that no other than those are sent."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from sluicegate_consumer.delivery.dead_letters import restore
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.delivery.values import Arrival
from sluicegate_consumer.errors import Poison, Transient
from sluicegate_consumer.operations.settings import Settings

UNACKNOWLEDGED = 64
"""Records on their way at the same time."""

Place = tuple[int, int]
"""Partition and offset in the dead-letter topic."""


@dataclass(slots=True)
class Selection:
    """Which dead letters are to be sent, and to which topics."""

    chosen: set[Place] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    """By the topic that they go to."""
    foreign: list[Place] = field(default_factory=list)
    """Records among them that are not dead letters."""


async def select(
    settings: Settings, *, partition: int | None = None, offset: int | None = None, topic: str | None = None
) -> Selection:
    """Choose by place in the dead-letter topic and by the topic they came from; None leaves open."""
    selection = Selection()
    async for arrival in _letters(settings):
        place = _place(arrival)
        if partition not in (None, place[0]) or offset not in (None, place[1]):
            continue
        try:
            target = restore(arrival.message).topic
        except Poison:
            selection.foreign.append(place)
            continue
        if topic in (None, target):
            selection.chosen.add(place)
            selection.counts[target] += 1
    return selection


async def replay(settings: Settings, selection: Selection) -> int:
    """Send what is chosen; gives how many records the brokers acknowledged: all of them.

    Raises:
        Transient: one was not acknowledged in time; those before it are sent, and to send them again does no
            harm.
    """
    sink = KafkaSink(settings.kafka)
    await sink.start()
    try:
        sent = 0
        pending: list[asyncio.Future[Any]] = []
        async with aclosing(_letters(settings)) as letters:
            async for arrival in letters:
                if _place(arrival) not in selection.chosen:
                    continue
                pending.append(await sink.send(restore(arrival.message)))
                if len(pending) == UNACKNOWLEDGED:
                    sent += await _acknowledged(pending, settings.delivery.publish_timeout_s, sent)
        return sent + await _acknowledged(pending, settings.delivery.publish_timeout_s, sent)
    finally:
        await sink.stop()


async def _acknowledged(pending: list[asyncio.Future[Any]], timeout_s: float, before: int) -> int:
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(*pending)
    except Exception as error:
        raise Transient(f"stopped after {before} records: {type(error).__name__}: {error}") from error
    count = len(pending)
    pending.clear()
    return count


def _letters(settings: Settings) -> AsyncGenerator[Arrival, None]:
    return read_topic(settings.kafka, settings.topics.dead_letters)


def _place(arrival: Arrival) -> Place:
    return arrival.partition.number, arrival.offset
