"""Sets an installation up for a fault to be played on it: topics, policy, settings with short times."""

import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from load import POLICY
from stage import Stage
from world import DRAIN_S, IN_FLIGHT, World

from secure_kafka import names_of
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.delivery.rights import CONSUME, ESCALATE, Right
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas.topics import Topics

PARTITIONS = 3
MAX_RECORD_BYTES = 2**20
SERVICE = [sys.executable, str(Path(__file__).with_name("fault_service.py"))]


@asynccontextmanager
async def installation(stage: Stage, directory: Path, **settings: str) -> AsyncIterator[World]:
    """An installation of its own; its services do not outlive the block."""
    directory.mkdir(parents=True, exist_ok=True)
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead-letters")))
    await _create(stage, topics)
    policy = directory / "policy.yaml"
    policy.write_text(POLICY)
    world = World(stage, topics, directory, _settings(stage, topics, run, policy) | settings, SERVICE)
    if stage.secure is not None:
        let_in(world)
    try:
        yield world
    finally:
        for service in world.services:
            service.kill()


async def _create(stage: Stage, topics: Topics) -> None:
    if stage.mock is not None:  # answers no administrator
        for name in asdict(topics).values():
            stage.mock.create_topic(name, PARTITIONS)
        return
    replication = stage.kafka.replication if stage.kafka is not None else 1
    async with kafka_admin(KafkaSettings(bootstrap_servers=stage.direct)) as admin:
        await create_topics(
            admin, topic_plans(topics, MAX_RECORD_BYTES, partitions=PARTITIONS, replication=replication)
        )


def let_in(world: World, without: Mapping[str, Right] = MappingProxyType({})) -> None:
    """Give each service its user, and that user the least rights, less the one that is named for its service."""
    names = names_of(world.topics, world.consumer_group, world.worker_group)
    for user, role in (("consume", CONSUME), ("escalate", ESCALATE)):
        world.stage.secure.grant(user, role, names, without.get(user))
        world.credentials[user] = world.stage.secure.settings(user)


def _settings(stage: Stage, topics: Topics, run: str, policy: Path) -> dict[str, str]:
    return {
        "SLUICEGATE_POLICY_FILE": str(policy),
        "SLUICEGATE_KAFKA__BOOTSTRAP_SERVERS": stage.bootstrap_servers,
        "SLUICEGATE_KAFKA__SESSION_TIMEOUT_S": str(stage.session_s),
        "SLUICEGATE_KAFKA__REBALANCE_TIMEOUT_S": "4",
        "SLUICEGATE_KAFKA__REQUEST_TIMEOUT_S": "3",
        "SLUICEGATE_KAFKA__MAX_RECORD_BYTES": str(MAX_RECORD_BYTES),
        "SLUICEGATE_DELIVERY__CONSUMER_GROUP": f"consumer-{run}",
        "SLUICEGATE_DELIVERY__WORKER_GROUP": f"worker-{run}",
        "SLUICEGATE_DELIVERY__MAX_IN_FLIGHT": str(IN_FLIGHT),
        "SLUICEGATE_DELIVERY__MAX_UNCOMMITTED": str(IN_FLIGHT),
        "SLUICEGATE_DELIVERY__COMMIT_INTERVAL_S": "0.1",
        "SLUICEGATE_DELIVERY__DRAIN_TIMEOUT_S": str(DRAIN_S),
        "SLUICEGATE_DELIVERY__PUBLISH_TIMEOUT_S": "10",
        "SLUICEGATE_DELIVERY__STALL_TIMEOUT_S": "20",
        "SLUICEGATE_MODEL__TIMEOUT_S": "3",
        "SLUICEGATE_DECODE__PROCESSES": "1",
        "SLUICEGATE_OLLAMA__URLS": json.dumps([stage.ollama.url]),
        "SLUICEGATE_OLLAMA__TIMEOUT_S": "2",
        # What fails for good is a human's: another final state, and no fault of delivery.
        "SLUICEGATE_OLLAMA__DEADLINE_S": "300",
        "SLUICEGATE_OLLAMA__MAX_ATTEMPTS": "20",
        "SLUICEGATE_OLLAMA__IN_FLIGHT_PER_SERVER": "8",
        "SLUICEGATE_OLLAMA__BREAKER_PROBE_S": "0.3",
        "SLUICEGATE_OBSERVABILITY__LOG_FORMAT": "json",
        "PYTHONPATH": os.pathsep.join(sys.path),
    } | {f"SLUICEGATE_TOPICS__{name.upper()}": topic for name, topic in asdict(topics).items()}
