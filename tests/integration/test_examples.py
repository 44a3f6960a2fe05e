"""The examples in every language publish what the services read, and keep the verdicts that hold."""

import asyncio
import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from brokers import kafka_home
from kafka_state import records
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.cloudevents import read_upload, write
from sluicegate_schemas.events import Decision, ImageFacts, PolicyReference, Stage, Verdict
from sluicegate_schemas.message import Message
from sluicegate_schemas.topics import Topics

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

EXAMPLES = Path(__file__).parents[2] / "examples"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
OLD, NEW = "a" * 64, "b" * 64

Language = Callable[[str], list[str]]
"""The command line of an example, `publish` or `subscribe`."""


def python_example() -> Language:
    return lambda name: [sys.executable, str(EXAMPLES / "python" / f"{name}.py")]


def node_example() -> Language:
    node = shutil.which("node")
    if node is None or not (EXAMPLES / "node" / "node_modules").is_dir():
        pytest.skip("no node here, or no kafkajs: `make test` installs it")
    return lambda name: [node, str(EXAMPLES / "node" / f"{name}.mjs")]


def java_example() -> Language:
    home = kafka_home()
    if home is None:
        pytest.skip("no java, or no jars of kafka-clients: set KAFKA_HOME")
    java = shutil.which("java")
    return lambda name: [
        java,
        "-cp",
        f"{home}/libs/*",
        str(EXAMPLES / "java" / f"{name.capitalize()}.java"),
    ]


@pytest.fixture(scope="module", params=["python", "node", "java"])
def example(request: pytest.FixtureRequest) -> Language:
    return {"python": python_example, "node": node_example, "java": java_example}[request.param]()


@pytest.fixture
async def topics(embedded_kafka: str) -> Topics:
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead-letters")))
    async with kafka_admin(KafkaSettings(bootstrap_servers=embedded_kafka)) as admin:
        await create_topics(admin, topic_plans(topics, 2**20, partitions=2))
    return topics


async def test_an_upload_is_published_as_the_services_read_it(example: Language, embedded_kafka: str, topics: Topics):
    command = [*example("publish"), embedded_kafka, "post-17", "s3://uploads/cat.jpg", topics.uploads]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert (0, "published post-17\n") == (ended.returncode, ended.stdout), ended.stderr
    (record,) = await records(embedded_kafka, topics.uploads)
    upload = read_upload(Message(record.key, record.value, tuple(record.headers), record.timestamp)).event
    assert ("post-17", "listing", "s3://uploads/cat.jpg") == (upload.upload_id, upload.surface, upload.image.uri)
    assert abs(upload.uploaded_at - datetime.now(UTC)) < timedelta(minutes=1)


def verdict(upload_id: str, decision: Decision, stage: Stage, sha256: str, uploaded_at: datetime) -> Message:
    event = Verdict(
        verdict_id=uuid.uuid4(),
        upload_id=upload_id,
        tenant="default",
        surface="avatar",
        uploaded_at=uploaded_at,
        revision=stage.revision,
        decision=decision,
        stage=stage,
        policy=PolicyReference(name="default", version="1"),
        image=ImageFacts(sha256=sha256),
        decided_at=uploaded_at,
    )
    return write(event, source="sluicegate")


PUBLISHED = [
    verdict("a", Decision.ESCALATED, Stage.CLASSIFIER, OLD, NOON),
    verdict("a", Decision.REJECTED, Stage.VLM, OLD, NOON),
    verdict("a", Decision.ESCALATED, Stage.CLASSIFIER, OLD, NOON),  # a copy, after its successor
    verdict("b", Decision.REJECTED, Stage.VLM, OLD, NOON),
    verdict("b", Decision.APPROVED, Stage.CLASSIFIER, NEW, NOON + timedelta(microseconds=1)),
    verdict("b", Decision.REVIEW, Stage.VLM, OLD, NOON),  # late, about the earlier image
    verdict("c", Decision.APPROVED, Stage.CLASSIFIER, OLD, NOON),
    Message(b"c", None),
    verdict("end", Decision.APPROVED, Stage.CLASSIFIER, OLD, NOON),
]
PRINTED = {
    "a": [f"escalated {OLD}", f"rejected {OLD}"],
    "b": [f"rejected {OLD}", f"approved {NEW}"],
    "c": [f"approved {OLD}", "erased"],
}


async def test_a_subscriber_keeps_the_verdict_that_holds(example: Language, embedded_kafka: str, topics: Topics):
    async with AIOKafkaProducer(bootstrap_servers=embedded_kafka) as producer:
        for message in PUBLISHED:
            # One partition each, so that the last upload comes last in both.
            for partition in (0, 1) if message.key == b"end" else (ord(message.key) % 2,):
                await producer.send_and_wait(
                    topics.verdicts,
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers),
                    partition=partition,
                )
    command = [*example("subscribe"), embedded_kafka, topics.verdicts]
    printed = await asyncio.to_thread(printed_until_quiet, command)
    assert PRINTED == {
        key: [line.partition(" ")[2] for line in printed if line.startswith(key + " ")] for key in PRINTED
    }


def printed_until_quiet(command: list[str]) -> list[str]:
    """Lines up to the one about the upload `end`, and what came with them."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            expected = sum(map(len, PRINTED.values())) + 1
            while len(lines) < expected:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                lines.append(line.strip())
            return lines
        finally:
            process.kill()


def test_the_schemas_that_the_examples_name_are_there():
    named = {
        word
        for path in (*EXAMPLES.glob("java/*.java"), *EXAMPLES.glob("node/*.mjs"))
        for word in path.read_text().split()
        if word.startswith("schemas/")
    }
    assert named
    for name in named:
        assert json.loads((EXAMPLES.parent / name).read_text())["$id"].startswith("urn:sluicegate:schema:")
