"""The topics as they should be: what is missing is created, what differs is said and left alone."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from sluicegate_consumer.delivery.kafka_admin import TopicDescription, describe_topics
from sluicegate_consumer.delivery.kafka_sink import HEADROOM_BYTES
from sluicegate_consumer.errors import ConfigurationError, Transient
from sluicegate_schemas.topics import Topics

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

PASSING_RETENTION_MS = 7 * DAY_MS
"""Of uploads and escalations: longer than any outage that is not noticed."""
HUMAN_RETENTION_MS = 30 * DAY_MS
"""Of reviews and dead letters, which wait for people."""
COMPACTION_LAG_MS = HOUR_MS
"""A live reader sees the provisional verdict too, before compaction keeps only the later one."""
TOMBSTONE_RETENTION_MS = 7 * DAY_MS
"""An erasure must reach readers that were away."""

REPLICATION_WITH_QUORUM = 3
"""From so many replicas on, two must have a record before it counts as written."""

VISIBLE_TIMEOUT_S = 15.0
VISIBLE_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as it should be."""

    name: str
    partitions: int
    replication: int
    cleanup: Literal["delete", "compact"]
    max_message_bytes: int
    other_configs: tuple[tuple[str, str], ...]

    @property
    def configs(self) -> dict[str, str]:
        """As Kafka names them."""
        quorum = {"min.insync.replicas": "2"} if self.replication >= REPLICATION_WITH_QUORUM else {}
        return {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(self.max_message_bytes),
            **quorum,
            **dict(self.other_configs),
        }


@dataclass(frozen=True, slots=True)
class TopicState:
    """What became of one topic."""

    name: str
    state: Literal["created", "missing", "present"]
    differences: tuple[str, ...] = ()
    """From what is needed, in words; nothing here changes a topic that exists."""


def topic_plans(
    topics: Topics, max_record_bytes: int, *, partitions: int = 1, replication: int = 1
) -> tuple[TopicPlan, ...]:
    """Every topic. All but the uploads may hold an upload with further headers, so they allow larger records.

    `max.message.bytes` counts a whole batch; one record that fills it is a batch of its own.
    """

    def kept(name: str, retention_ms: int, max_bytes: int) -> TopicPlan:
        retention = (("retention.ms", str(retention_ms)),)
        return TopicPlan(name, partitions, replication, "delete", max_bytes, retention)

    compaction = (
        ("min.compaction.lag.ms", str(COMPACTION_LAG_MS)),
        ("delete.retention.ms", str(TOMBSTONE_RETENTION_MS)),
    )
    larger = max_record_bytes + HEADROOM_BYTES
    return (
        kept(topics.uploads, PASSING_RETENTION_MS, max_record_bytes),
        TopicPlan(topics.verdicts, partitions, replication, "compact", larger, compaction),
        kept(topics.escalations, PASSING_RETENTION_MS, larger),
        kept(topics.reviews, HUMAN_RETENTION_MS, larger),
        kept(topics.dead_letters, HUMAN_RETENTION_MS, larger),
    )


async def inspect_topics(admin: AIOKafkaAdminClient, plans: Iterable[TopicPlan]) -> tuple[TopicState, ...]:
    """How each topic stands; creates nothing."""
    plans = tuple(plans)
    present = await describe_topics(
        admin, [plan.name for plan in plans], ["cleanup.policy", "max.message.bytes", "min.insync.replicas"]
    )
    return tuple(
        TopicState(plan.name, "present", differences(plan, present[plan.name]))
        if plan.name in present
        else TopicState(plan.name, "missing")
        for plan in plans
    )


async def create_topics(admin: AIOKafkaAdminClient, plans: Sequence[TopicPlan]) -> tuple[TopicState, ...]:
    """Create what is missing. To do it again changes nothing.

    Raises:
        ConfigurationError: the broker refuses a topic for good; those it accepted exist.
        Transient: it may accept it later.
    """
    states = await inspect_topics(admin, plans)
    missing = [plan for plan, state in zip(plans, states, strict=True) if state.state == "missing"]
    if not missing:
        return states
    request = [NewTopic(plan.name, plan.partitions, plan.replication, topic_configs=plan.configs) for plan in missing]
    response = await admin.create_topics(request)
    created = {name for name, code, message in response.topic_errors if _is_created(name, code, message)}
    states = await _visible(admin, plans)
    return tuple(replace(state, state="created") if state.name in created else state for state in states)


def differences(plan: TopicPlan, topic: TopicDescription) -> tuple[str, ...]:
    """What about a topic would lose or refuse records, or is less than was asked for."""
    if topic.configs is None:
        return ("its configuration cannot be seen: this user lacks DescribeConfigs",)
    found = []
    if topic.partitions < plan.partitions:
        found.append(f"has {topic.partitions} partitions, not {plan.partitions}")
    if topic.replication < plan.replication:
        found.append(f"has {topic.replication} replicas, not {plan.replication}")
    if (cleanup := topic.configs["cleanup.policy"]) != plan.cleanup:
        found.append(f"cleanup.policy is {cleanup}, must be {plan.cleanup}")
    if (size := int(topic.configs["max.message.bytes"])) < plan.max_message_bytes:
        found.append(f"max.message.bytes is {size}, must be at least {plan.max_message_bytes}")
    if topic.replication >= REPLICATION_WITH_QUORUM and int(topic.configs["min.insync.replicas"]) < 2:  # noqa: PLR2004 - a quorum of three
        found.append("min.insync.replicas is 1, should be 2")
    return tuple(found)


async def _visible(admin: AIOKafkaAdminClient, plans: Sequence[TopicPlan]) -> tuple[TopicState, ...]:
    """The states, once the broker that is asked knows every topic: its news travel behind the creation."""
    deadline = time.monotonic() + VISIBLE_TIMEOUT_S
    while True:
        states = await inspect_topics(admin, plans)
        if all(state.state == "present" for state in states):
            return states
        if time.monotonic() > deadline:
            hidden = ", ".join(state.name for state in states if state.state != "present")
            raise Transient(
                f"created, but not to be seen after {VISIBLE_TIMEOUT_S:g} s: {hidden}; does this user have Describe?"
            )
        await asyncio.sleep(VISIBLE_POLL_S)


def _is_created(name: str, code: int, message: str) -> bool:
    if code == 0:
        return True
    kind = for_code(code)
    if kind is TopicAlreadyExistsError:  # somebody else was faster
        return False
    if kind is TopicAuthorizationFailedError:
        raise ConfigurationError(
            f"topic {name} cannot be created: this user has neither Create of it nor of the cluster"
        )
    failure = Transient if kind.retriable else ConfigurationError
    raise failure(f"topic {name} cannot be created: {message or kind.__name__}")
