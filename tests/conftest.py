"""What every test may use: brokers, and photographs that installed packages carry."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from sluicegate_consumer.demo.broker import embedded_broker

# Enough to find what is commonly wrong within seconds; `HYPOTHESIS_PROFILE=thorough` looks longer.
settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

ROOT = Path(__file__).parent.parent
SHARED_KAFKA = ROOT.parent / "shared" / "kafka"


def kafka_home() -> Path | None:
    """An unpacked Apache Kafka: where KAFKA_HOME points, or beside the checkout."""
    given = os.environ.get("KAFKA_HOME")
    home = Path(given) if given else SHARED_KAFKA
    usable = (home / "bin" / "kafka-server-start.sh").is_file() and shutil.which("java")
    return home if usable else None


@contextmanager
def one_node(home: Path, directory: Path) -> Iterator[str]:
    """One combined KRaft node on free ports; gives its `host:port`."""
    broker, controller = _free_ports(2)
    properties = directory / "node.properties"
    properties.write_text(
        f"""process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={directory / "data"}
num.partitions=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=33554432
"""
    )
    env = os.environ | {"KAFKA_HEAP_OPTS": "-Xmx384m", "LOG_DIR": str(directory / "logs")}
    run = [home / "bin" / "kafka-storage.sh", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", properties]
    subprocess.run(run, check=True, env=env, capture_output=True)
    log = directory / "kafka.log"
    with log.open("wb") as output:
        node = subprocess.Popen(
            [home / "bin" / "kafka-server-start.sh", properties],
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while "Kafka Server started" not in log.read_text(errors="replace"):
            assert node.poll() is None, log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
            time.sleep(0.1)
        yield f"127.0.0.1:{broker}"
    finally:
        os.killpg(node.pid, 9)
        node.wait()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@pytest.fixture(scope="session")
def embedded_kafka() -> Iterator[str]:
    """`host:port` of the embedded broker; topics are shared by the session, so name yours uniquely."""
    with embedded_broker() as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture(scope="session")
def apache_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of one Apache Kafka node, where Kafka is present."""
    home = kafka_home()
    if home is None:
        pytest.skip("no Apache Kafka: set KAFKA_HOME to an unpacked Kafka 4, and have java on the path")
    with one_node(home, tmp_path_factory.mktemp("kafka")) as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture(params=["embedded_kafka", "apache_kafka"])
def kafka(request: pytest.FixtureRequest) -> str:
    """`host:port` of a broker: the embedded one always, Apache Kafka where it is present."""
    bootstrap_servers: str = request.getfixturevalue(request.param)
    return bootstrap_servers


@pytest.fixture(scope="session")
def photographs() -> dict[str, Path]:
    """Ordinary photographs by name, from scikit-image's wheel; found without importing it."""
    spec = find_spec("skimage")
    assert spec is not None, "scikit-image is missing: pip install 'sluicegate[embedded]'"
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg", "motorcycle_left.png")
    return {Path(name).stem: data / name for name in names}
