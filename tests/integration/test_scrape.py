"""What both services really show at /metrics is all that rules and dashboards ask for, and what the table says."""

import json
import re
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from brokers import free_ports
from dashboards.description import Panel
from dashboards.grafana import DASHBOARDS
from fake_ollama import ollama_server
from fake_ollama_answers import Raw
from kafka_state import eventually
from mixed_uploads import POLICY, Maker
from otlp_collector import attributes, otlp_collector
from service_process import service
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.operations.metrics_catalogue import CATALOGUE
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "helm" / "sluicegate" / "files" / "alerts.yaml").read_text())
FROM_THE_SCRAPE = {"namespace", "instance"}
"""Labels that Prometheus puts on."""
UPLOADS = 32
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Scrape = dict[str, set[str]]
"""Names to the labels that their series have."""


async def test_a_real_scrape_of_both_services_has_every_metric_that_is_used(
    embedded_kafka: str, photographs: dict[str, Path], tmp_path: Path
):
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead-letters")))
    async with kafka_admin(KafkaSettings(bootstrap_servers=embedded_kafka)) as admin:
        await create_topics(admin, topic_plans(topics, 12 * 2**20, partitions=2))
    root, outside = tmp_path / "images", tmp_path / "elsewhere"
    root.mkdir()
    outside.mkdir()
    (tmp_path / "policy.yaml").write_text(POLICY)
    consume, escalate = free_ports(2)
    with ollama_server(decision="approve") as ollama, otlp_collector() as collector:
        ollama.script += [Raw(b"{}", status=500)]
        settings = {
            "SLUICEGATE_POLICY_FILE": str(tmp_path / "policy.yaml"),
            "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": embedded_kafka,
            "SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(root)]),
            "SLUICEGATE_MODEL__NAME": "embedded",
            "SLUICEGATE_MODEL__DEVICE": "cpu",
            "SLUICEGATE_OLLAMA__URLS": json.dumps([ollama.url]),
            "SLUICEGATE_OBSERVABILITY__OTLP_ENDPOINT": collector.url,
        } | {f"SLUICEGATE_TOPICS__{field.upper()}": name for field, name in asdict(topics).items()}
        maker = Maker(root, outside, [photographs[name] for name in ("astronaut", "coffee")], seed=3)
        async with AIOKafkaProducer(bootstrap_servers=embedded_kafka) as producer:
            for upload in maker.uploads(UPLOADS):
                headers = [*upload.headers, ("traceparent", TRACE)]
                await producer.send(topics.uploads, key=upload.key, value=upload.value, headers=headers)
        port = "SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT"
        with (
            service("consume", settings | {port: str(consume)}, tmp_path / "consume.log") as consumer,
            service("escalate", settings | {port: str(escalate)}, tmp_path / "escalate.log") as worker,
        ):

            async def settled() -> bool:
                with suppress(OSError):
                    decided = value(consume, "sluicegate_outcomes_acknowledged_total")
                    lag = value(consume, "sluicegate_lag_records") + value(escalate, "sluicegate_lag_records")
                    settled = value(escalate, "sluicegate_escalation_seconds_count")
                    return UPLOADS == decided and 0 == lag and settled > 1
                return False

            await eventually(settled, 90, lambda: consumer.tail() + worker.tail())
            first, second = scrape(consume), scrape(escalate)
            assert (0, 0) == (consumer.stop(), worker.stop())
        spans = collector.spans()

    both = first | second
    asked_for = {name: labels for expr in expressions() for name, labels in selected(expr)}
    assert set() == asked_for.keys() - both.keys()
    for expr in expressions():
        for name, labels in selected(expr):
            assert labels <= both[name] | FROM_THE_SCRAPE, expr
    for metric in CATALOGUE:
        shown = {"both": both, "consume": first, "escalate": second}[metric.service]
        assert set(metric.shown) <= shown.keys(), metric.name
    assert first.keys() ^ second.keys() <= {
        name for metric in CATALOGUE for name in metric.shown if metric.service != "both" or metric.labels
    }

    batches = [attributes(span.attributes) for span in spans]
    assert UPLOADS + 2 <= sum(batch.get("messaging.batch.message_count", 1) for batch in batches)
    assert {topics.uploads, topics.escalations} == {batch["messaging.destination.name"] for batch in batches}
    assert {TRACE.split(b"-")[1].decode()} == {link.trace_id.hex() for span in spans for link in span.links}
    assert b"file://" not in b"".join(body for _, body in collector.requests)


def metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        text: str = response.read().decode()
    return text


def value(port: int, name: str) -> float:
    """Of all its series together."""
    samples = [sample for family in text_string_to_metric_families(metrics(port)) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name)


def scrape(port: int) -> Scrape:
    found: Scrape = defaultdict(set)
    for family in text_string_to_metric_families(metrics(port)):
        for sample in family.samples:
            found[sample.name] |= sample.labels.keys()
    return dict(found)


def expressions() -> Iterator[str]:
    """Of every rule and every panel."""
    for group in RULES["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for dashboard in DASHBOARDS:
        for panel, _, _ in dashboard.placed():
            if isinstance(panel, Panel):
                yield from (query.expr for query in panel.queries)


def selected(expr: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric that an expression selects, and the labels that it selects by; recorded ones are rules' own."""
    for name, matchers in re.findall(r"(?<![\w:])(sluicegate_\w+)(?:\{([^}]*)\})?", expr):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers))
