"""What every test may use: brokers, and photographs that installed packages carry."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from brokers import Kafka, kafka_home
from secure_kafka import SecureKafka
from sluicegate_consumer.demo.broker import embedded_broker
from sluicegate_consumer.operations.telemetry import silence

# Before any test imports a library that would report to its maker: no test reaches beyond loopback.
silence()

# Enough to find what is commonly wrong within seconds; `HYPOTHESIS_PROFILE=thorough` looks longer.
settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def embedded_kafka() -> Iterator[str]:
    """`host:port` of the embedded broker; topics are shared by the session, so name yours uniquely."""
    with embedded_broker() as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture(scope="session")
def apache_home() -> Path:
    """An unpacked Apache Kafka; whoever asks for it is skipped where there is none."""
    home = kafka_home()
    if home is None:
        pytest.skip("no Apache Kafka: set KAFKA_HOME to an unpacked Kafka 4, and have java on the path")
    return home


@pytest.fixture(scope="session")
def apache_kafka(apache_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of one Apache Kafka node, where Kafka is present."""
    kafka = Kafka(apache_home, tmp_path_factory.mktemp("kafka"))
    kafka.start()
    yield kafka.bootstrap_servers
    kafka.kill()


@pytest.fixture(scope="session")
def secure_kafka(apache_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """One Apache Kafka node with TLS, passwords and rights, where Kafka is present."""
    secure = SecureKafka(apache_home, tmp_path_factory.mktemp("secure"))
    yield secure
    secure.stop()


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
