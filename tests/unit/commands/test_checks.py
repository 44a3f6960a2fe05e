"""Checks are bounded, independent of each other, and know inside from outside."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import AnyHttpUrl

from sluicegate_consumer.commands.checks.finding import Finding, Level, Said, run_checks
from sluicegate_consumer.commands.checks.images import check_images
from sluicegate_consumer.commands.checks.network import check_network, is_public
from sluicegate_consumer.errors import Transient
from sluicegate_consumer.operations.settings import FetchSettings, KafkaSettings, OllamaSettings, Settings


@pytest.fixture
def settings() -> Settings:
    return Settings()


async def test_a_check_that_hangs_or_fails_hides_no_other_and_nothing_it_said_before(settings):
    async def hangs(_: Settings) -> AsyncIterator[Said]:
        yield Level.OK, "begun"
        await asyncio.Event().wait()

    async def fails(_: Settings) -> AsyncIterator[Said]:
        yield Level.WARNING, "begun"
        raise Transient("no answer from http://user:pw@ollama:11434")

    async def has_a_bug(_: Settings) -> AsyncIterator[Said]:
        yield Level.OK, "begun"
        raise KeyError("missing")

    async def works(_: Settings) -> AsyncIterator[Said]:
        yield Level.OK, "done"

    checks = {"hangs": hangs, "fails": fails, "bug": has_a_bug, "works": works}
    assert [
        Finding("hangs", Level.OK, "begun"),
        Finding("hangs", Level.PROBLEM, "no answer within 0.05 s"),
        Finding("fails", Level.WARNING, "begun"),
        Finding("fails", Level.PROBLEM, "no answer from http://***@ollama:11434"),
        Finding("bug", Level.OK, "begun"),
        Finding("bug", Level.PROBLEM, "KeyError: 'missing'"),
        Finding("works", Level.OK, "done"),
    ] == await run_checks(checks, settings, 0.05)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("10.1.2.3", False),
        ("172.31.0.1", False),
        ("192.168.0.9", False),
        ("169.254.1.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("100.64.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("8.8.8.8", True),
        ("172.32.0.1", True),
        ("100.128.0.1", True),
        ("2001:4860:4860::8888", True),
        ("::ffff:8.8.8.8", True),
    ],
)
def test_only_addresses_of_the_public_internet_are_outside(address, public):
    assert public == is_public(address)


async def test_a_public_broker_or_model_is_a_problem_and_a_public_store_a_warning(settings):
    outside = settings.model_copy(
        update={
            "kafka": KafkaSettings(bootstrap_servers="127.0.0.1:9092, 8.8.8.8:9092"),
            "ollama": OllamaSettings(urls=(AnyHttpUrl("https://8.8.4.4/"), AnyHttpUrl("http://[::1]:11434"))),
            "fetch": FetchSettings(
                allowed_uri_prefixes=("https://1.1.1.1/media/", "s3://uploads/", "gs://uploads/"),
                store_options={"aws_endpoint": "http://10.0.0.5:9000", "aws_secret_access_key": "hunter2"},
            ),
        }
    )
    found = [said async for said in check_network(outside)]
    assert [
        (Level.OK, "kafka.bootstrap_servers: 127.0.0.1: 127.0.0.1"),
        (
            Level.PROBLEM,
            "kafka.bootstrap_servers: 8.8.8.8: public address 8.8.8.8: outside the allowed network",
        ),
        (Level.PROBLEM, "ollama.urls: 8.8.4.4: public address 8.8.4.4: outside the allowed network"),
        (Level.OK, "ollama.urls: ::1: ::1"),
        (
            Level.WARNING,
            "fetch.allowed_uri_prefixes: 1.1.1.1: public address 1.1.1.1: outside the allowed network",
        ),
        (Level.OK, "fetch.store_options.aws_endpoint: 10.0.0.5: 10.0.0.5"),
    ] == found[:-1]
    level, message = found[-1]
    assert (Level.WARNING, True) == (level, message.startswith("fetch.allowed_uri_prefixes: gs:// without"))


async def test_a_host_that_does_not_resolve_is_a_problem(settings):
    unknown = settings.model_copy(update={"kafka": KafkaSettings(bootstrap_servers="kafka..internal:9092")})
    level, message = await anext(check_network(unknown))
    assert Level.PROBLEM == level
    assert message.startswith("kafka.bootstrap_servers: kafka..internal: does not resolve")


async def test_a_directory_that_is_not_there_is_a_problem(settings, tmp_path):
    fetch = FetchSettings(file_roots=(tmp_path, tmp_path / "gone"))
    found = [said async for said in check_images(settings.model_copy(update={"fetch": fetch}))]
    assert [
        (Level.OK, f"fetch.file_roots: {tmp_path}"),
        (Level.PROBLEM, f"fetch.file_roots: {tmp_path / 'gone'}: no such directory"),
    ] == found
