"""What cannot be dealt with stops what it must stop, and nothing is ever dropped."""

import asyncio
import json
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from load import uploads
from play import playing, require
from poison import MAX_BYTES, every_kind, poison
from stage import Stage
from world import IN_FLIGHT, World

from brokers import free_ports
from kafka_state import committed, ends, eventually, records


async def metric(port: int, name: str) -> float:
    """A value from the service's own endpoint; NaN while it does not answer."""
    with suppress(OSError):
        text = await asyncio.to_thread(
            lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
        )
        for line in text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
    return float("nan")


def endpoint() -> tuple[int, dict[str, str]]:
    (port,) = free_ports(1)
    return port, {"SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT": str(port)}


async def restart(made: World, **settings: str) -> None:
    """Replace the consumer by one with other settings."""
    await made.end(made.first("consume"))
    made.start("consume", **settings)


@pytest.mark.embedded_will_do
async def test_every_kind_of_poison_costs_its_neighbours_nothing(stage: Stage, tmp_path: Path):
    root = tmp_path / "images"
    root.mkdir()
    settings = {
        "SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(root)]),
        "SLUICEGATE_FETCH__MAX_BYTES": str(MAX_BYTES),
    }
    async with playing(stage, tmp_path, **settings) as made:
        bad, good = every_kind(root), list(uploads(11, 120, poison=0.0))
        mixed = [each for number, one in enumerate(bad) for each in (*good[10 * number : 10 * number + 10], one)]
        await made.publish(mixed + good[10 * len(bad) :])
        await require(made)
        assert (0, []) == (sum(made.findings.copies.values()), made.exits)


@pytest.mark.embedded_will_do
async def test_nothing_but_poison_halts_consumption_instead_of_emptying_the_topic(stage: Stage, tmp_path: Path):
    port, endpoint_settings = endpoint()
    limits = {"SLUICEGATE_DELIVERY__DEAD_LETTER_WINDOW": "50", "SLUICEGATE_DELIVERY__DEAD_LETTER_MAX_SHARE": "0.5"}
    async with playing(stage, tmp_path, only="consume", **endpoint_settings, **limits) as made:
        await made.publish([poison(number) for number in range(400)])

        async def halted() -> bool:
            return await metric(port, "sluicegate_consumption_halted") == 1.0

        await eventually(halted, 30, made.logs)
        await asyncio.sleep(1)
        letters = await records(made.direct, made.topics.dead_letters)
        assert 25 < len(letters) <= 26 + IN_FLIGHT
        assert "consumption_halted" in made.services[0].logged()
        at = await committed(made.direct, made.consumer_group, made.topics.uploads)
        assert sum(offset or 0 for offset in at.values()) <= len(letters)
        # Mended: here by allowing what they are.
        await restart(made, SLUICEGATE_DELIVERY__DEAD_LETTER_MAX_SHARE="1", SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT="0")
        made.start("escalate")
        await require(made)


async def test_a_dead_letter_that_cannot_be_written_stops_its_partition_alone(stage: Stage, tmp_path: Path):
    port, endpoint_settings = endpoint()
    small = {"SLUICEGATE_KAFKA__MAX_RECORD_BYTES": str(200_000)}
    async with playing(stage, tmp_path, only="escalate", **small) as made:
        made.start("consume", **endpoint_settings)
        good = list(uploads(5, 90, poison=0.0))
        await made.publish([*good[:45], poison(1, size=400_000), *good[45:]])

        async def blocked() -> bool:
            return await metric(port, "sluicegate_blocked_partitions") == 1.0

        await eventually(blocked, 30, made.logs)

        async def others_are_done() -> bool:
            at = await committed(made.direct, made.consumer_group, made.topics.uploads)
            to = await ends(made.direct, made.topics.uploads)
            return 2 <= sum((at[partition] or 0) >= to[partition] for partition in to)

        await eventually(others_are_done, 30, made.logs)
        (big,) = [each for each in await records(made.direct, made.topics.uploads) if len(each.value or b"") > 100_000]
        assert big.key not in {letter.key for letter in await records(made.direct, made.topics.dead_letters)}
        at = await committed(made.direct, made.consumer_group, made.topics.uploads)
        assert (at[big.partition] or 0) <= big.offset
        await restart(made, SLUICEGATE_KAFKA__MAX_RECORD_BYTES=str(2**20), SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT="0")
        await require(made)


async def test_a_dead_letter_topic_that_refuses_ends_the_service_and_nothing_is_committed_past_it(
    apache_stage: Stage, tmp_path: Path
):
    async with playing(apache_stage, tmp_path) as made:
        await limit(made.direct, made.topics.dead_letters, 100)
        await made.publish([poison(number, size=1000) for number in range(3)])
        deadline = time.monotonic() + 40
        while not made.exits:
            assert time.monotonic() < deadline, made.logs()
            await asyncio.sleep(0.1)
        assert ("consume-0", 1) == made.exits[0]
        at = await committed(made.direct, made.consumer_group, made.topics.uploads)
        assert 0 == sum(offset or 0 for offset in at.values())
        await limit(made.direct, made.topics.dead_letters, 2**20)
        await require(made)


async def limit(bootstrap_servers: str, topic: str, max_bytes: int) -> None:
    """Have a topic take no larger batches."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(max_bytes)})
        await admin.alter_configs([resource])
    finally:
        await admin.close()
