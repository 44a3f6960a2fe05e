"""All that makes a running service visible, begun and ended in one place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.endpoints import serve_endpoints
from sluicegate_consumer.operations.health import Health, watched
from sluicegate_consumer.operations.metrics import Metrics, new_metrics
from sluicegate_consumer.operations.metrics_catalogue import Service
from sluicegate_consumer.operations.settings import ObservabilitySettings
from sluicegate_consumer.operations.tracing import NoTracing, Tracing


@dataclass(frozen=True, slots=True)
class Observed:
    """What a service tells, and to whom."""

    metrics: Metrics
    health: Health
    tracing: Tracing


@asynccontextmanager
async def observed(settings: ObservabilitySettings, service: Service, group: str) -> AsyncIterator[Observed]:
    """Metrics, health, their endpoints, the watchdog and traces, for as long as the block runs.

    Args:
        settings: Where they are served and sent.
        service: `consume` or `escalate`.
        group: Its consumer group.

    Raises:
        ConfigurationError: the endpoints' address cannot be listened on, or traces need the extra `otel`.
    """
    metrics = new_metrics(service)
    with watched(settings.stall_timeout_s, metrics.loop_late) as health:
        metrics.runs(service, health)
        with serve_endpoints(metrics.registry, health, settings.endpoint_host, settings.endpoint_port):
            async with traced(settings, service, group) as tracing:
                yield Observed(metrics, health, tracing)


@asynccontextmanager
async def traced(settings: ObservabilitySettings, service: Service, group: str) -> AsyncIterator[Tracing]:
    """Traces to the collector that is configured; without one, nothing of OpenTelemetry is even imported.

    Raises:
        ConfigurationError: there is one, but the extra `otel` is not installed.
    """
    if settings.otlp_endpoint is None:
        yield NoTracing()
        return
    try:
        from sluicegate_consumer.operations.otel import OtelTracing, to_collector  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"observability.otlp_endpoint={settings.otlp_endpoint}: needs {error.name}: pip install 'sluicegate[otel]'"
        ) from error
    tracing = OtelTracing(service, group, to_collector(str(settings.otlp_endpoint)), settings.trace_ratio)
    try:
        yield tracing
    finally:
        await asyncio.to_thread(tracing.close)
