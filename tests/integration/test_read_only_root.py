"""In its container a service can write nowhere but in /tmp: all it needs must work so."""

import json
import shutil
import subprocess
import uuid
from dataclasses import asdict
from pathlib import Path

import pytest

from kafka_state import eventually, records
from service_process import PROGRAM, ServiceProcess
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_producer import About, UploadPublisher
from sluicegate_schemas.topics import Topics

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

READ_ONLY = "mount -o remount,bind,ro / && mount -t tmpfs tmpfs /tmp && exec"
HERE = Path(__file__).parent


def confined(script: str, *command: str) -> tuple[str, ...]:
    """The command in a mount namespace of its own, where the root is read-only and /tmp is empty."""
    return ("unshare", "--map-root-user", "--mount", "sh", "-c", f'{READ_ONLY} {script} "$@"', "sh", *command)


@pytest.fixture
def program() -> tuple[str, ...]:
    if shutil.which("unshare") is None:
        pytest.skip("no unshare on this machine")
    probe = confined("touch", str(HERE / "a-file-that-cannot-be"))
    said = subprocess.run(probe, capture_output=True, text=True, check=False).stderr
    if "Read-only file system" not in said:
        pytest.skip(f"no mount namespaces for this user, or these files lie on a mount of their own: {said.strip()}")
    return confined("", *PROGRAM)


async def test_the_consumer_judges_an_image_with_a_read_only_root(program, embedded_kafka, photographs, tmp_path):
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead-letters")))
    async with kafka_admin(KafkaSettings(bootstrap_servers=embedded_kafka)) as admin:
        await create_topics(admin, topic_plans(topics, 12 * 2**20))
    settings = {
        "HOME": "/tmp",
        "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": embedded_kafka,
        "SLUICEGATE_MODEL__NAME": "embedded",
    } | {f"SLUICEGATE_TOPICS__{field.upper()}": name for field, name in asdict(topics).items()}

    consumer = ServiceProcess("consume", settings, tmp_path / "log", program)
    consumer.start()
    try:
        async with UploadPublisher(embedded_kafka, topic=topics.uploads) as publisher:
            await publisher.publish_bytes(photographs["chelsea"].read_bytes(), About(upload_id="cat", surface="post"))

        async def decided() -> bool:
            return bool(await records(embedded_kafka, topics.verdicts))

        await eventually(decided, 60, consumer.tail)
        assert 0 == consumer.stop()
    finally:
        consumer.kill()
    (verdict,) = await records(embedded_kafka, topics.verdicts)
    assert "classifier" == json.loads(verdict.value)["stage"]
