"""The commands against a real broker."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, astuple, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner, Result

from sluicegate_consumer.commands.app import app
from sluicegate_consumer.delivery.dead_letters import dead_letter
from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.delivery.values import Delivered, Partition, Ticket
from sluicegate_consumer.errors import Transient
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.events import Decision, ImageFacts, PolicyReference, Stage, Verdict
from sluicegate_schemas.message import Message
from sluicegate_schemas.topics import Topics

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def topics(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Topics:
    """Names of topics that do not exist yet, in the settings of every command that the test runs."""
    run = uuid.uuid4().hex[:8]
    names = Topics(f"u-{run}", f"v-{run}", f"e-{run}", f"r-{run}", f"d-{run}")
    monkeypatch.setenv("SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("SLUICEGATE_KAFKA__REQUEST_TIMEOUT_S", "10")
    for field, name in asdict(names).items():
        monkeypatch.setenv(f"SLUICEGATE_TOPICS__{field.upper()}", name)
    return names


def command(*arguments: str, answer: str | None = None) -> Result:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        result = CliRunner().invoke(app, arguments, input=answer)
    finally:  # a command configures the logging of its process, here that of the tests
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def publish(kafka: str, *records: tuple[str, Message]) -> None:
    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            for topic, message in records:
                await producer.send_and_wait(
                    topic,
                    key=message.key,
                    value=message.value,
                    headers=list(message.headers),
                    timestamp_ms=message.timestamp_ms,
                )

    asyncio.run(send())


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def records(kafka: str, topic: str) -> list[Message]:
    async def read() -> list[Message]:
        return [arrival.message async for arrival in read_topic(KafkaSettings(bootstrap_servers=kafka), topic)]

    return asyncio.run(read())


def verdict(upload_id: str, decision: Decision, stage: Stage, uploaded_at: datetime = NOON) -> Message:
    event = Verdict(
        verdict_id=uuid.uuid4(),
        upload_id=upload_id,
        tenant="shop",
        surface="avatar",
        uploaded_at=uploaded_at,
        revision=stage.revision,
        decision=decision,
        stage=stage,
        policy=PolicyReference(name="default", version="2026-11-01"),
        image=ImageFacts(sha256="0" * 64),
        decided_at=uploaded_at + timedelta(seconds=stage.revision),
    )
    return Message(upload_id.encode(), event.model_dump_json().encode())


def letter(message: Message, topic: str, offset: int, to: str) -> tuple[str, Message]:
    delivered = Delivered(Ticket(Partition(topic, 0), offset, 1), message, 0)
    (record,) = dead_letter(delivered, topic=to, stage="fetch", error=Transient("the store is away")).records
    return record.topic, record.message


def test_topics_are_created_once_and_reported_as_json(topics):
    dry = command("topics", "create", "--partitions", "2", "--dry-run")
    assert 0 == dry.exit_code
    assert f"missing  {topics.uploads}" in dry.stdout
    assert f"created  {topics.uploads}" in command("topics", "create", "--partitions", "2").stdout
    again = [json.loads(line) for line in command("topics", "create", "--json").stdout.splitlines()]
    assert {"has 2 partitions, not 6"} == {difference for state in again for difference in state["differences"]}
    assert list(astuple(topics)) == [state["name"] for state in again]


def test_an_existing_topic_that_differs_ends_with_one(kafka, topics):
    async def create() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.create_topics([NewTopic(topics.verdicts, 6, 1)])
        await admin.close()

    asyncio.run(create())
    result = command("topics", "create")
    assert 1 == result.exit_code
    assert "differs: cleanup.policy is delete, must be compact" in result.stdout


def test_the_table_shows_the_verdict_that_holds_and_json_shows_all_as_published(kafka, topics):
    command("topics", "create")
    later = NOON + timedelta(hours=1)
    published = [
        verdict("a", Decision.ESCALATED, Stage.CLASSIFIER),
        verdict("a", Decision.REJECTED, Stage.VLM),
        verdict("b", Decision.REJECTED, Stage.VLM),
        verdict("b", Decision.APPROVED, Stage.CLASSIFIER, later),
        verdict("c", Decision.REVIEW, Stage.CLASSIFIER),
        Message(b"c", None),
        Message(b"d", b"not a verdict"),
    ]
    publish(kafka, *((topics.verdicts, message) for message in published))

    table = command("verdicts")
    assert 0 == table.exit_code
    assert "1 approved, 1 rejected" in table.stdout
    assert "escalated" not in table.stdout
    assert "not a verdict, skipped: partition" in table.stderr

    lines = command("verdicts", "--json", "--upload-id", "a").stdout.splitlines()
    assert [message.value.decode() for message in published[:2]] == lines
    assert 5 == len(command("verdicts", "--json").stdout.splitlines())


def listen_to_ctrl_c() -> None:
    """Where tests run in the background, a shell has them, and all that they start, ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_following_shows_verdicts_to_come_until_it_is_interrupted(kafka, topics):
    command("topics", "create")
    arguments = [sys.executable, "-m", "sluicegate_consumer.commands", "verdicts", "--follow", "--json"]
    with subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=listen_to_ctrl_c,  # noqa: PLW1509 - this process has no threads that hold locks
    ) as process:
        for decision in (Decision.ESCALATED, Decision.APPROVED):
            message = verdict("a", decision, Stage.CLASSIFIER)
            publish(kafka, (topics.verdicts, message))
            assert message.value + b"\n" == process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (130, b"") == (process.returncode, errors)


