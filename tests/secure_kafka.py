"""Apache Kafka with TLS, passwords and rights: each part of an installation has a user of its own."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from brokers import Kafka, Lock
from certificates import Authority
from sluicegate_consumer.delivery.rights import Right, Role
from sluicegate_schemas.topics import Topics

USERS = ("consume", "escalate", "platform", "subscriber", "operator", "nobody")
OPERATIONS = {
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
}
RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
PATIENCE_S = 20
LAG_S = 0.1
"""By which the node's controller may know of a right later than its broker."""


class SecureKafka:
    """A running node, and whoever grants rights on it."""

    def __init__(self, home: Path, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._authority = Authority("authority", directory)
        self.foreign_authority = Authority("foreign", directory)
        lock = Lock(self._authority.file, self._authority.broker_store(directory / "broker-store.pem"), USERS)
        self.kafka = Kafka(home, directory, lock=lock)
        self.kafka.start()
        self._admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap_servers, "log_level": 0})

    def settings(self, user: str) -> dict[str, str]:
        """Of a client that connects as one of the users."""
        return {
            "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": self.kafka.proxied_servers,
            "SLUICEGATE_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "SLUICEGATE_KAFKA__SASL_USERNAME": user,
            "SLUICEGATE_KAFKA__SASL_PASSWORD": f"{user}-secret",
            "SLUICEGATE_KAFKA__TLS_CA_FILE": str(self._authority.file),
        }

    def grant(self, user: str, role: Role, names: Mapping[str, str], without: Right | None = None) -> None:
        """Let a user do exactly what a role needs, less one right if one is given, and nothing else.

        Args:
            user: One of `USERS`.
            role: What it is to do.
            names: Field of `Topics`, `consumer_group` and `worker_group` to the name in this installation.
            without: The right to leave out.
        """
        wanted = [_binding(user, right, names) for right in role.rights if right != without]
        self._require(self._admin.delete_acls([_held_by(user)]))
        if wanted:
            self._require(self._admin.create_acls(wanted))
        deadline = time.monotonic() + PATIENCE_S
        while set(self._admin.describe_acls(_held_by(user)).result(PATIENCE_S)) != set(wanted):
            assert time.monotonic() < deadline, f"{user} has not the rights of {role.name}"
            time.sleep(0.02)
        time.sleep(LAG_S)

    def delete_topics(self, names: Iterable[str]) -> None:
        """Those of them that are there."""
        for future in self._admin.delete_topics(list(names)).values():
            try:
                future.result(PATIENCE_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise

    def stop(self) -> None:
        """End the node."""
        self.kafka.kill()

    @staticmethod
    def _require(asked: Mapping[object, object]) -> None:
        for future in asked.values():
            future.result(PATIENCE_S)


def _held_by(user: str) -> AclBindingFilter:
    anything = (ResourceType.ANY, None, ResourcePatternType.ANY)
    return AclBindingFilter(*anything, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY)


def names_of(topics: Topics, consumer_group: str, worker_group: str) -> dict[str, str]:
    """As `SecureKafka.grant` wants them."""
    topic_names = {field: getattr(topics, field) for field in Topics.__dataclass_fields__}
    return topic_names | {"consumer_group": consumer_group, "worker_group": worker_group}


def _binding(user: str, right: Right, names: Mapping[str, str]) -> AclBinding:
    return AclBinding(
        RESOURCES[right.resource],
        names[right.setting],
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        OPERATIONS[right.operation],
        AclPermissionType.ALLOW,
    )
