"""What Kafka refuses, told to whoever can mend it: who may not do what on which topic, or why nobody gets in."""

import asyncio
import ssl
from contextlib import suppress

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from sluicegate_consumer.delivery.kafka_client import connection_options
from sluicegate_consumer.errors import ConfigurationError, Fatal
from sluicegate_consumer.operations.settings import KafkaSettings

WHERE = "docs/kafka-rights.md"
ASK_TIMEOUT_S = 10.0
"""For asking all brokers once more."""


def principal(kafka: KafkaSettings) -> str:
    """Whom the brokers take us for, as far as we know it."""
    if kafka.security_protocol.startswith("SASL"):
        return f"User:{kafka.sasl_username}"
    return "User:ANONYMOUS" if kafka.tls_certificate_file is None else f"the owner of {kafka.tls_certificate_file}"


def refused(
    error: BaseException | None, kafka: KafkaSettings, operation: str, *, topic: str, group: str = ""
) -> ConfigurationError | None:
    """The right that is missing, where that is what the error says.

    Args:
        error: From the client.
        kafka: How it was connected.
        operation: Kafka's name of what was tried: Read, Write, ...
        topic: The topic it was tried on.
        group: The group it was tried on, if one was.
    """
    if isinstance(error, GroupAuthorizationFailedError):
        what = f"{operation} group {group}"
    # The cluster refuses an idempotent producer that may write to no topic at all.
    elif isinstance(error, TopicAuthorizationFailedError | ClusterAuthorizationFailedError):
        what = f"{operation} topic {topic}"
    else:
        return None
    return ConfigurationError(
        f"{principal(kafka)} may not {what} at {kafka.bootstrap_servers} ({type(error).__name__}): "
        f"{WHERE} lists what each command must be granted"
    )


async def shut_out(error: BaseException | None, kafka: KafkaSettings) -> ConfigurationError | Fatal | None:
    """Why brokers that are there do not let us in, where that is so; Fatal where it may also pass.

    The client says only that it reached none of them, and its log why; so here each is asked once more.
    """
    if not isinstance(error, KafkaConnectionError):
        return None
    with suppress(TimeoutError):
        async with asyncio.timeout(ASK_TIMEOUT_S):
            return await _first_refusal(kafka)
    return None


async def _first_refusal(kafka: KafkaSettings) -> ConfigurationError | Fatal | None:
    for host, port, _ in collect_hosts(kafka.bootstrap_servers, randomize=False):
        try:
            connection = await create_conn(host, port, **connection_options(kafka))
        except (KafkaError, OSError, TimeoutError) as why:
            if (found := _shut_out(why, kafka, f"{host}:{port}")) is not None:
                return found
        else:
            connection.close()
    return None


def _shut_out(why: BaseException, kafka: KafkaSettings, broker: str) -> ConfigurationError | Fatal | None:
    match why:
        case SaslAuthenticationFailed() | IllegalSaslStateError():
            return ConfigurationError(
                f"{broker} does not let {principal(kafka)} in: kafka.sasl_username, kafka.sasl_password or "
                f"kafka.sasl_mechanism={kafka.sasl_mechanism} is wrong ({why})"
            )
        case UnsupportedSaslMechanismError():
            return ConfigurationError(f"{broker} does not take kafka.sasl_mechanism={kafka.sasl_mechanism}")
        case ssl.SSLCertVerificationError():
            return ConfigurationError(
                f"the certificate of {broker} is not to be trusted: {why.verify_message}; "
                f"kafka.tls_ca_file={kafka.tls_ca_file or 'not set, so the system has its own'} must hold the "
                "authority that signed it"
            )
        case KafkaConnectionError() | ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return Fatal(
                f"{broker} hung up before it said anything: if it is not just ending, "
                f"does kafka.security_protocol={kafka.security_protocol} fit its listener?"
            )
        case ssl.SSLError():
            return ConfigurationError(
                f"{broker} does not agree on TLS: {why.reason or why}; "
                f"does kafka.security_protocol={kafka.security_protocol} fit its listener?"
            )
    return None
