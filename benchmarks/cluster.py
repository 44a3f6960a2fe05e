"""The broker that everything is measured on, and the topics of each measurement."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from brokers import apache_or_embedded, kafka_home
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

APPEND_TIME = ("message.timestamp.type", "LogAppendTime")
"""The broker stamps a verdict when it is in its log: one clock for every contender, and nobody has to watch."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running broker."""

    servers: str
    kind: str
    """For the report."""

    @property
    def kafka(self) -> KafkaSettings:
        """For sluicegate's own clients."""
        return KafkaSettings(bootstrap_servers=self.servers)

    async def create(self, label: str, partitions: int = 1) -> Topics:
        """Topics of their own for one measurement."""
        names = ("uploads", "verdicts", "escalations", "reviews", "dead-letters")
        topics = Topics(*(f"{label}.{name}" for name in names))
        plans = topic_plans(topics, self.kafka.max_record_bytes, partitions=partitions)
        stamped = [replace(plan, other_configs=(*plan.other_configs, APPEND_TIME)) for plan in plans]
        async with kafka_admin(self.kafka) as admin:
            await create_topics(admin, stamped)
        return topics


@contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """Apache Kafka where it is, the embedded broker elsewhere."""
    home = kafka_home()
    with apache_or_embedded(directory) as servers:
        yield Cluster(servers, f"Apache Kafka {_version(home)}, one node" if home else "the embedded broker")


def _version(home: Path) -> str:
    names = [path.stem for path in (home / "libs").glob("kafka-clients-*.jar")]
    return names[0].removeprefix("kafka-clients-") if names else "of unknown version"
