"""Traces go to the collector that is configured, by OTLP over real HTTP, and nowhere else."""

import subprocess
import sys
import time

import pytest

from brokers import free_ports
from otlp_collector import attributes, otlp_collector
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.observed import traced
from sluicegate_consumer.operations.otel import EXPORT_TIMEOUT_S
from sluicegate_consumer.operations.settings import ObservabilitySettings
from sluicegate_consumer.operations.tracing import NoTracing, Origin, Processed

pytestmark = pytest.mark.integration

CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def batch() -> Processed:
    return Processed("uploads", [Origin(0, 7, CONTEXT), Origin(0, 8, CONTEXT)], time.perf_counter_ns())


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
async def test_a_collector_receives_each_span_with_its_links(path):
    with otlp_collector() as collector:
        settings = ObservabilitySettings(otlp_endpoint=collector.url + path)
        async with traced(settings, "consume", "group") as tracing:
            tracing.processed(batch())
        (span,) = collector.spans()
    assert {"/v1/traces"} == {path for path, _ in collector.requests}
    assert "process uploads" == span.name
    assert [CONTEXT.split("-")[1]] * 2 == [link.trace_id.hex() for link in span.links]
    assert 2 == attributes(span.attributes)["messaging.batch.message_count"]


async def test_a_redirect_leads_nowhere():
    with otlp_collector() as elsewhere, otlp_collector() as collector:
        collector.redirect_to = f"{elsewhere.url}/v1/traces"
        async with traced(ObservabilitySettings(otlp_endpoint=collector.url), "consume", "group") as tracing:
            tracing.processed(batch())
        assert collector.requests
        assert [] == elsewhere.requests


async def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with otlp_collector() as proxy, otlp_collector() as collector:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        async with traced(ObservabilitySettings(otlp_endpoint=collector.url), "consume", "group") as tracing:
            tracing.processed(batch())
        assert (1, []) == (len(collector.spans()), proxy.requests)


async def test_a_collector_that_is_away_holds_nothing_up_for_long():
    (port,) = free_ports(1)
    async with traced(ObservabilitySettings(otlp_endpoint=f"http://127.0.0.1:{port}"), "consume", "group") as tracing:
        for _ in range(5000):
            tracing.processed(batch())
        leaving = time.monotonic()
    assert time.monotonic() - leaving < EXPORT_TIMEOUT_S + 5


async def test_without_a_collector_nothing_is_kept():
    async with traced(ObservabilitySettings(), "consume", "group") as tracing:
        assert isinstance(tracing, NoTracing)


PROGRAM = """
import asyncio, sys
from sluicegate_consumer import consume, escalate
from sluicegate_consumer.operations.observed import traced
from sluicegate_consumer.operations.settings import ObservabilitySettings

async def main():
    async with traced(ObservabilitySettings(), "consume", "group"):
        print(sorted(name for name in sys.modules if name.startswith("opentelemetry")))

asyncio.run(main())
"""


def test_without_a_collector_nothing_is_imported():
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert "[]" == ended.stdout.strip()


async def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.context", None)
    monkeypatch.delitem(sys.modules, "sluicegate_consumer.operations.otel", raising=False)
    settings = ObservabilitySettings(otlp_endpoint="http://collector:4318")
    with pytest.raises(ConfigurationError, match=r"otlp_endpoint=http://collector:4318/: needs .*sluicegate\[otel\]"):
        async with traced(settings, "consume", "group"):
            pass
