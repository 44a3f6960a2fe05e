"""The commands with the least rights on a Kafka with TLS, passwords and ACLs, with one right fewer, and shut out."""

import asyncio
import json
import logging
import uuid
from dataclasses import asdict, astuple

import pytest
import structlog
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from secure_kafka import SecureKafka, names_of
from sluicegate_consumer.commands.app import app
from sluicegate_consumer.delivery.dead_letters import dead_letter
from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.delivery.provision import create_topics, topic_plans
from sluicegate_consumer.delivery.rights import (
    CHECK,
    CREATE_TOPICS,
    LIST_DEAD_LETTERS,
    PUBLISH,
    REPLAY_DEAD_LETTERS,
    SUBSCRIBE,
    Right,
    Role,
)
from sluicegate_consumer.delivery.values import Delivered, Partition, Record, Ticket
from sluicegate_consumer.errors import ConfigurationError, Poison
from sluicegate_consumer.operations.settings import KafkaSettings, load_settings
from sluicegate_schemas.message import Message
from sluicegate_schemas.topics import Topics

pytestmark = pytest.mark.integration

USER = "operator"
ARGUMENTS = {
    PUBLISH: ("publish", "s3://uploads/cat.jpg"),
    SUBSCRIBE: ("verdicts",),
    CREATE_TOPICS: ("topics", "create"),
    LIST_DEAD_LETTERS: ("dead-letters", "list", "--json"),
    REPLAY_DEAD_LETTERS: ("dead-letters", "replay", "--all", "--yes"),
    CHECK: ("check", "--json"),
}


class Installation:
    """Topics of its own, and an operator who runs commands as a user with few rights."""

    def __init__(self, secure: SecureKafka, topics: Topics, environment: dict[str, str]) -> None:
        self.secure = secure
        self.topics = topics
        self.environment = environment
        self._created = False
        self.names = names_of(topics, "sluicegate-consumer", "sluicegate-worker")

    def allow(self, role: Role, without: Right | None = None) -> None:
        self.secure.grant(USER, role, self.names, without)

    def run(self, *arguments: str, **environment: str | None) -> Result:
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            result = CliRunner().invoke(app, arguments, env=self.environment | environment)
        finally:  # a command configures the logging of its process, here that of the tests
            root.handlers[:], root.level = handlers, level
            structlog.reset_defaults()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def prepare(self, role: Role) -> None:
        """Have the topics, with a dead letter for each that one may come from; none where a role is to create them."""
        if role is CREATE_TOPICS:
            self.secure.delete_topics(astuple(self.topics))
        elif not self._created:
            asyncio.run(_create(self.secure.kafka.bootstrap_servers, self.topics))
            self._created = True


@pytest.fixture
def installation(secure_kafka: SecureKafka, monkeypatch: pytest.MonkeyPatch) -> Installation:
    run = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}-{run}" for name in ("uploads", "verdicts", "escalations", "reviews", "dead-letters")))
    monkeypatch.setattr("sluicegate_consumer.delivery.provision.VISIBLE_TIMEOUT_S", 2.0)
    environment = secure_kafka.settings(USER) | {"SLUICEGATE_KAFKA__REQUEST_TIMEOUT_S": "10"}
    environment |= {f"SLUICEGATE_TOPICS__{field.upper()}": name for field, name in asdict(topics).items()}
    return Installation(secure_kafka, topics, environment)


async def _create(direct: str, topics: Topics) -> None:
    async with kafka_admin(KafkaSettings(bootstrap_servers=direct)) as admin:
        await create_topics(admin, topic_plans(topics, 12 * 2**20))
    async with AIOKafkaProducer(bootstrap_servers=direct) as producer:
        for topic in (topics.uploads, topics.escalations):
            letter = _letter(topic, topics.dead_letters)
            await producer.send_and_wait(
                letter.topic, letter.message.value, key=letter.message.key, headers=list(letter.message.headers)
            )


