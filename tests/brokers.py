"""Real brokers that can be stopped, killed, frozen and started again with their data."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sluicegate_consumer.demo.broker import embedded_broker

ROOT = Path(__file__).parent.parent
BESIDE = ROOT.parent / "shared" / "kafka"
START_TIMEOUT_S = 60.0
COMMON = """process.roles=broker,controller
controller.listener.names=CONTROLLER
num.partitions=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=33554432
"""


def kafka_home() -> Path | None:
    """An unpacked Apache Kafka: where KAFKA_HOME points, or beside the checkout."""
    given = os.environ.get("KAFKA_HOME")
    home = Path(given) if given else BESIDE
    usable = (home / "bin" / "kafka-server-start.sh").is_file() and shutil.which("java")
    return home if usable else None


@contextmanager
def apache_or_embedded(directory: Path) -> Iterator[str]:
    """One node of Apache Kafka where it is present, with its data in `directory`, or else the embedded broker."""
    home = kafka_home()
    if home is None:
        with embedded_broker() as servers:
            yield servers
        return
    kafka = Kafka(home, directory / "kafka")
    kafka.start()
    try:
        yield kafka.bootstrap_servers
    finally:
        kafka.kill()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class KafkaNode:
    """One combined KRaft node of Apache Kafka."""

    def __init__(self, home: Path, directory: Path, properties: str, *, format_options: tuple[str, ...] = ()) -> None:
        self._home = home
        self._directory = directory
        self._log = directory / "kafka.log"
        self._environment = os.environ | {"KAFKA_HEAP_OPTS": "-Xmx384m", "LOG_DIR": str(directory / "logs")}
        self._properties = directory / "node.properties"
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(f"{properties}\nlog.dirs={directory / 'data'}\n")
        script = home / "bin" / "kafka-storage.sh"
        command = [script, "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", self._properties, *format_options]
        subprocess.run(command, check=True, env=self._environment, capture_output=True)

    def start(self) -> None:
        """Start it; returns at once, see `wait`."""
        self._log.write_bytes(b"")
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [self._home / "bin" / "kafka-server-start.sh", self._properties],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return once it serves."""
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while "Kafka Server started" not in self.logged():
            assert self.running, self.logged()[-2000:]
            assert time.monotonic() < deadline, self.logged()[-2000:]
            time.sleep(0.05)

    @property
    def running(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def logged(self) -> str:
        """What it has said since its last start."""
        return self._log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Freeze it, thaw it."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def stop(self) -> None:
        """Shut it down in order."""
        self.signal(signal.SIGTERM)
        assert self._process is not None
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would; its disk stays."""
        if self._process is not None and self.running:
            self.signal(signal.SIGKILL)
            self._process.wait()


@dataclass(frozen=True)
class Lock:
    """TLS, passwords (SCRAM) and rights (ACLs) of a listener."""

    authority_file: Path
    """Of the authority that signed the broker's certificate."""
    broker_store: Path
    """The broker's key and certificate."""
    users: Sequence[str]
    """Each of them has its name, with `-secret` behind it, as its password."""

    @property
    def properties(self) -> str:
        """Of a node; the listener is the one for clients that come through proxies."""
        return f"""sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.proxied.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={self.broker_store}
ssl.truststore.type=PEM
ssl.truststore.location={self.authority_file}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""

    @property
    def format_options(self) -> tuple[str, ...]:
        """Makes the users, when the disk is formatted."""
        users = [f"SCRAM-SHA-512=[name={user},password={user}-secret]" for user in self.users]
        return tuple(part for user in users for part in ("--add-scram", user))


class Kafka:
    """One node or several, as one thing that clients connect to.

    Args:
        home: An unpacked Kafka.
        directory: For data and logs.
        nodes: One or three.
        proxies: Ports of proxies, one for each node. Clients that come through them are told these ports again; the
            nodes' ports behind them are `behind`.
        lock: What guards the ports `behind`: TLS, passwords and rights. Who connects directly may do everything.
    """

    def __init__(
        self, home: Path, directory: Path, nodes: int = 1, proxies: Sequence[int] = (), lock: Lock | None = None
    ) -> None:
        ports = free_ports(3 * nodes)
        self._direct, self.behind, controllers = ports[:nodes], ports[nodes : 2 * nodes], ports[2 * nodes :]
        self._proxies = proxies or self.behind
        voters = ",".join(f"{number + 1}@127.0.0.1:{port}" for number, port in enumerate(controllers))
        replication, quorum = (3, 2) if nodes > 1 else (1, 1)
        self.nodes = [
            KafkaNode(
                home,
                directory / f"node-{number}",
                f"""{COMMON}node.id={number + 1}
listeners=DIRECT://127.0.0.1:{direct},PROXIED://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=DIRECT://127.0.0.1:{direct},PROXIED://127.0.0.1:{self._proxies[number]}
listener.security.protocol.map=DIRECT:PLAINTEXT,PROXIED:{"SASL_SSL" if lock else "PLAINTEXT"},CONTROLLER:PLAINTEXT
inter.broker.listener.name=DIRECT
controller.quorum.voters={voters}
default.replication.factor={replication}
min.insync.replicas={quorum}
offsets.topic.replication.factor={replication}
transaction.state.log.replication.factor={replication}
transaction.state.log.min.isr={quorum}
share.coordinator.state.topic.replication.factor={replication}
share.coordinator.state.topic.min.isr={quorum}
{lock.properties if lock else ""}
""",
                format_options=lock.format_options if lock else (),
            )
            for number, (direct, behind, controller) in enumerate(
                zip(self._direct, self.behind, controllers, strict=True)
            )
        ]

    @property
    def bootstrap_servers(self) -> str:
        """For clients that connect directly."""
        return ",".join(f"127.0.0.1:{port}" for port in self._direct)

    @property
    def proxied_servers(self) -> str:
        """For clients that come through the proxies."""
        return ",".join(f"127.0.0.1:{port}" for port in self._proxies)

    @property
    def replication(self) -> int:
        """That topics should have."""
        return 3 if len(self.nodes) > 1 else 1

    def start(self) -> None:
        """Start all nodes, and wait until they serve."""
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait()

    def kill(self) -> None:
        """End all nodes at once."""
        for node in self.nodes:
            node.kill()
