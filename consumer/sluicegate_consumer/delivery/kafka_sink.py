"""The sink over aiokafka's idempotent producer."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from sluicegate_consumer.delivery.bounded import finish_within
from sluicegate_consumer.delivery.kafka_client import client_options, require_running
from sluicegate_consumer.delivery.sink import Unwritable
from sluicegate_consumer.delivery.values import Record
from sluicegate_consumer.errors import Fatal
from sluicegate_consumer.operations.settings import KafkaSettings

STOP_TIMEOUT_S = 5.0
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
        try:
            await self._producer.start()
        except KafkaError as error:
            await self.stop()
            raise Fatal(f"cannot write to {self._kafka.bootstrap_servers}: {error!r}") from error

    async def send(self, record: Record) -> asyncio.Future[Any]:
        """Buffer a record; see `Sink`."""
        message = record.message
        try:
            acknowledged: asyncio.Future[Any] = await self._producer.send(
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
            raise Fatal(f"writing to {record.topic}: {error!r}") from error
        return acknowledged

    def require_alive(self) -> None:
        """Check the client's task that sends; see `Sink`."""
        require_running(self._producer._sender._sender_task, "sender")  # noqa: SLF001 - there is no public way

    async def stop(self) -> None:
        """Flush and disconnect; see `Sink`."""
        await finish_within(STOP_TIMEOUT_S, self._producer.stop(), "producer")