def test_dead_letters_are_listed_without_what_is_in_them(kafka, topics):
    command("topics", "create")
    upload = Message(b"u-1", b"private bytes", (("ce_id", b"1"),), 1_700_000_000_000)
    publish(
        kafka,
        letter(upload, topics.uploads, 7, topics.dead_letters),
        (topics.dead_letters, Message(b"x", b"y")),
    )

    result = command("dead-letters", "list", "--json")
    (shown,) = [json.loads(line) for line in result.stdout.splitlines() if '"u-1"' in line]
    assert ("u-1", 13) == (shown["key"], shown["value_bytes"])
    assert (topics.uploads, "7", "1700000000000", "fetch", "the store is away") == tuple(
        shown["errors"][name] for name in ("topic", "offset", "timestamp", "stage", "exception.message")
    )
    assert "private" not in result.stdout
    assert "2 dead letters" in command("dead-letters", "list").stdout
    assert 1 == len(command("dead-letters", "list", "--json", "--limit", "1").stdout.splitlines())


def test_a_replayed_dead_letter_is_the_record_that_it_was(kafka, topics):
    command("topics", "create", "--partitions", "1")
    yesterday_ms = now_ms() - 24 * 3_600_000
    uploads = [
        Message(
            b"u-%d" % number,
            b"\xff\xd8%d" % number,
            (("h", b"\xfe"), ("h", b"2")),
            yesterday_ms + number,
        )
        for number in range(3)
    ]
    publish(kafka, *(letter(upload, topics.uploads, 0, topics.dead_letters) for upload in uploads))

    refused = command("dead-letters", "replay", "--all", answer="n\n")
    assert (1, []) == (refused.exit_code, records(kafka, topics.uploads))

    one = command("dead-letters", "replay", "--from-partition", "0", "--offset", "1", "--yes")
    assert (0, f"1 to {topics.uploads}\nsent 1\n") == (one.exit_code, one.stdout)
    assert [uploads[1]] == records(kafka, topics.uploads)

    every = command("dead-letters", "replay", "--all", answer="y\n")
    assert 0 == every.exit_code
    assert [uploads[1], *uploads] == records(kafka, topics.uploads)

    none = command("dead-letters", "replay", "--all", "--topic", "elsewhere", "--yes")
    assert (0, "no dead letter chosen\n") == (none.exit_code, none.stdout)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (("0", "--offset", "999"), "partition 0, offset 999: no dead letter there: sluicegate dead-letters list shows"),
        (("7",), "partition 7: no dead letter there: "),
        (("0", "--topic", "elsewhere"), "partition 0: no dead letter there that came from elsewhere: "),
    ],
)
def test_to_replay_a_place_where_no_dead_letter_is_fails_and_names_it(kafka, topics, place, why):
    command("topics", "create", "--partitions", "1")
    upload = Message(b"u", b"v", (), now_ms())
    publish(kafka, letter(upload, topics.uploads, 0, topics.dead_letters))
    result = command("dead-letters", "replay", "--from-partition", *place, "--yes")
    assert (1, "no dead letter chosen\n") == (result.exit_code, result.stdout)
    assert why in result.stderr
    assert [] == records(kafka, topics.uploads)


def test_a_replayed_dead_letter_is_not_so_old_that_its_topic_drops_it(kafka, topics):
    command("topics", "create", "--partitions", "1")
    upload = Message(b"u", b"v", (("h", b"1"),), 1_700_000_000_000)
    publish(kafka, letter(upload, topics.uploads, 0, topics.dead_letters))
    assert 0 == command("dead-letters", "replay", "--all", "--yes").exit_code
    (found,) = records(kafka, topics.uploads)
    assert upload == replace(found, timestamp_ms=upload.timestamp_ms)
    half_of_a_week_ms = 7 * 24 * 3_600_000 // 2
    assert 0 <= found.timestamp_ms - (now_ms() - half_of_a_week_ms) + 60_000 <= 60_000


