"""Whether Kafka lets us in, and whether its topics are as needed."""

import os
from collections.abc import AsyncIterator

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from sluicegate_consumer.commands.checks.finding import Level, Said
from sluicegate_consumer.commands.checks.network import said
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.provision import TopicState, inspect_topics, topic_plans
from sluicegate_consumer.delivery.refusals import principal, refused
from sluicegate_consumer.operations.egress import Egress
from sluicegate_consumer.operations.egress_survey import survey
from sluicegate_consumer.operations.settings import KafkaSettings, Settings


async def check_kafka(settings: Settings) -> AsyncIterator[Said]:
    """Connect, and look at brokers, topics and groups; changes nothing."""
    async with kafka_admin(settings.kafka) as admin:
        brokers = (await admin.describe_cluster())["brokers"]
        yield Level.OK, f"{len(brokers)} brokers at {settings.kafka.bootstrap_servers}"
        # Clients go on to the addresses that the brokers give of themselves, whatever was asked first.
        allowed = Egress.of(settings, os.environ).allowed_hosts
        advertised = Egress(allowed_hosts=allowed).including((each["host"], each["port"]) for each in brokers)
        for found in await survey(advertised):
            yield said(found)
        plans = topic_plans(settings.topics.names(), settings.kafka.max_record_bytes)
        for state in await inspect_topics(admin, plans):
            yield _topic(state, settings.kafka)
        for group in (settings.delivery.consumer_group, settings.delivery.worker_group):
            yield await _group(admin, group, settings.kafka)


def _topic(state: TopicState, kafka: KafkaSettings) -> Said:
    if state.state == "missing":
        return (
            Level.PROBLEM,
            f"topic {state.name}: missing, or {principal(kafka)} may not Describe it: `sluicegate topics create`",
        )
    if state.differences:
        return Level.PROBLEM, f"topic {state.name}: {'; '.join(state.differences)}"
    return Level.OK, f"topic {state.name}"


async def _group(admin: AIOKafkaAdminClient, group: str, kafka: KafkaSettings) -> Said:
    try:
        await admin.find_coordinator(group)
    except KafkaError as error:
        if (why := refused(error, kafka, "Describe", topic="", group=group)) is not None:
            return Level.PROBLEM, str(why)
        level = Level.WARNING if error.retriable else Level.PROBLEM
        return level, f"group {group}: {type(error).__name__}"
    return Level.OK, f"group {group}"
