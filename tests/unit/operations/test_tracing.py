"""One process span for each batch, linked to its messages, under OpenTelemetry's names."""

import time

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from sluicegate_consumer.operations.otel import OtelTracing
from sluicegate_consumer.operations.tracing import MemoryTracing, NoTracing, Origin, Processed

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CONTEXT = f"00-{TRACE}-{PARENT}-01"


class Spans:
    def __init__(self, ratio: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = OtelTracing("consume", "group", SimpleSpanProcessor(self._exporter), ratio)

    def of(self, *batches: Processed) -> list[ReadableSpan]:
        for batch in batches:
            self.tracing.processed(batch)
        return list(self._exporter.get_finished_spans())


def batch(*messages: Origin, **other: object) -> Processed:
    return Processed("uploads", messages, time.perf_counter_ns() - 50_000_000, **other)


def test_a_batch_is_one_span_with_a_link_to_each_message_that_carried_a_context():
    (span,) = Spans().of(
        batch(Origin(0, 7, CONTEXT), Origin(0, 8, None), Origin(0, 9, CONTEXT), facts={"frames": 4, "approved": 3})
    )
    assert ("process uploads", SpanKind.CONSUMER, None) == (span.name, span.kind, span.parent)
    assert {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "uploads",
        "messaging.destination.partition.id": "0",
        "messaging.consumer.group.name": "group",
        "messaging.batch.message_count": 3,
        "sluicegate.frames": 4,
        "sluicegate.approved": 3,
    } == dict(span.attributes)
    assert [(int(TRACE, 16), int(PARENT, 16), 7), (int(TRACE, 16), int(PARENT, 16), 9)] == [
        (link.context.trace_id, link.context.span_id, link.attributes["messaging.kafka.offset"]) for link in span.links
    ]
    assert int(TRACE, 16) != span.context.trace_id
    assert {"service.name": "sluicegate-consume"}.items() <= span.resource.attributes.items()


def test_a_span_lasts_from_the_first_message_s_arrival_until_now():
    before = time.time_ns()
    (span,) = Spans().of(batch(Origin(0, 7, None)))
    assert 50_000_000 <= span.end_time - span.start_time
    assert before <= span.end_time <= time.time_ns()


def test_a_message_alone_is_named_by_its_place_and_its_failure():
    (span,) = Spans().of(batch(Origin(2, 11, "no context"), error="Transient", facts={"step": "fetch"}))
    assert StatusCode.ERROR == span.status.status_code
    assert ("2", 11, "Transient") == tuple(
        span.attributes[name] for name in ("messaging.destination.partition.id", "messaging.kafka.offset", "error.type")
    )
    assert "messaging.batch.message_count" not in span.attributes
    assert () == tuple(span.links)


def test_messages_of_several_partitions_are_told_apart_by_their_links():
    (span,) = Spans().of(batch(Origin(0, 7, CONTEXT), Origin(1, 3, CONTEXT)))
    assert "messaging.destination.partition.id" not in span.attributes
    assert ["0", "1"] == [link.attributes["messaging.destination.partition.id"] for link in span.links]


def test_a_large_batch_keeps_all_its_links():
    (span,) = Spans().of(batch(*(Origin(0, offset, CONTEXT) for offset in range(256))))
    assert 256 == len(span.links)


def test_of_a_ratio_of_none_nothing_is_kept():
    assert [] == Spans(ratio=0.0).of(batch(Origin(0, 7, CONTEXT)))


@pytest.mark.parametrize("tracing", [NoTracing(), MemoryTracing(), Spans().tracing])
def test_every_kind_takes_whatever_a_batch_may_be(tracing):
    for origin in (Origin(0, 0, None), Origin(3, 2**62, ""), Origin(1, 1, "00-" + "0" * 32 + "-" + "0" * 16 + "-01")):
        assert tracing.processed(batch(origin)) is None


def test_the_twin_keeps_what_it_was_told():
    tracing, told = MemoryTracing(), batch(Origin(0, 7, CONTEXT))
    tracing.processed(told)
    assert [told] == tracing.batches