def _letter(topic: str, dead_letters: str) -> Record:
    delivered = Delivered(Ticket(Partition(topic, 0), 7, 0), Message(b"key", b"{", ()), 0)
    (record,) = dead_letter(delivered, topic=dead_letters, stage="read", error=Poison("no JSON")).records
    return record


def kafka_findings(result: Result) -> list[dict[str, str]]:
    checks = json.loads(result.stdout.splitlines()[-1])["checks"]
    return [each for each in checks if each["check"] == "kafka"]


def complaints(role: Role, result: Result) -> str:
    if role is not CHECK:
        return result.output
    return "\n".join(each["message"] for each in kafka_findings(result) if each["level"] == "problem")


def succeeded(role: Role, result: Result) -> bool:
    if role is CHECK:  # of what it looks at, only Kafka is there
        return all(each["level"] == "ok" for each in kafka_findings(result))
    return result.exit_code == 0


@pytest.mark.parametrize("thorough", [False, pytest.param(True, marks=pytest.mark.long)], ids=["sample", "every"])
@pytest.mark.parametrize("role", ARGUMENTS, ids=lambda role: role.name.split(";")[-1].strip())
def test_a_command_works_with_its_least_rights_and_names_the_one_that_is_missing(
    installation: Installation, role: Role, thorough: bool
):
    sample = {(right.operation, right.resource): right for right in role.rights}
    for right in role.rights if thorough else sample.values():
        installation.prepare(role)
        installation.allow(role, without=right)
        result = installation.run(*ARGUMENTS[role])
        assert not succeeded(role, result), f"works without {right}"
        said = complaints(role, result)
        assert installation.names[right.setting] in said
        # A topic of which nothing is allowed is hidden.
        assert right.operation in said or "may not Describe" in said
    installation.prepare(role)
    installation.allow(role)
    result = installation.run(*ARGUMENTS[role])
    assert succeeded(role, result), result.output


WRONG = {
    "password": (
        {"SLUICEGATE_KAFKA__SASL_PASSWORD": "guessed"},
        "does not let User:operator in: kafka.sasl_username, kafka.sasl_password",
    ),
    "user": (
        {"SLUICEGATE_KAFKA__SASL_USERNAME": "stranger"},
        "does not let User:stranger in",
    ),
    "mechanism": (
        {"SLUICEGATE_KAFKA__SASL_MECHANISM": "PLAIN"},
        "does not take kafka.sasl_mechanism=PLAIN",
    ),
    "authority": (
        {"SLUICEGATE_KAFKA__TLS_CA_FILE": "foreign"},
        "is not to be trusted: unable to get local issuer certificate; kafka.tls_ca_file=",
    ),
    "no authority": (
        {"SLUICEGATE_KAFKA__TLS_CA_FILE": None},
        "is not to be trusted",
    ),
    "no tls": (
        {"SLUICEGATE_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
        "does kafka.security_protocol=SASL_PLAINTEXT fit its listener?",
    ),
}
"""What is set wrongly, and what is said of it."""


@pytest.mark.parametrize("what", WRONG)
def test_who_is_shut_out_is_told_why(installation: Installation, what: str):
    settings, said = WRONG[what]
    if what == "authority":
        settings = {"SLUICEGATE_KAFKA__TLS_CA_FILE": str(installation.secure.foreign_authority.file)}
    for role in (SUBSCRIBE, PUBLISH, CHECK):
        result = installation.run(*ARGUMENTS[role], **settings)
        assert result.exit_code != 0
        assert said in complaints(role, result)
        assert "-secret" not in result.output


async def test_a_service_that_is_shut_out_is_told_why(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    for name, value in (installation.environment | WRONG["password"][0]).items():
        monkeypatch.setenv(name, value)
    kafka = load_settings().kafka
    with pytest.raises(ConfigurationError, match="does not let User:operator in"):
        await KafkaSink(kafka).start()
    with pytest.raises(ConfigurationError, match="does not let User:operator in"):
        await KafkaSource(kafka, "uploads", "group").start(nobody)


async def nobody(_: object) -> None:
    """No interest in revocations."""
