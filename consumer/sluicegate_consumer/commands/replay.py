"""Sends dead letters back to where they came from: chosen first, so that no other than those are sent.

They go as they came, timestamp included. Only one that its topic would soon drop for its age, or has dropped as it
arrives, gets the latest timestamp that keeps it for half of the topic's time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from sluicegate_consumer.delivery.dead_letters import restore
from sluicegate_consumer.delivery.kafka_admin import describe_topics, kafka_admin
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.delivery.refusals import principal
from sluicegate_consumer.delivery.values import Arrival, Record
from sluicegate_consumer.errors import ConfigurationError, Poison, Transient
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
        ConfigurationError: a right is missing.
    """
    oldest_ms = await _oldest_kept_ms(settings, selection.counts)
    sink = KafkaSink(settings.kafka)
    await sink.start()
    try:
        sent = 0
        pending: list[asyncio.Future[Any]] = []
        async with aclosing(_letters(settings)) as letters:
            async for arrival in letters:
                if _place(arrival) not in selection.chosen:
                    continue
                pending.append(await sink.send(_kept(restore(arrival.message), oldest_ms)))
                if len(pending) == UNACKNOWLEDGED:
                    sent += await _acknowledged(pending, settings.delivery.publish_timeout_s, sent)
        return sent + await _acknowledged(pending, settings.delivery.publish_timeout_s, sent)
    finally:
        await sink.stop()


async def _oldest_kept_ms(settings: Settings, topics: Collection[str]) -> dict[str, int]:
    """The timestamp that each topic keeps for half of its time; none for a topic that keeps for ever, or is unseen.

    Raises:
        ConfigurationError: how long one keeps records may not be read: it might drop some as they arrive.
    """
    async with kafka_admin(settings.kafka) as admin:
        described = await describe_topics(admin, topics, ["retention.ms"])
    for name, topic in described.items():
        if topic.configs is None:
            raise ConfigurationError(
                f"{principal(settings.kafka)} may not DescribeConfigs topic {name}, which might drop old records as "
                "they arrive: docs/kafka-rights.md lists what each command must be granted"
            )
    retention_ms = {name: int((topic.configs or {}).get("retention.ms", -1)) for name, topic in described.items()}
    now_ms = time.time_ns() // 1_000_000
    return {name: now_ms - kept_ms // 2 for name, kept_ms in retention_ms.items() if kept_ms >= 0}


def _kept(record: Record, oldest_ms: Mapping[str, int]) -> Record:
    timestamp_ms, oldest = record.message.timestamp_ms, oldest_ms.get(record.topic)
    if timestamp_ms is None or oldest is None or timestamp_ms >= oldest:
        return record
    return replace(record, message=replace(record.message, timestamp_ms=oldest))


async def _acknowledged(pending: list[asyncio.Future[Any]], timeout_s: float, before: int) -> int:
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(*pending)
    except Exception as error:
        failure = ConfigurationError if isinstance(error, ConfigurationError) else Transient
        raise failure(f"stopped after {before} records: {type(error).__name__}: {error}") from error
    count = len(pending)
    pending.clear()
    return count


def _letters(settings: Settings) -> AsyncGenerator[Arrival, None]:
    return read_topic(settings.kafka, settings.topics.dead_letters)


def _place(arrival: Arrival) -> Place:
    return arrival.partition.number, arrival.offset
