"""The least rights (ACLs) on Kafka that each part needs; `docs/kafka-rights.md` is written from here.

Operations and resources are Kafka's own. Read and Write bring Describe with them; an idempotent producer needs no right
on the cluster, from Kafka 2.8 on, once it may write to any topic (KIP-679).
"""

from dataclasses import dataclass
from typing import Literal

Operation = Literal["Create", "Describe", "DescribeConfigs", "Read", "Write"]
TopicField = Literal["uploads", "verdicts", "escalations", "reviews", "dead_letters"]
GroupField = Literal["consumer_group", "worker_group"]


@dataclass(frozen=True, slots=True)
class Right:
    """One operation on one topic or group."""

    operation: Operation
    resource: Literal["topic", "group"]
    setting: TopicField | GroupField
    """Which names it: under `topics` or `delivery`."""
    purpose: str


@dataclass(frozen=True, slots=True)
class Role:
    """Who connects with a user of its own, and what that user must be allowed."""

    name: str
    """The command, or in words whose client it is."""
    rights: tuple[Right, ...]


def _topics(operation: Operation, purpose: str, *fields: TopicField) -> tuple[Right, ...]:
    return tuple(Right(operation, "topic", field, purpose) for field in fields)


ALL_TOPICS: tuple[TopicField, ...] = ("uploads", "verdicts", "escalations", "reviews", "dead_letters")

CONSUME = Role(
    "sluicegate consume",
    (
        Right("Read", "topic", "uploads", "its input, and the commits for it"),
        Right("Read", "group", "consumer_group", "to be a member, and to commit"),
        *_topics("Write", "what it decides", "verdicts", "escalations", "reviews"),
        *_topics("Write", "what it cannot read", "dead_letters"),
    ),
)
ESCALATE = Role(
    "sluicegate escalate",
    (
        Right("Read", "topic", "escalations", "its input, and the commits for it"),
        Right("Read", "group", "worker_group", "to be a member, and to commit"),
        *_topics("Write", "what it decides", "verdicts", "reviews"),
        *_topics("Write", "what it cannot read", "dead_letters"),
    ),
)
PUBLISH = Role("the platform; sluicegate publish", _topics("Write", "its uploads", "uploads"))
SUBSCRIBE = Role(
    "a subscriber; sluicegate verdicts",
    _topics("Read", "the verdicts; a member of a group needs Read of that group too", "verdicts"),
)
CREATE_TOPICS = Role(
    "sluicegate topics create",
    (
        *_topics("Create", "what is missing", *ALL_TOPICS),
        *_topics("Describe", "to see what is there", *ALL_TOPICS),
        *_topics("DescribeConfigs", "to say where it differs from what is needed", *ALL_TOPICS),
    ),
)
LIST_DEAD_LETTERS = Role("sluicegate dead-letters list", _topics("Read", "the dead letters", "dead_letters"))
REPLAY_DEAD_LETTERS = Role(
    "sluicegate dead-letters replay",
    (
        *_topics("Read", "the dead letters", "dead_letters"),
        *_topics("Write", "where they go back to", "uploads", "escalations"),
        *_topics("DescribeConfigs", "how long it keeps a record as old as they are", "uploads", "escalations"),
    ),
)
CHECK = Role(
    "sluicegate check",
    (
        *_topics("Describe", "whether it is there", *ALL_TOPICS),
        *_topics("DescribeConfigs", "whether it keeps and takes what it must", *ALL_TOPICS),
        Right("Describe", "group", "consumer_group", "whether its coordinator answers"),
        Right("Describe", "group", "worker_group", "whether its coordinator answers"),
    ),
)

ROLES = (CONSUME, ESCALATE, PUBLISH, SUBSCRIBE, CREATE_TOPICS, LIST_DEAD_LETTERS, REPLAY_DEAD_LETTERS, CHECK)
