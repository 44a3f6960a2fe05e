"""A start has a bound and hears the request to end, also where brokers are there and do not take it in."""

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import errors

from kafka_state import eventually
from mixed_uploads import POLICY
from mock_kafka import MockKafka, Request, mock_kafka
from service_process import service
from sluicegate_consumer.delivery import kafka_source
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.operations.settings import KafkaSettings

pytestmark = pytest.mark.integration

FOR_LONG = 500
"""More errors than clients ask for within a test."""


@pytest.fixture
def aloof() -> Iterator[MockKafka]:
    """A broker that is there, without a coordinator for any group."""
    with mock_kafka() as broker:
        broker.create_topic("uploads", 1)
        broker.answer(Request.FIND_COORDINATOR, *[errors.GroupCoordinatorNotAvailableError] * FOR_LONG)
        yield broker


def settings(bootstrap_servers: str) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=bootstrap_servers, request_timeout_s=1, rebalance_timeout_s=1, session_timeout_s=6
    )


async def nobody(_: Collection[object]) -> None:
    """No interest."""


async def test_a_group_without_a_coordinator_is_fatal_in_time(aloof: MockKafka, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kafka_source, "JOIN_MARGIN_S", 0.0)
    began = time.monotonic()
    with pytest.raises(Fatal, match=r"not in group readers at .* within 3 s"):
        async with asyncio.timeout(30):
            await KafkaSource(settings(aloof.bootstrap_servers), "uploads", "readers").start(nobody)
    assert 2.5 < time.monotonic() - began < 15


async def test_a_broker_that_gives_no_producer_id_is_fatal_in_time(aloof: MockKafka):
    aloof.answer(Request.INIT_PRODUCER_ID, *[errors.CoordinatorLoadInProgressError] * FOR_LONG)
    with pytest.raises(Fatal, match=r"no producer id from .* within 2 s"):
        async with asyncio.timeout(30):
            await KafkaSink(settings(aloof.bootstrap_servers)).start()


async def test_a_start_that_is_called_off_leaves_nothing_open(aloof: MockKafka):
    aloof.answer(Request.INIT_PRODUCER_ID, *[errors.CoordinatorLoadInProgressError] * FOR_LONG)
    kafka = settings(aloof.bootstrap_servers)
    await leaves_nothing_open(lambda: KafkaSource(kafka, "uploads", "readers").start(nobody))
    await leaves_nothing_open(lambda: KafkaSink(kafka).start())


async def test_one_that_is_called_off_while_it_connects_leaves_nothing_open():
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        kafka = settings(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        kafka = kafka.model_copy(update={"request_timeout_s": 30})
        await leaves_nothing_open(lambda: KafkaSource(kafka, "uploads", "readers").start(nobody))
        await leaves_nothing_open(lambda: KafkaSink(kafka).start())


async def leaves_nothing_open(start: Callable[[], Awaitable[None]]) -> None:
    """By what the client itself reports when it is collected."""
    loop, said = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _, context: said.append(context["message"]))
    task = asyncio.ensure_future(start())
    await asyncio.sleep(0.5)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    del task
    await asyncio.sleep(0.1)
    gc.collect()
    loop.set_exception_handler(None)
    assert [] == said


@pytest.mark.parametrize("command", ["consume", "escalate"])
async def test_a_service_that_waits_for_its_group_ends_when_it_is_asked_to(
    aloof: MockKafka, tmp_path: Path, command: str
):
    (tmp_path / "policy.yaml").write_text(POLICY)
    aloof.create_topic("escalations", 1)
    environment = {
        "SLUICEGATE_POLICY_FILE": str(tmp_path / "policy.yaml"),
        "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": aloof.bootstrap_servers,
        "SLUICEGATE_TOPICS__UPLOADS": "uploads",
        "SLUICEGATE_TOPICS__ESCALATIONS": "escalations",
        "SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(tmp_path)]),
        "SLUICEGATE_MODEL__NAME": "embedded",
        "SLUICEGATE_MODEL__DEVICE": "cpu",
        "SLUICEGATE_OLLAMA__URLS": json.dumps(["http://127.0.0.1:1"]),
    }

    async def waits() -> bool:
        return aloof.left(Request.FIND_COORDINATOR) < FOR_LONG

    with service(command, environment, tmp_path / "log") as process:
        await eventually(waits, 60, process.tail)
        assert 0 == await asyncio.to_thread(process.stop, 20), process.tail()
    assert "ended_before_it_had_started" in process.logged()
    assert "Unclosed" not in process.logged()
