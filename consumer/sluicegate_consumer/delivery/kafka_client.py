"""What all Kafka clients share: where the brokers are, how to be let in, and how a record looks to us."""

import asyncio
import ssl
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.client import AIOKafkaClient

from sluicegate_consumer.delivery.values import Arrival, Partition
from sluicegate_consumer.errors import ConfigurationError, Fatal
from sluicegate_consumer.operations.egress_guard import admit_brokers
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.message import Message


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that aiokafka's consumer, producer and admin client all take.

    Raises:
        ConfigurationError: a SASL protocol without user and password, or a TLS file that cannot be read.
    """
    return {"bootstrap_servers": kafka.bootstrap_servers, **connection_options(kafka)}


def connection_options(kafka: KafkaSettings) -> dict[str, Any]:
    """The same for one connection to a broker; raises as `client_options` does."""
    options: dict[str, Any] = {
        "security_protocol": kafka.security_protocol,
        "request_timeout_ms": round(kafka.request_timeout_s * 1000),
        "client_id": "sluicegate",
    }
    if kafka.security_protocol.startswith("SASL"):
        options |= _sasl(kafka)
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = _tls(kafka)
    return options


def start_timeout_s(kafka: KafkaSettings, request_timeout_s: float, answers: int) -> float:
    """How long a client may take to start, which it does not bound itself once it has reached a broker.

    Args:
        kafka: Of its addresses, all but one may be tried in vain, each for the whole time of a request.
        request_timeout_s: Of this client.
        answers: How many it waits for, one after another, when it has reached a broker.
    """
    return (len(kafka.bootstrap_servers.split(",")) + answers) * request_timeout_s


def arrival_of(record: ConsumerRecord) -> Arrival:
    """A record as aiokafka gives it, in our terms."""
    return Arrival(
        Partition(record.topic, record.partition),
        record.offset,
        Message(record.key, record.value, tuple(record.headers), record.timestamp),
    )


def hear_brokers(client: AIOKafkaClient) -> None:
    """Tell the egress guard, with each of a client's updates, where the cluster says that its brokers are.

    Clients go on to these addresses, whatever was asked first. To be called before the client connects.
    """
    client.cluster.add_listener(lambda cluster: admit_brokers((each.host, each.port) for each in cluster.brokers()))


def require_running(task: asyncio.Task[Any] | None, what: str) -> None:
    """Check one of a client's own tasks, which it never looks at itself once they run.

    Raises:
        Fatal: it has ended.
    """
    if task is not None and task.done():
        error = None if task.cancelled() else task.exception()
        raise Fatal(f"the Kafka client's {what} has ended: {error!r}")


def _sasl(kafka: KafkaSettings) -> dict[str, str]:
    if kafka.sasl_username is None or kafka.sasl_password is None:
        raise ConfigurationError(
            f"kafka.security_protocol is {kafka.security_protocol}: kafka.sasl_username and kafka.sasl_password "
            "must be set"
        )
    return {
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_username,
        "sasl_plain_password": kafka.sasl_password.get_secret_value(),
    }


def _tls(kafka: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=kafka.tls_ca_file)
        if kafka.tls_certificate_file is not None:
            password = kafka.tls_key_password
            context.load_cert_chain(
                kafka.tls_certificate_file,
                kafka.tls_key_file,
                password.get_secret_value() if password is not None else None,
            )
    except (OSError, ssl.SSLError) as error:
        files = f"{kafka.tls_ca_file=!s}, {kafka.tls_certificate_file=!s}, {kafka.tls_key_file=!s}"
        raise ConfigurationError(f"kafka TLS files cannot be used: {error} ({files})") from error
    return context
