"""`consume.py`, composed as it composes itself, with some of its edges exchanged for the length of a measurement."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, cast

from sluicegate_consumer import consume
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.memory import MemoryBroker, MemorySink, MemorySource
from sluicegate_consumer.delivery.values import Record
from sluicegate_consumer.operations.logging import configure_logging
from sluicegate_consumer.operations.settings import Settings, load_settings
from sluicegate_schemas.cloudevents import write
from sluicegate_schemas.events import ImageReference, Upload


class Tally:
    """Counts the records that are sent, and calls at the first and at the last that a measurement is about."""

    def __init__(self, first: int, last: int, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self._calls = {first: begin, last: end}
        self._last = last
        self._count = 0
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def count(self) -> None:
        """One more."""
        self._count += 1
        if call := self._calls.get(self._count):
            call()
            if self._count == self._last:
                self.complete.set_result(None)

    def counting(self, sink: type[KafkaSink] | type[MemorySink]) -> type[Any]:
        """The sink, counted."""
        tally = self

        class Counting(sink):  # type: ignore[misc, valid-type]
            async def send(self, record: Record) -> asyncio.Future[Any]:
                tally.count()
                return cast("asyncio.Future[Any]", await super().send(record))

        return Counting


def in_memory(broker: MemoryBroker, tally: Tally) -> dict[str, Any]:
    """Source and sink without Kafka, counted."""
    sink = tally.counting(MemorySink)
    return {
        "KafkaSource": lambda _kafka, topic, *_, **__: MemorySource(broker, topic),
        "KafkaSink": lambda *_, **__: sink(broker),
    }


def exchange(edges: dict[str, Any]) -> None:
    """Put these in the place of what `consume.py` composes, by the names that it uses."""
    for name, edge in edges.items():
        if not hasattr(consume, name):
            raise SystemExit(f"consume.py composes no {name} any longer: bring the benchmark up to date")
        setattr(consume, name, edge)


def settings_of_process() -> Settings:
    """From the environment; what the service logs goes to standard error."""
    settings = load_settings()
    configure_logging(settings.observability, sys.stderr)
    return settings


async def serve_until(complete: asyncio.Future[None], settings: Settings) -> None:
    """Run the service until the measurement is complete."""
    service = asyncio.create_task(consume.consume(settings))
    waiting: set[asyncio.Future[Any]] = {complete, service}
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if service in done:
        service.result()
    complete.result()
    signal.raise_signal(signal.SIGTERM)
    await service


def filled(topic: str, uris: Sequence[str], count: int) -> MemoryBroker:
    """A broker in memory that holds so many uploads of these images in turn."""
    broker, now = MemoryBroker(), datetime.now(UTC)
    for number, uri in zip(range(count), cycle(uris), strict=False):
        event = Upload(upload_id=f"upload-{number}", uploaded_at=now, image=ImageReference(uri=uri))
        broker.append(Record(topic, write(event, source="benchmark")))
    return broker
