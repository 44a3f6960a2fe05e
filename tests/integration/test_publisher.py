"""Uploads published by path, URI and bytes, and what the broker then holds."""

import asyncio
import hashlib
import io
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from kafka_state import records
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.demo.broker import embedded_broker
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_producer import About, UploadPublisher
from sluicegate_producer.errors import NotAcknowledged, NotAnUpload, NotConnected
from sluicegate_schemas.cloudevents import read_upload
from sluicegate_schemas.message import Message
from sluicegate_schemas.topics import Topics

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ABOUT = About(upload_id="post-17", tenant="shop", surface="post", policy="strict", uploaded_at=NOON, traceparent=TRACE)


@pytest.fixture
async def topic(kafka: str) -> str:
    """A new topic of uploads with two partitions."""
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead")))
    async with kafka_admin(KafkaSettings(bootstrap_servers=kafka)) as admin:
        await create_topics(admin, topic_plans(topics, 12 * 2**20, partitions=2))
    return topics.uploads


@pytest.fixture
def image(tmp_path: Path) -> Path:
    Image.effect_noise((64, 64), 50).save(tmp_path / "image", "PNG")
    return tmp_path / "image"


async def published(kafka: str, topic: str) -> list[Message]:
    return [Message(each.key, each.value, tuple(each.headers), each.timestamp) for each in await records(kafka, topic)]


async def test_a_file_a_uri_and_bytes_become_uploads_keyed_by_their_id(kafka: str, topic: str, image: Path):
    async with UploadPublisher(kafka, topic=topic) as publisher:
        receipts = [
            await publisher.publish_file(image, ABOUT),
            await publisher.publish_file(image, ABOUT, inline=True),
            await publisher.publish_uri("s3://images/a.jpg", ABOUT),
            await publisher.publish_bytes(image.read_bytes(), ABOUT),
        ]
    assert [0, 1, 2, 3] == [receipt.offset for receipt in receipts]  # one key: one partition, in order
    messages = await published(kafka, topic)
    assert {b"post-17"} == {message.key for message in messages}
    read = [read_upload(message) for message in messages]
    assert {("post-17", "shop", "post", "strict", NOON)} == {
        (each.event.upload_id, each.event.tenant, each.event.surface, each.event.policy, each.event.uploaded_at)
        for each in read
    }
    assert {TRACE} == {each.traceparent for each in read}
    assert [None, image.read_bytes(), None, image.read_bytes()] == [each.inline for each in read]
    assert [image.as_uri(), None, "s3://images/a.jpg", None] == [
        each.event.image and each.event.image.uri for each in read
    ]


async def test_what_cannot_be_an_upload_is_refused_and_nothing_is_sent(kafka: str, topic: str, image: Path):
    text = image.with_name("text")
    text.write_text("no image")
    async with UploadPublisher(kafka, topic=topic, max_inline_bytes=100) as publisher:
        for attempt in (
            publisher.publish_bytes(b""),
            publisher.publish_bytes(b"no image"),
            publisher.publish_bytes(image.read_bytes()),
            publisher.publish_file(text),
            publisher.publish_file(image.with_name("nothing"), inline=True),
            publisher.publish_uri("ftp://host/a.jpg"),
            publisher.publish_uri("s3://images/a.jpg", About(tenant="not a name")),
        ):
            with pytest.raises(NotAnUpload):
                await attempt
    assert [] == await published(kafka, topic)


async def test_many_under_way_are_all_acknowledged(kafka: str, topic: str):
    async with UploadPublisher(kafka, topic=topic) as publisher:
        under_way = [await publisher.submit_uri(f"s3://images/{number}") for number in range(500)]
        receipts = await asyncio.gather(*under_way)
    assert 500 == len({receipt.upload_id for receipt in receipts})
    messages = await published(kafka, topic)
    assert {receipt.upload_id.encode() for receipt in receipts} == {message.key for message in messages}
    assert 500 == len(messages)


async def test_when_the_broker_is_gone_the_outcome_is_said_to_be_unknown():
    with embedded_broker() as kafka:
        publisher = UploadPublisher(kafka, topic="uploads", timeout_s=1.0)
        await publisher.__aenter__()
        await publisher.publish_uri("s3://images/a.jpg", ABOUT)
    async with asyncio.timeout(30):
        with pytest.raises(NotAcknowledged, match="upload 'post-17': the broker said nothing for 1 s"):
            await publisher.publish_uri("s3://images/a.jpg", ABOUT)
        await publisher.__aexit__(None, None, None)


async def test_where_no_broker_answers_nothing_is_sent_and_the_brokers_are_named():
    with pytest.raises(NotConnected, match=r"Kafka at 127\.0\.0\.1:1: "):
        async with UploadPublisher("127.0.0.1:1"):
            pass


def command(kafka: str, topic: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sluicegate_consumer.commands", "publish", *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": kafka,
            "SLUICEGATE_TOPICS__UPLOADS": topic,
        },
        input=stdin,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


async def test_the_command_publishes_files_folders_and_uris_and_sums_up(kafka: str, topic: str, image: Path):
    ended = command(kafka, topic, str(image.parent), "s3://images/a.jpg", "--tenant", "shop", "--rate", "1000")
    assert 0 == ended.returncode, ended.stderr
    assert "2 published" in ended.stderr
    uploads = [read_upload(message).event for message in await published(kafka, topic)]
    assert {image.as_uri(), "s3://images/a.jpg"} == {upload.image.uri for upload in uploads}
    assert {"shop"} == {upload.tenant for upload in uploads}


async def test_the_command_names_what_it_refuses_and_publishes_the_rest(kafka: str, topic: str, image: Path):
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "GIF")
    image.with_name("other").write_bytes(file.getvalue())
    image.with_name("text").write_text("no image")
    ended = command(
        kafka, topic, "--inline", "--json", "-", stdin=f"{image}\n{image}.missing\n\n{image.with_name('other')}\n"
    )
    assert 1 == ended.returncode
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert 3 == len(lines)
    assert {hashlib.sha256(image.read_bytes()).digest(), hashlib.sha256(file.getvalue()).digest()} == {
        hashlib.sha256(message.value).digest() for message in await published(kafka, topic)
    }
    assert "missing" in ended.stdout + ended.stderr


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_command_refuses_one_by_one_names_that_nothing_could_have(
    kafka: str, topic: str, image: Path, streamed: bool
):
    names = [f"s3://b/{'a' * 5000}", "b" * 300, *(["c\0d\0"] if streamed else []), str(image)]
    if streamed:
        ended = command(kafka, topic, "--json", stdin="".join(f"{name}\n" for name in names))
    else:
        ended = command(kafka, topic, "--json", *names)
    assert (1, False) == (ended.returncode, "Traceback" in ended.stderr), ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert set(names) == {line["item"] for line in lines}
    assert [str(image)] == [line["item"] for line in lines if "error" not in line]
    assert 1 == len(await published(kafka, topic))


async def test_the_command_publishes_a_file_whose_name_is_no_utf_8(kafka: str, topic: str, image: Path):
    odd = image.rename(os.fsdecode(os.fsencode(image.parent) + b"/\xff"))
    for arguments, stdin in (([str(odd)], ""), ([], f"{odd}\n"), ([f"{odd}.missing"], "")):
        ended = command(kafka, topic, "--json", *arguments, stdin=stdin)
        assert ("missing" in "".join(arguments), False) == (ended.returncode == 1, "Traceback" in ended.stderr)
        assert r"\udcff" in json.loads(ended.stdout)["item"]
    assert 2 == len(await published(kafka, topic))
