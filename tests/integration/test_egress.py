"""The egress guard, tried: in processes of their own, since it can be installed and never removed.

Nothing of what is tried could arrive anywhere, even if the guard let it pass: it goes to the loopback interface, or to
addresses that are reserved for documentation (RFC 5737).
"""

import json
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from brokers import free_ports
from command_process import command, environment
from image_server import ImageServer, image_server, redirect
from kafka_state import eventually, records
from service_process import service
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.decoder import ProcessDecoder
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_consumer.operations.settings import DecodeSettings, KafkaSettings
from sluicegate_consumer.pixels import Geometry
from sluicegate_producer.publisher import UploadPublisher
from sluicegate_schemas.events import Reason
from sluicegate_schemas.topics import Topics
from tcp_proxy import TcpProxy

pytestmark = pytest.mark.integration

TRIES = Path(__file__).parent.parent / "egress_program.py"
ESCAPES = {
    "with_urllib": "URLError <- EgressRefused",
    "with_http_client": "EgressRefused",
    "with_requests": "ConnectionError <- ",
    "with_httpx": "ConnectError <- ",
    "with_asyncio": "EgressRefused",
    "with_httpx_under_asyncio": "ConnectError <- ",
    "with_hugging_face": "",
    "with_connect_ex": "EgressRefused",
    "with_ipv6": "EgressRefused",
    "with_a_datagram": "EgressRefused",
    "with_a_message": "EgressRefused",
    "with_a_name": "EgressRefused",
    "with_another_name": "EgressRefused",
    "with_another_port": "EgressRefused",
    "with_a_redirect": "ConnectError <- ",
}
"""What is tried, and what the library that tries it makes of the refusal."""
OUTSIDE_BY_ANOTHER_NAME = "3405803783"
"""203.0.113.7 as one number: a name to us, and to the C library an address, for which it asks nobody."""


@pytest.fixture
def images() -> Iterator[ImageServer]:
    with image_server() as server:
        server.put("/image", b"an image")
        server.put("/moved", redirect("http://203.0.113.7/image"))
        yield server


