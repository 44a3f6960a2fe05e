"""Both services with the least rights on a Kafka with TLS, passwords and ACLs, and with one right fewer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from installation import installation, let_in
from load import Upload, uploads
from play import require
from stage import Stage
from world import World

from kafka_state import committed
from secure_kafka import names_of
from service_process import ServiceProcess
from sluicegate_consumer.delivery.rights import CONSUME, ESCALATE, Right

ROLES = {"consume": CONSUME, "escalate": ESCALATE}
SHORT = {("consume", "consumer_group"), ("consume", "dead_letters"), ("escalate", "reviews")}
"""Of the rights that are taken away, those in every run of the tests; the rest are `long`."""


@asynccontextmanager
async def installed(stage: Stage, directory: Path) -> AsyncIterator[World]:
    """Topics with uploads in them, and as yet no service."""
    stage.ollama.decision = "unsure"
    try:
        async with installation(stage, directory) as made:
            await made.publish(unsure(each) for each in uploads(7, 100))
            yield made
    finally:
        stage.ollama.decision = "approve"


def unsure(upload: Upload) -> Upload:
    """What the second tier is asked ends with a human here, so that it needs its right to the reviews."""
    return replace(upload, state="review") if upload.tiers == 2 else upload


async def test_with_the_least_rights_the_services_do_all_their_work(apache_secure_stage: Stage, tmp_path: Path):
    async with installed(apache_secure_stage, tmp_path) as made:
        for command in ROLES:
            made.start(command)
        await require(made)
        assert [0, 0] == [each.wait(0) for each in made.services]


def missing() -> list[object]:
    return [
        pytest.param(
            command,
            right,
            marks=() if (command, right.setting) in SHORT else pytest.mark.long,
            id=f"{command}-{right.operation}-{right.setting}",
        )
        for command, role in ROLES.items()
        for right in role.rights
    ]


@pytest.mark.parametrize(("command", "right"), missing())
async def test_one_right_fewer_ends_the_service_and_says_which(
    apache_secure_stage: Stage, tmp_path: Path, command: str, right: Right
):
    async with installed(apache_secure_stage, tmp_path) as made:
        poisoned = command == "escalate" and right.setting == "dead_letters"
        if poisoned:
            await publish_nonsense(made)
        let_in(made, without={command: right})
        if command == "escalate":
            made.start("consume")
        service = made.start(command)
        assert 2 == await ended(service), service.tail()
        name = names_of(made.topics, made.consumer_group, made.worker_group)[right.setting]
        assert f"User:{command} may not {right.operation} {right.resource} {name}" in service.tail(1)
        at = await committed(made.direct, made.consumer_group, made.topics.uploads)
        assert command != "consume" or sum(offset or 0 for offset in at.values()) < 100

        let_in(made)
        made.fault("it has ended")
        for each in ROLES:
            made.start(each)
        if poisoned:
            assert await made.settled(45), made.logs()
        else:
            await require(made)


async def ended(service: ServiceProcess) -> int:
    return await asyncio.to_thread(service.wait, 40)


async def publish_nonsense(made: World) -> None:
    async with AIOKafkaProducer(bootstrap_servers=made.direct) as producer:
        await producer.send_and_wait(made.topics.escalations, b"{", key=b"nonsense")
