"""Traces to an OpenTelemetry collector, as OTLP over HTTP. Import this where the extra `otel` is installed.

Names are OpenTelemetry's semantic conventions for messaging: a *process* span for each batch, with a link to the
context of each message. https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

import threading
import time
from importlib.metadata import version

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from sluicegate_consumer.operations.tracing import Origin, Processed
from sluicegate_schemas.reading import TRACEPARENT

EXPORT_TIMEOUT_S = 5.0
"""For one request to the collector, repetitions included; as long may it hold up the end of the service."""
MOST_LINKS = 1024
"""Of one span; a batch with more messages is linked to its first ones."""
SIGNAL_PATH = "/v1/traces"


class OtelTracing:
    """A `Tracing` whose spans go to `processor`.

    Args:
        service: `consume` or `escalate`.
        group: Its consumer group.
        processor: What becomes of finished spans.
        ratio: Share of the spans that are kept, 0 to 1.
    """

    on = True

    def __init__(self, service: str, group: str, processor: SpanProcessor, ratio: float = 1.0) -> None:
        resource = Resource.create({"service.name": f"sluicegate-{service}", "service.version": version("sluicegate")})
        self._provider = TracerProvider(
            TraceIdRatioBased(ratio), resource, shutdown_on_exit=False, span_limits=SpanLimits(max_links=MOST_LINKS)
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("sluicegate", version("sluicegate"))
        self._group = group

    def processed(self, batch: Processed) -> None:
        """Write down a span that has just ended."""
        now = time.time_ns()
        span = self._tracer.start_span(
            f"process {batch.topic}",
            Context(),  # a trace of its own: its messages may belong to as many traces as there are messages
            SpanKind.CONSUMER,
            self._attributes(batch),
            [link for message in batch.messages if (link := _link(message))],
            start_time=now - (time.perf_counter_ns() - batch.began_ns),
        )
        if batch.error is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end(now)

    def close(self) -> None:
        """Send what is left, within the time that one request may take; what a collector has not taken then is lost."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(EXPORT_TIMEOUT_S)

    def _attributes(self, batch: Processed) -> dict[str, str | int]:
        attributes: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": batch.topic,
            "messaging.consumer.group.name": self._group,
        }
        partitions = {message.partition for message in batch.messages}
        if len(partitions) == 1:
            attributes["messaging.destination.partition.id"] = str(partitions.pop())
        if len(batch.messages) == 1:
            attributes["messaging.kafka.offset"] = batch.messages[0].offset
        else:
            attributes["messaging.batch.message_count"] = len(batch.messages)
        if batch.error is not None:
            attributes["error.type"] = batch.error
        return attributes | {f"sluicegate.{name}": value for name, value in batch.facts.items()}


def to_collector(endpoint: str) -> SpanProcessor:
    """Spans in batches, sent by a thread of their own; those that a slow collector does not take are dropped.

    Args:
        endpoint: Base URL of the collector, or the whole one of its traces. No other host is ever asked: redirects
            are not followed, proxies of the environment not used. What belongs to the collector beside that is read
            from OpenTelemetry's own variables, `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_CERTIFICATE`.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    base = endpoint.rstrip("/").removesuffix(SIGNAL_PATH)
    return BatchSpanProcessor(OTLPSpanExporter(base + SIGNAL_PATH, timeout=EXPORT_TIMEOUT_S, session=session))


def _link(message: Origin) -> Link | None:
    context = _context(message.traceparent)
    if context is None:
        return None
    place: dict[str, AttributeValue] = {
        "messaging.destination.partition.id": str(message.partition),
        "messaging.kafka.offset": message.offset,
    }
    return Link(context, place)


def _context(traceparent: str | None) -> SpanContext | None:
    if traceparent is None or not TRACEPARENT.fullmatch(traceparent):
        return None
    # Not by OpenTelemetry's own propagator, which takes ten times as long, for every image.
    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
