"""The whole pipeline as in production: both services as processes, a real broker, a real model, a real HTTP server.

Two hundred uploads of every kind go in; what comes out is read from the topics with a plain client.
"""

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from fake_ollama import OllamaServer, ollama_server
from kafka_state import all_committed, eventually, records
from mixed_uploads import DEAD_LETTER, POLICY, Maker, MixedUpload
from service_process import ServiceProcess, service
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

UPLOADS = 200
SETTLED_WITHIN_S = 120


@dataclass
class Installation:
    """Where everything is."""

    kafka: str
    topics: Topics
    settings: dict[str, str]
    maker: Maker
    directory: Path

    async def publish(self, uploads: list[MixedUpload]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.kafka) as producer:
            for upload in uploads:
                await producer.send(
                    self.topics.uploads, key=upload.key, value=upload.value, headers=list(upload.headers)
                )
            await producer.flush()

    async def settled(self) -> bool:
        consumed = await all_committed(self.kafka, "sluicegate-consumer", self.topics.uploads)
        return consumed and await all_committed(self.kafka, "sluicegate-worker", self.topics.escalations)

    async def verdicts(self) -> dict[str, list[dict]]:
        found = defaultdict(list)
        for record in await records(self.kafka, self.topics.verdicts):
            found[record.key.decode()].append(json.loads(record.value))
        return found

    async def dead_letters(self) -> dict[str, list[ConsumerRecord]]:
        found = defaultdict(list)
        for record in await records(self.kafka, self.topics.dead_letters):
            found[record.key.decode()].append(record)
        return found

    def run(self, command: str) -> ServiceProcess:
        return service(command, self.settings, self.directory / f"{command}.log")


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    with ollama_server(decision="approve") as server:
        yield server


@pytest.fixture
async def installation(kafka: str, ollama: OllamaServer, photographs: dict[str, Path], tmp_path: Path) -> Installation:
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead-letters")))
    async with kafka_admin(KafkaSettings(bootstrap_servers=kafka)) as admin:
        await create_topics(admin, topic_plans(topics, 12 * 2**20, partitions=3))
    root, outside = tmp_path / "images", tmp_path / "elsewhere"
    root.mkdir()
    outside.mkdir()
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    settings = {
        "SLUICEGATE_POLICY_FILE": str(policy),
        "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(root)]),
        "SLUICEGATE_MODEL__NAME": "embedded",
        "SLUICEGATE_OLLAMA__URLS": json.dumps([ollama.url]),
        "SLUICEGATE_OBSERVABILITY__LOG_FORMAT": "json",
    } | {f"SLUICEGATE_TOPICS__{field.upper()}": name for field, name in asdict(topics).items()}
    maker = Maker(root, outside, [photographs[name] for name in ("astronaut", "chelsea", "coffee", "rocket")], seed=3)
    return Installation(kafka, topics, settings, maker, tmp_path)


async def test_every_upload_of_a_mixed_load_ends_in_exactly_one_state(installation: Installation):
    uploads = installation.maker.uploads(UPLOADS)
    await installation.publish(uploads[: UPLOADS // 2])
    with installation.run("consume") as consumer, installation.run("escalate") as worker:
        await installation.publish(uploads[UPLOADS // 2 :])
        await eventually(
            installation.settled, SETTLED_WITHIN_S, lambda: f"not settled\n{consumer.tail()}\n\n{worker.tail()}"
        )
        assert (0, 0) == (consumer.stop(), worker.stop())

    verdicts, dead = await installation.verdicts(), await installation.dead_letters()
    wrong = {
        (upload.upload_id, upload.kind): found
        for upload in uploads
        if (found := list(differences(upload, verdicts[upload.upload_id], dead[upload.upload_id])))
    }
    assert {} == wrong
    answered = {key for found in (verdicts, dead) for key, records_of_it in found.items() if records_of_it}
    assert {upload.upload_id for upload in uploads} == answered

    log = consumer.logged() + worker.logged()
    assert all(isinstance(json.loads(line), dict) for line in log.splitlines())
    assert str(installation.directory / "images") not in log


def differences(upload: MixedUpload, verdicts: list[dict], dead: list[ConsumerRecord]) -> Iterator[str]:
    """What about an upload's end is not as expected."""
    expected = upload.expected
    if expected.state == DEAD_LETTER:
        if verdicts or 1 != len(dead):
            yield f"{len(verdicts)} verdicts and {len(dead)} dead letters"
        elif (upload.value, upload.headers) != (dead[0].value, dead[0].headers[: len(upload.headers)]):
            yield "its dead letter is not what was published"
        return
    if dead:
        yield f"a dead letter: {dead[0].headers}"
    if list(range(1, expected.verdicts + 1)) != [verdict["revision"] for verdict in verdicts]:
        yield f"verdicts: {Counter(verdict['decision'] for verdict in verdicts)}"
        return
    last = verdicts[-1]
    if (expected.state, expected.reason) != (last["decision"], last["reasons"][0]):
        yield f"{last['decision']} because of {last['reasons']}, scores {last['scores']}"
    if expected.sha256 not in (None, last["image"]["sha256"]):
        yield "other bytes than its own were judged"