def tried(directory: Path, names: list[str], **settings: object) -> dict[str, tuple[str, int]]:
    """What became of each attempt, and how many refusals were counted meanwhile."""
    result = subprocess.run(
        [sys.executable, TRIES, *names],
        env=environment(**settings) | {"NO_PROXY": "*", "PYTHONPATH": str(TRIES.parent)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert 0 == result.returncode, result.stderr
    return {name: tuple(found) for name, found in json.loads(result.stdout.splitlines()[-1]).items()}


def test_no_library_gets_out_whichever_way_it_tries(tmp_path: Path, images: ImageServer):
    prefixes = [f"{images.url}/"]
    found = tried(tmp_path, [*ESCAPES, "allowed", "a_local_socket"], fetch__allowed_uri_prefixes=prefixes)
    assert {("done", 0)} == {found.pop("allowed"), found.pop("a_local_socket")}
    assert ESCAPES.keys() == found.keys()
    for name, (error, count) in found.items():
        assert count > 0  # some try again
        assert error.startswith(ESCAPES[name])
        assert error.endswith("EgressRefused")
    assert ["/moved", "/image"] == images.asked


def test_a_name_that_leads_outside_later_is_a_store_that_is_away(tmp_path: Path, images: ImageServer):
    prefixes = [f"{images.url.replace('127.0.0.1', 'media.internal')}/"]
    names = ["allowed", "after_the_name_moved_outside"]
    found = tried(tmp_path, names, fetch__allowed_uri_prefixes=prefixes, fetch__deadline_s=2)
    assert ("done", 0) == found["allowed"]
    error, count = found["after_the_name_moved_outside"]
    assert error.startswith("Transient")
    assert error.endswith("EgressRefused")
    assert count > 0
    assert ["/image"] == images.asked


def test_a_guard_that_only_watches_stops_nothing_and_counts_everything(tmp_path: Path, images: ImageServer):
    found = tried(
        tmp_path,
        ["with_another_port", "a_second_guard"],
        fetch__allowed_uri_prefixes=[f"{images.url}/"],
        egress__enforce="false",
    )
    assert ("ConnectionRefusedError", 1) == found["with_another_port"]
    assert ("RuntimeError", 0) == found["a_second_guard"]


@pytest.mark.parametrize(
    ("name", "setting", "value", "message"),
    [
        (
            "consume",
            "kafka__bootstrap_servers",
            f"{OUTSIDE_BY_ANOTHER_NAME}:9092",
            f"kafka.bootstrap_servers: {OUTSIDE_BY_ANOTHER_NAME}:9092: ",
        ),
        ("escalate", "ollama__urls", ["http://203.0.113.7:11434"], "ollama.urls: 203.0.113.7:11434: "),
        (
            "consume",
            "fetch__allowed_uri_prefixes",
            ["http://203.0.113.7/"],
            "fetch.allowed_uri_prefixes: 203.0.113.7:80: ",
        ),
    ],
)
def test_a_service_that_is_sent_outside_does_not_start(name, setting, value, message):
    result = command(name, **{setting: value})
    assert 2 == result.returncode
    assert f"{message}public address 203.0.113.7: outside the allowed network" in result.stderr
    assert "to egress.allowed_hosts" in result.stderr


def test_a_store_of_the_cloud_must_be_allowed_by_name():
    result = command("consume", fetch__allowed_uri_prefixes=["s3://uploads/"])
    assert 2 == result.returncode
    assert "s3:// without an endpoint in fetch.store_options: .amazonaws.com: public" in result.stderr


PLANTED = """
import sys, threading, time, urllib.request

def report():
    for _ in range(1000):
        time.sleep(0.2)
        try:
            urllib.request.urlopen("http://203.0.113.7/usage", timeout=1)
        except OSError:
            pass

if sys.orig_argv[-1:] == ["consume"]:
    threading.Thread(target=report, daemon=True).start()
"""


@pytest.fixture
def planted(tmp_path: Path) -> str:
    """A folder that Python looks into at its start, with a library that wants to report."""
    folder = tmp_path / "planted"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(PLANTED)
    return str(folder)


@pytest.mark.timeout(120)
async def test_a_service_goes_on_while_a_library_in_it_is_refused(
    embedded_kafka: str, planted: str, tmp_path: Path, photographs: dict[str, Path]
):
    """Its bootstrap server is a proxy, so the broker is at a port that the cluster's metadata name and no setting."""
    kafka, topics = embedded_kafka, Topics(*(f"{name}-{uuid.uuid4().hex[:8]}" for name in ("u", "v", "e", "r", "d")))
    async with kafka_admin(KafkaSettings(bootstrap_servers=kafka)) as admin:
        await create_topics(admin, topic_plans(topics, 12 * 2**20, partitions=1))
    proxy = TcpProxy(int(kafka.rpartition(":")[2]))
    (port,) = free_ports(1)
    settings = environment(
        kafka__bootstrap_servers=f"localhost:{proxy.port}",
        model__name="embedded",
        fetch__allowed_uri_prefixes=[],
        observability__endpoint_port=str(port),
        observability__log_format="json",
        **{f"topics__{field}": name for field, name in asdict(topics).items()},
    )
    home = tmp_path / "home"
    home.mkdir()
    settings |= {"PYTHONPATH": planted, "HOME": str(home)}
    async with UploadPublisher(kafka, topic=topics.uploads) as publisher:
        await publisher.publish_bytes(photographs["coffee"].read_bytes())

    async def decided() -> bool:
        return len(await records(kafka, topics.verdicts)) == 1 and refused(port) >= 2

    with service("consume", settings, tmp_path / "consume.log") as consumer:
        await eventually(decided, 60, consumer.tail)
        assert 0 == consumer.stop()
    proxy.stop()
    logged = [json.loads(line) for line in consumer.logged().splitlines()]
    refusals = [line for line in logged if line["event"] == "egress_refused"]
    assert {("socket.connect", "203.0.113.7", 80)} == {(each["call"], each["host"], each["port"]) for each in refusals}
    assert [] == [
        path for path in home.rglob("*") if "Microsoft" in path.parts
    ]  # where ONNX Runtime would begin to report


def refused(port: int) -> float:
    """What the service's metrics say."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
    except OSError:
        return 0
    return next(float(line.split()[1]) for line in lines if line.startswith("sluicegate_egress_refused_total"))


PLANTED_IN_DECODER = """
import socket, PIL.Image
really = PIL.Image.open
def opened(file, *more, **named):
    if b"PLANTED" in file.getvalue():
        socket.create_connection(("203.0.113.7", 80), 1)
    return really(file, *more, **named)
PIL.Image.open = opened
"""


async def test_a_decoding_process_that_asks_for_a_connection_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photographs: dict[str, Path], capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "sitecustomize.py").write_text(PLANTED_IN_DECODER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    good = photographs["rocket"].read_bytes()
    async with ProcessDecoder(Geometry(16, 16), DecodeLimits.of(DecodeSettings()), 1) as decoder:
        with pytest.raises(Unprocessable) as caught:
            await decoder.decode(good + b"PLANTED")
        await decoder.decode(good)
    assert Reason.DECODER_CRASHED is caught.value.reason
    assert "a decoding process asked for socket.getaddrinfo: ended" in capfd.readouterr().err
