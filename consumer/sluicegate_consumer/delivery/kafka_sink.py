"""The sink over aiokafka's idempotent producer."""

import asyncio
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from sluicegate_consumer.delivery.bounded import finish_within
from sluicegate_consumer.delivery.kafka_client import client_options, hear_brokers, require_running, start_timeout_s
from sluicegate_consumer.delivery.refusals import refused, shut_out
from sluicegate_consumer.delivery.sink import Unwritable
from sluicegate_consumer.delivery.values import Record
from sluicegate_consumer.errors import Fatal, SluicegateError
from sluicegate_consumer.operations.settings import KafkaSettings

STOP_TIMEOUT_S = 5.0
CONNECT_ANSWERS = 1
"""The producer's id, without which nothing can be written once; the client asks for it again and again."""
HEADROOM_BYTES = 64 * 1024
"""What a record may grow by on its way through: the headers of a dead letter, an escalation's event."""


class KafkaSink:
    """Writes to any topic. Idempotent: what the client itself sends again is stored once."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka

    async def start(self) -> None:
        """Connect; see `Sink`."""
        self._producer = AIOKafkaProducer(
            **client_options(self._kafka),
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_batch_size=256 * 1024,
            # Refused here, a record costs nothing. Refused by the broker, it would spoil the producer's sequence.
            max_request_size=self._kafka.max_record_bytes + HEADROOM_BYTES,
        )
        hear_brokers(self._producer.client)
        try:
            await self._connect()
        except BaseException:
            # Also where it is called off: a client that nobody stops works on in the background.
            await self.stop()
            raise

    async def _connect(self) -> None:
        seconds = start_timeout_s(self._kafka, self._kafka.request_timeout_s, CONNECT_ANSWERS)
        where = self._kafka.bootstrap_servers
        try:
            async with asyncio.timeout(seconds):
                await self._producer.start()
        except TimeoutError as error:
            raise Fatal(f"no producer id from {where} within {seconds:g} s") from error
        except KafkaError as error:
            if why := refused(error, self._kafka, "Write", topic="(any)") or await shut_out(error, self._kafka):
                raise why from error
            raise Fatal(f"cannot write to {where}: {error!r}") from error

    async def send(self, record: Record) -> asyncio.Future[Any]:
        """Buffer a record; see `Sink`."""
        message = record.message
        if message.key is None and message.value is None:
            raise Unwritable(f"a record for {record.topic} with neither key nor value; must have one")
        try:
            sent: asyncio.Future[Any] = await self._producer.send(
                record.topic,
                key=message.key,
                value=message.value,
                headers=list(message.headers),
                timestamp_ms=message.timestamp_ms,
            )
        except MessageSizeTooLargeError as error:
            size = len(message.value or b"")
            raise Unwritable(
                f"a record of {size} bytes for {record.topic} is larger than kafka.max_record_bytes="
                f"{self._kafka.max_record_bytes} and {HEADROOM_BYTES} more allow"
            ) from error
        except KafkaError as error:
            raise self._failure(error, record.topic) from error
        acknowledged: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        sent.add_done_callback(partial(self._acknowledge, acknowledged, record.topic))
        return acknowledged

    def _acknowledge(self, acknowledged: asyncio.Future[Any], topic: str, sent: asyncio.Future[Any]) -> None:
        if acknowledged.done():
            return
        if sent.cancelled():
            acknowledged.cancel()
        elif (error := sent.exception()) is not None:
            acknowledged.set_exception(self._failure(error, topic))
        else:
            acknowledged.set_result(sent.result())

    def _failure(self, error: BaseException, topic: str) -> SluicegateError:
        return refused(error, self._kafka, "Write", topic=topic) or Fatal(f"writing to {topic}: {error!r}")

    def require_alive(self) -> None:
        """Check the client's task that sends; see `Sink`."""
        require_running(self._producer._sender._sender_task, "sender")  # noqa: SLF001 - there is no public way

    async def stop(self) -> None:
        """Flush and disconnect; see `Sink`."""
        await finish_within(STOP_TIMEOUT_S, self._producer.stop(), "producer")
