"""A whole installation on a real broker, and a watcher that checks it while faults happen."""

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from commit_log import accepted_commits
from invariants import Findings, Topic, examine, require_monotone, require_outputs_behind_commits
from load import Upload
from membership import end_membership
from service_log import joined
from stage import Stage

from kafka_state import all_committed, committed, records
from service_process import ServiceProcess
from sluicegate_schemas.topics import Topics

IN_FLIGHT = 64
"""Records that one process may have taken and not committed: what a fault may have done over, in each process."""
DRAIN_S = 4.0
SHUTDOWN_WITHIN_S = DRAIN_S + 20.0
"""From SIGTERM to the end, whatever the broker does: draining, and operations/shutdown.py's margin."""
RESIDENT_BYTES = 200 * 2**20
"""Of one service without a model: it starts at some 80 MiB."""
COMMANDS = ("consume", "escalate")


@dataclass
class World:
    """Topics of its own on a broker, services that come and go, and what is known of them."""

    stage: Stage
    topics: Topics
    directory: Path
    settings: dict[str, str]
    program: list[str]
    credentials: dict[str, dict[str, str]] = field(default_factory=dict)
    """By command: as whom it connects, where that is asked."""
    services: list[ServiceProcess] = field(default_factory=list)
    published: dict[str, Upload] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    exits: list[tuple[str, int]] = field(default_factory=list)
    """Services that have ended by themselves, as what and with which code."""
    endings_s: list[float] = field(default_factory=list)
    """How long services took to end after SIGTERM."""
    most_resident: int = 0
    """Bytes of the largest service that was seen."""
    findings: Findings = field(default_factory=Findings)
    began: float = field(default_factory=time.monotonic)
    timeline: list[str] = field(default_factory=list)
    faults: int = 0
    allowed_copies: Counter[str] = field(default_factory=Counter)
    """By command: what its processes had in flight at the faults that met them."""
    _asked: dict[int, float] = field(default_factory=dict)

    @property
    def direct(self) -> str:
        """Past the proxy: for the load and for whoever checks."""
        return self.stage.direct

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

    def fault(self, what: str, *met: str) -> None:
        """Note a fault, and what it may cause: copies of all that was in flight in the services that it met.

        A fault of one member meets its whole group, as the others' partitions are taken from them and given back.
        """
        self.faults += 1
        for command in met or COMMANDS:
            members = sum(each.running for each in self.services if each.command == command)
            self.allowed_copies[command] += IN_FLIGHT * max(1, members)
        self.note(what)

    def first(self, command: str) -> ServiceProcess:
        """The service of this kind that was started first."""
        return next(each for each in self.services if each.command == command)

    def start(self, command: str, failpoint: str = "", **environment: str) -> ServiceProcess:
        """Start one more service."""
        number = len(self.services)
        log = self.directory / f"{command}-{number}.log"
        settings = self.settings | self.credentials.get(command, {}) | environment
        service = ServiceProcess(command, settings, log, program=self.program)
        service.start(FAILPOINT=failpoint)
        self.services.append(service)
        self.note(f"start {command}-{number} {failpoint}")
        return service

    async def joined(self, service: ServiceProcess, seconds: float = 30) -> None:
        """Return once a service that was just started has its partitions."""
        deadline = time.monotonic() + seconds
        while not joined(service.logged()):
            assert time.monotonic() < deadline, f"{self.name(service)} did not join\n{self.logs()}"
            await asyncio.sleep(0.05)

    async def end(self, service: ServiceProcess) -> int:
        """SIGTERM, for good; its exit code, within the bound that shutdown has."""
        self.leave(service)
        code = await asyncio.to_thread(service.wait, SHUTDOWN_WITHIN_S + 5)
        self._note_ending(service)
        return code

    def leave(self, service: ServiceProcess) -> None:
        """SIGTERM, for good, as a fault; the watcher sees how long it takes."""
        self.fault(f"SIGTERM {self.name(service)}", service.command)
        self._ask_to_end(service)

    def _ask_to_end(self, service: ServiceProcess) -> None:
        service.retired = True
        service.signal(signal.SIGTERM)
        self._asked[self.services.index(service)] = time.monotonic()

    async def _ended(self, seconds: float) -> None:
        """Wait for all that were asked to end, but no longer than they may take."""
        deadline = time.monotonic() + seconds
        while self._asked and time.monotonic() < deadline:
            for service in self.services:
                if service.retired and not service.running:
                    self._note_ending(service)
            await asyncio.sleep(0.05)

    def name(self, service: ServiceProcess) -> str:
        """For the timeline."""
        return f"{service.command}-{self.services.index(service)}"

    async def restart_what_has_ended(self) -> None:
        """As an orchestrator does."""
        for service in self.services:
            if service.running:
                self.most_resident = max(self.most_resident, service.resident_bytes())
            elif service.retired:
                self._note_ending(service)
            else:
                code = service.wait(0)
                self.exits.append((self.name(service), code))
                self.fault(f"{self.name(service)} ended with {code}: start it again", service.command)
                if not self.stage.ends_sessions and joined(service.logged()):
                    await end_membership(self.direct, service.logged())
                service.start(FAILPOINT="")

    def _note_ending(self, service: ServiceProcess) -> None:
        asked = self._asked.pop(self.services.index(service), None)
        if asked is not None:
            took = time.monotonic() - asked
            self.endings_s.append(took)
            self.note(f"{self.name(service)} ended with {service.wait(0)} after {took:.1f} s")

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

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """While the block runs, restart what ends, and check I3 while things happen."""
        over = asyncio.Event()
        watching = asyncio.create_task(self._watch(over))
        try:
            yield
        finally:
            over.set()  # never cancelled: a client that is stopping swallows it
            await watching

    async def _watch(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.restart_what_has_ended()
            with suppress(KafkaError, AssertionError, OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await self.check_commits()
            await asyncio.sleep(0.5)

    async def check_commits(self) -> None:
        """I3 of both tiers, at this moment."""
        topics = self.topics
        consumed = await committed(self.direct, self.consumer_group, topics.uploads)
        answered = await committed(self.direct, self.worker_group, topics.escalations)
        outputs = [*await records(self.direct, topics.verdicts), *await records(self.direct, topics.dead_letters)]
        for at, topic in ((consumed, Topic(topics.uploads)), (answered, Topic(topics.escalations, second_tier=True))):
            require_outputs_behind_commits(at, await records(self.direct, topic.name), outputs, self.findings, topic)

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

    async def conclude(self, heal_within_s: float) -> Findings:
        """Wait until everything is done, look at all invariants, and have every service end as it should."""
        self.note("no more faults")
        settled = await self.settled(heal_within_s)
        self.note("settled" if settled else "not settled")
        found = await self._examine()
        if not settled:
            found.note("I6", f"something is left to do after {heal_within_s:.0f} s")
        for service in self.services:
            if service.running and not service.retired:
                self._ask_to_end(service)
        await self._ended(SHUTDOWN_WITHIN_S + 2)
        self._require_bounds(found)
        for invariant, broken in self.findings.broken.items():
            found.broken[invariant] += broken
        self.findings = found
        return found

    async def _examine(self) -> Findings:
        """What the topics say."""
        topics = self.topics
        await self.check_commits()
        found = examine(
            self.published.values(),
            await records(self.direct, topics.verdicts),
            await records(self.direct, topics.dead_letters),
            escalations=await records(self.direct, topics.escalations),
            reviews=await records(self.direct, topics.reviews),
            uploads_topic=topics.uploads,
            unknown=frozenset(self.unknown),
            allowed_copies=self.allowed_copies,
        )
        if self.stage.kafka is not None:  # the embedded broker shows nobody its commits
            for group in (self.consumer_group, self.worker_group):
                require_monotone(await self._commits(group, asdict(topics).values()), found)
        return found

    async def _commits(self, group: str, topics: Collection[str]) -> list[tuple[tuple[str, str, int], int]]:
        return [entry for entry in await accepted_commits(self.direct, group) if entry[0][1] in topics]

    def _require_bounds(self, found: Findings) -> None:
        """I7."""
        if self.most_resident > RESIDENT_BYTES:
            found.note("I7", f"a service took {self.most_resident / 2**20:.0f} MiB")
        for seconds in self.endings_s:
            if seconds > SHUTDOWN_WITHIN_S + 1:
                found.note("I7", f"a service took {seconds:.1f} s to end")
        still = [self.name(self.services[index]) for index in self._asked]
        if still:
            found.note("I7", f"asked to end, and still running: {still}")

    def logs(self, lines: int = 30) -> str:
        """The ends of all services' logs."""
        return "\n".join(f"--- {self.name(each)}\n{each.tail(lines)}" for each in self.services)
