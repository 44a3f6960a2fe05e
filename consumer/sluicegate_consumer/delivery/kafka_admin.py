"""What an administrator asks of Kafka: which topics there are, and how they are configured."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from sluicegate_consumer.delivery.bounded import finish_within
from sluicegate_consumer.delivery.kafka_client import client_options
from sluicegate_consumer.delivery.refusals import shut_out
from sluicegate_consumer.errors import Transient
from sluicegate_consumer.operations.settings import KafkaSettings

STOP_TIMEOUT_S = 5.0
NOT_AUTHORISED = 29
NOT_KNOWN_YET = 3
"""By the broker that was asked: another one had listed the topic."""


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the cluster has it."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str] | None
    """None: this user may not read them."""


@asynccontextmanager
async def kafka_admin(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client.

    Raises:
        ConfigurationError: see `client_options`; or a broker does not let us in.
        Fatal: one hangs up.
        Transient: no broker answers, or one refuses; also for what is asked inside the block.
    """
    client = AIOKafkaAdminClient(**client_options(kafka))
    try:
        async with asyncio.timeout(kafka.request_timeout_s):
            await client.start()
        yield client
    except (KafkaError, TimeoutError, OSError) as error:
        if (why := await shut_out(error, kafka)) is not None:
            raise why from error
        raise Transient(f"Kafka at {kafka.bootstrap_servers}: {str(error) or type(error).__name__}") from error
    finally:
        await finish_within(STOP_TIMEOUT_S, client.close(), "admin client")


async def describe_topics(
    admin: AIOKafkaAdminClient, names: Collection[str], configs: Collection[str] = ()
) -> dict[str, TopicDescription]:
    """Those of the topics that exist and that this user may see, with the values of `configs`.

    One that was created just now counts once the broker that is asked for its configuration knows it too.
    """
    # All topics are asked for: to ask for one by its name may create it.
    found = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics(None)}
    present = [name for name in names if name in found]
    values = await _configs(admin, present, configs) if configs and present else {name: {} for name in present}
    return {
        name: TopicDescription(name, len(found[name]), len(found[name][0]["replicas"]), values[name])
        for name in present
        if name in values
    }


async def broker_count(admin: AIOKafkaAdminClient) -> int:
    """How many brokers the cluster has."""
    return len((await admin.describe_cluster())["brokers"])


async def _configs(
    admin: AIOKafkaAdminClient, names: Collection[str], wanted: Collection[str]
) -> dict[str, Mapping[str, str] | None]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(wanted, "")) for name in names]
    values: dict[str, Mapping[str, str] | None] = {}
    for response in await admin.describe_configs(asked):
        for code, message, _, name, entries in response.resources:
            if code == NOT_KNOWN_YET:
                continue
            if code not in (0, NOT_AUTHORISED):
                raise for_code(code)(f"{name}: {message}")
            values[name] = None if code else {entry[0]: entry[1] for entry in entries}
    return values