def test_what_is_no_dead_letter_is_left_alone_and_said(kafka, topics):
    command("topics", "create", "--partitions", "1")
    upload = Message(b"u", b"v", (), now_ms())
    publish(
        kafka,
        (topics.dead_letters, Message(b"x", b"y")),
        letter(upload, topics.uploads, 0, topics.dead_letters),
    )
    result = command("dead-letters", "replay", "--all", "--yes")
    assert 1 == result.exit_code
    assert "not a dead letter, left alone: partition 0, offset 0" in result.stderr
    assert [upload] == records(kafka, topics.uploads)


@pytest.mark.parametrize("arguments", [(), ("--all", "--from-partition", "0"), ("--all", "--offset", "1")])
def test_a_replay_must_say_what_is_meant(arguments):
    result = command("dead-letters", "replay", *arguments)
    assert 2 == result.exit_code
    assert "sluicegate: " in result.stderr


class Ollama(BaseHTTPRequestHandler):
    """As much of Ollama as tells what model it has."""

    answers: ClassVar = {
        "/api/version": {"version": "0.17.4"},
        "/api/tags": {"models": [{"model": "qwen3.5:latest", "digest": "0" * 64}]},
        "/api/show": {"capabilities": ["completion", "vision"]},
    }

    def do_GET(self) -> None:
        body = json.dumps(self.answers[self.path]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def ollama() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ollama)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("topics")
def test_a_check_names_what_is_missing_and_ends_with_zero_once_it_is_there(ollama, monkeypatch, tmp_path):
    monkeypatch.setenv("SLUICEGATE_MODEL__NAME", "embedded")
    monkeypatch.setenv("SLUICEGATE_KAFKA__SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("SLUICEGATE_FETCH__FILE_ROOTS", json.dumps([str(tmp_path)]))
    monkeypatch.setenv("SLUICEGATE_OLLAMA__URLS", json.dumps([ollama]))

    before = command("check", "--json")
    report = json.loads(before.stdout)
    problems = [finding["message"] for finding in report["checks"] if finding["level"] == "problem"]
    assert (1, False, 5) == (before.exit_code, report["ok"], len(problems))
    assert all("missing" in problem for problem in problems)
    assert "**********" == report["settings"]["kafka.sasl_password"]
    assert "hunter2" not in before.output

    command("topics", "create")
    after = command("check")
    assert (0, "") == (after.exit_code, after.stderr)
    for line in (
        "ok      kafka: topic ",
        "ok      judging: labels as the policy's entry",
        f"ok      images: fetch.file_roots: {tmp_path}",
        f"ok      second tier: {ollama.removeprefix('http://')}: Ollama 0.17.4",
        f"ok      network: ollama.urls: {ollama.removeprefix('http://')}: 127.0.0.1",
    ):
        assert line in after.stdout
    assert "hunter2" not in after.stdout

    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("SLUICEGATE_OLLAMA__URLS", '["http://127.0.0.1:1"]')
        consumer = command("check", "consume")
        assert (0, 1) == (consumer.exit_code, command("check").exit_code)
        assert "ok      judging: labels" in consumer.stdout
        assert "problem" not in consumer.stdout
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("SLUICEGATE_MODEL__NAME", "nobody/nothing")
        worker = command("check", "escalate")
        assert (0, 1) == (worker.exit_code, command("check").exit_code)
        assert "ok      judging: policy" in worker.stdout
        assert "ok      second tier: " in worker.stdout


def test_a_broker_that_is_away_ends_with_one_within_its_timeout(monkeypatch):
    monkeypatch.setenv("SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("SLUICEGATE_KAFKA__REQUEST_TIMEOUT_S", "2")
    began = time.monotonic()
    for arguments in (
        ["verdicts"],
        ["dead-letters", "list"],
        ["topics", "create"],
        ["publish", "s3://images/a.jpg"],
        ["check", "--timeout", "5"],
    ):
        result = command(*arguments)
        assert 1 == result.exit_code
        assert "127.0.0.1:1" in result.output
    assert time.monotonic() - began < 30


def test_a_wrong_setting_ends_with_two_and_without_a_traceback(tmp_path: Path):
    environment = os.environ | {"SLUICEGATE_KAFKA__BOOTSTRAP_SERVER": "x"}
    result = subprocess.run(
        [sys.executable, "-m", "sluicegate_consumer.commands", "verdicts"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (2, "") == (result.returncode, result.stdout)
    assert "did you mean SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS?" in result.stderr
    assert "Traceback" not in result.stderr
