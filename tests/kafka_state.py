"""What a broker holds, read with a plain client: no code of the services is used to judge them."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

PATIENCE_S = 30.0


async def records(bootstrap_servers: str, topic: str) -> list[ConsumerRecord]:
    """Every record of a topic up to its present end, in order within a partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        isolation_level="read_committed",
        max_partition_fetch_bytes=32 * 1024 * 1024,
    )
    try:
        await consumer.start()
        partitions = await _partitions(consumer, topic)
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[ConsumerRecord] = []
        deadline = time.monotonic() + PATIENCE_S
        while behind := [each for each in partitions if await consumer.position(each) < ends[each]]:
            assert time.monotonic() < deadline, f"{topic}: nothing more came, although {behind} are not at their ends"
            for part in (await consumer.getmany(*behind, timeout_ms=200)).values():
                found += part
        return found
    finally:
        await _stop(consumer)


async def committed(bootstrap_servers: str, group: str, topic: str) -> dict[int, int | None]:
    """Partition to the offset that a group has committed; None where it has none."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = await _partitions(consumer, topic)
        return {each.partition: await consumer.committed(each) for each in partitions}
    finally:
        await _stop(consumer)


async def ends(bootstrap_servers: str, topic: str) -> dict[int, int]:
    """Partition to the offset behind its last record."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    try:
        await consumer.start()
        found = await consumer.end_offsets(await _partitions(consumer, topic))
        return {each.partition: offset for each, offset in found.items()}
    finally:
        await _stop(consumer)


async def all_committed(bootstrap_servers: str, group: str, topic: str) -> bool:
    """Whether a group has committed everything that a topic holds."""
    at = await committed(bootstrap_servers, group, topic)
    return all((at[number] or 0) >= end for number, end in (await ends(bootstrap_servers, topic)).items())


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float, otherwise: Callable[[], str]) -> None:
    """Wait for a condition; when it does not come, fail with what `otherwise` says."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, otherwise()
        await asyncio.sleep(0.1)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """In a task of its own, within a bound: a client that stops may raise CancelledError, which nobody asked for."""
    await asyncio.wait({asyncio.create_task(consumer.stop())}, timeout=5)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    await consumer._client.force_metadata_update()
    await consumer._client.add_topic(topic)
    numbers = consumer.partitions_for_topic(topic)
    assert numbers, f"there is no topic {topic}"
    return [TopicPartition(topic, number) for number in sorted(numbers)]
