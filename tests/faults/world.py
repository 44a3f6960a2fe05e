"""A whole installation on a real broker, and a watcher that checks it while faults happen."""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from commit_log import accepted_commits
from invariants import Findings, examine, require_monotone, require_outputs_behind_commits
from load import POLICY, Upload

from fake_ollama import OllamaServer
from kafka_state import all_committed, committed, records
from service_process import ServiceProcess
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

PARTITIONS = 3
IN_FLIGHT = 64
SERVICE = [sys.executable, str(Path(__file__).with_name("fault_service.py"))]


@dataclass
class World:
    """Topics of its own on a broker, services that come and go, and what is known of them."""

    kafka: str
    """For the services: through a proxy, where there is one."""
    direct: str
    """For the load and for whoever checks: past the proxy."""
    topics: Topics
    ollama: OllamaServer
    directory: Path
    settings: dict[str, str]
    services: list[ServiceProcess] = field(default_factory=list)
    published: dict[str, Upload] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    exits: list[tuple[str, int]] = field(default_factory=list)
    """Services that have ended by themselves, as what and with which code."""
    findings: Findings = field(default_factory=Findings)
    began: float = field(default_factory=time.monotonic)
    timeline: list[str] = field(default_factory=list)
    faults: int = 0

    @property
    def consumer_group(self) -> str:
        """Of the first tier: a group of this installation's own."""
        return self.settings["SLUICEGATE_DELIVERY__CONSUMER_GROUP"]

    @property
    def worker_group(self) -> str:
        """Of the second tier."""
        return self.settings["SLUICEGATE_DELIVERY__WORKER_GROUP"]

    def note(self, what: str) -> None:
        """Add a line to the timeline."""
        self.timeline.append(f"{time.monotonic() - self.began:7.2f} s  {what}")

    def fault(self, what: str) -> None:
        """Note a fault: each may cause as many copies as were in flight."""
        self.faults += 1
        self.note(what)

    def start(self, command: str, failpoint: str = "", **environment: str) -> ServiceProcess:
        """Start one more service."""
        number = len(self.services)
        log = self.directory / f"{command}-{number}.log"
        service = ServiceProcess(command, self.settings | environment, log, program=SERVICE)
        service.start(FAILPOINT=failpoint)
        self.services.append(service)
        self.note(f"start {command}-{number} {failpoint}")
        return service

    def name(self, service: ServiceProcess) -> str:
        """For the timeline."""
        return f"{service.command}-{self.services.index(service)}"

    def restart_what_has_ended(self) -> None:
        """As an orchestrator does."""
        for service in self.services:
            if not service.retired and not service.running:
                code = service.wait(0)
                self.exits.append((self.name(service), code))
                self.fault(f"{self.name(service)} ended with {code}: start it again")
                service.start(FAILPOINT="")

    async def publish(self, uploads: Iterable[Upload], rate: float | None = None) -> None:
        """Publish, keeping apart what the broker acknowledged from what nobody knows."""
        async with AIOKafkaProducer(
            bootstrap_servers=self.direct, enable_idempotence=True, acks="all", request_timeout_ms=20_000
        ) as producer:
            for upload in uploads:
                try:
                    sent = await producer.send(
                        self.topics.uploads, key=upload.key, value=upload.value, headers=list(upload.headers)
                    )
                except KafkaError:
                    self.unknown.add(upload.upload_id)
                    continue
                sent.add_done_callback(lambda done, upload=upload: self._published(upload, done))
                if rate is not None:
                    await asyncio.sleep(1 / rate)
            await producer.flush()

    def _published(self, upload: Upload, sent: asyncio.Future) -> None:
        if sent.cancelled() or sent.exception() is not None:
            self.unknown.add(upload.upload_id)
        else:
            self.published[upload.upload_id] = upload

    async def watch(self) -> None:
        """Until cancelled: restart what ends, and check I3 while things happen."""
        while True:
            self.restart_what_has_ended()
            with suppress(KafkaError, AssertionError, OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await self._check_commits()
            await asyncio.sleep(0.3)

    async def _check_commits(self) -> None:
        at = await committed(self.direct, self.consumer_group, self.topics.uploads)
        outputs = [
            *await records(self.direct, self.topics.verdicts),
            *await records(self.direct, self.topics.dead_letters),
        ]
        answered = frozenset(record.key.decode() for record in outputs)
        found = await records(self.direct, self.topics.uploads)
        require_outputs_behind_commits(at, found, answered, self.findings)

    async def settled(self, seconds: float) -> bool:
        """I6: whether both groups reach the ends of their topics in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(KafkaError, AssertionError, OSError, TimeoutError):
                async with asyncio.timeout(10):
                    if await all_committed(
                        self.direct, self.consumer_group, self.topics.uploads
                    ) and await all_committed(self.direct, self.worker_group, self.topics.escalations):
                        return True
            await asyncio.sleep(0.2)
        return False

    async def verdicts(self) -> list[tuple[str, int]]:
        """Upload id and revision of every verdict so far."""
        found = await records(self.direct, self.topics.verdicts)
        return [(record.key.decode(), json.loads(record.value)["revision"]) for record in found]

    async def examine(self, *, commit_history: bool) -> Findings:
        """All invariants, from the topics."""
        found = examine(
            self.published.values(),
            await records(self.direct, self.topics.verdicts),
            await records(self.direct, self.topics.dead_letters),
            unknown=frozenset(self.unknown),
            most_copies=self.faults * IN_FLIGHT * 2,
        )
        if commit_history:
            for group in (self.consumer_group, self.worker_group):
                history = await accepted_commits(self.direct, group)
                own = [entry for entry in history if entry[0][1] in asdict(self.topics).values()]
                require_monotone(own, found)
        for invariant, broken in self.findings.broken.items():
            found.broken[invariant] += broken
        return found

    def logs(self, lines: int = 30) -> str:
        """The ends of all services' logs."""
        return "\n".join(f"--- {self.name(each)}\n{each.tail(lines)}" for each in self.services)


@asynccontextmanager
async def world(
    kafka: str,
    ollama: OllamaServer,
    directory: Path,
    *,
    direct: str | None = None,
    replication: int = 1,
    session_s: float = 2.0,
    **settings: str,
) -> AsyncIterator[World]:
    """An installation of its own; its services do not outlive the block."""
    direct = direct or kafka
    directory.mkdir(parents=True, exist_ok=True)
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead-letters")))
    async with kafka_admin(KafkaSettings(bootstrap_servers=direct)) as admin:
        await create_topics(admin, topic_plans(topics, 2**20, partitions=PARTITIONS, replication=replication))
    policy = directory / "policy.yaml"
    policy.write_text(POLICY)
    made = World(
        kafka,
        direct,
        topics,
        ollama,
        directory,
        {
            "SLUICEGATE_POLICY_FILE": str(policy),
            "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": kafka,
            "SLUICEGATE_KAFKA__SESSION_TIMEOUT_S": str(session_s),
            "SLUICEGATE_KAFKA__REBALANCE_TIMEOUT_S": "4",
            "SLUICEGATE_KAFKA__REQUEST_TIMEOUT_S": "3",
            "SLUICEGATE_KAFKA__MAX_RECORD_BYTES": str(2**20),
            "SLUICEGATE_DELIVERY__CONSUMER_GROUP": f"consumer-{run}",
            "SLUICEGATE_DELIVERY__WORKER_GROUP": f"worker-{run}",
            "SLUICEGATE_DELIVERY__MAX_IN_FLIGHT": str(IN_FLIGHT),
            "SLUICEGATE_DELIVERY__COMMIT_INTERVAL_S": "0.1",
            "SLUICEGATE_DELIVERY__DRAIN_TIMEOUT_S": "4",
            "SLUICEGATE_DELIVERY__PUBLISH_TIMEOUT_S": "10",
            "SLUICEGATE_MODEL__TIMEOUT_S": "3",
            "SLUICEGATE_DECODE__PROCESSES": "1",
            "SLUICEGATE_OLLAMA__URLS": json.dumps([ollama.url]),
            "SLUICEGATE_OLLAMA__TIMEOUT_S": "2",
            "SLUICEGATE_OLLAMA__DEADLINE_S": "30",
            "SLUICEGATE_OLLAMA__IN_FLIGHT_PER_SERVER": "8",
            "SLUICEGATE_OLLAMA__BREAKER_PROBE_S": "0.3",
            "SLUICEGATE_OBSERVABILITY__LOG_FORMAT": "json",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        | {f"SLUICEGATE_TOPICS__{name.upper()}": topic for name, topic in asdict(topics).items()}
        | settings,
    )
    try:
        yield made
    finally:
        for service in made.services:
            service.kill()
