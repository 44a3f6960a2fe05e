"""What faults are played on: a broker, alone or behind a proxy, and a language model's server."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from brokers import Kafka, kafka_home
from fake_ollama import OllamaServer, ollama_server
from mock_kafka import MockKafka
from secure_kafka import SecureKafka
from sluicegate_consumer.demo.broker import embedded_broker
from tcp_proxy import TcpProxy


@dataclass
class Stage:
    """Shared by all that is played on it, one after the other."""

    direct: str
    """Past the proxy."""
    bootstrap_servers: str
    """For the services: through the proxy, where there is one."""
    ollama: OllamaServer
    proxy: TcpProxy | None = None
    kafka: Kafka | None = None
    mock: MockKafka | None = None
    secure: SecureKafka | None = None
    """Where each service needs a user of its own, with rights."""
    session_s: float = 2.0
    """The shortest session that the broker allows."""

    @property
    def ends_sessions(self) -> bool:
        """Whether it gives a silent member's partitions away; the embedded broker never does."""
        return self.kafka is not None or self.mock is not None

    def clear(self) -> None:
        """Forget what the language model was told to do."""
        self.ollama.script.clear()
        self.ollama.always = None


def stage_of(broker: str, stack: ExitStack, directory: Path) -> Stage:
    """`embedded`, or `apache` behind a proxy, for as long as the stack is open."""
    ollama = stack.enter_context(ollama_server(decision="approve"))
    if broker == "embedded":
        direct = stack.enter_context(embedded_broker())
        return Stage(direct, direct, ollama, session_s=6.0)
    home = kafka_home()
    assert home is not None, "no Apache Kafka: set KAFKA_HOME, and have java on the path"
    proxy = TcpProxy()
    stack.callback(proxy.stop)
    kafka = Kafka(home, directory / "kafka", proxies=[proxy.port])
    stack.callback(kafka.kill)
    proxy.target_port = kafka.behind[0]
    kafka.start()
    return Stage(kafka.bootstrap_servers, kafka.proxied_servers, ollama, proxy, kafka)
