"""Checks are bounded, independent of each other, and know inside from outside."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import AnyHttpUrl

from sluicegate_consumer.commands.checks.finding import Finding, Level, Said, run_checks
from sluicegate_consumer.commands.checks.images import check_images
from sluicegate_consumer.commands.checks.network import check_network
from sluicegate_consumer.errors import Transient
from sluicegate_consumer.operations.settings import (
    EgressSettings,
    FetchSettings,
    KafkaSettings,
    OllamaSettings,
    Settings,
)


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


async def test_a_public_address_is_a_problem_unless_it_was_allowed_by_name(settings):
    outside = settings.model_copy(
        update={
            "kafka": KafkaSettings(bootstrap_servers="127.0.0.1:9092, 8.8.8.8:9092"),
            "ollama": OllamaSettings(urls=(AnyHttpUrl("https://8.8.4.4/"), AnyHttpUrl("http://[::1]:11434"))),
            "fetch": FetchSettings(
                allowed_uri_prefixes=("https://1.1.1.1/media/", "s3://uploads/", "gs://uploads/"),
                store_options={"aws_endpoint": "http://10.0.0.5:9000", "aws_secret_access_key": "hunter2"},
            ),
            "egress": EgressSettings(allowed_hosts=("1.1.1.1",)),
        }
    )
    mend = "name a host inside, or add {} to egress.allowed_hosts if it may be reached"
    found = [said async for said in check_network(outside)]
    assert [
        (
            Level.PROBLEM,
            "fetch.allowed_uri_prefixes: gs:// without an endpoint in fetch.store_options: .googleapis.com: "
            "public: outside the allowed network: " + mend.format(".googleapis.com"),
        ),
        (Level.OK, "kafka.bootstrap_servers: 127.0.0.1:9092: 127.0.0.1"),
        (
            Level.PROBLEM,
            "kafka.bootstrap_servers: 8.8.8.8:9092: public address 8.8.8.8: outside the allowed network: "
            + mend.format("8.8.8.8"),
        ),
        (
            Level.PROBLEM,
            "ollama.urls: 8.8.4.4:443: public address 8.8.4.4: outside the allowed network: " + mend.format("8.8.4.4"),
        ),
        (Level.OK, "ollama.urls: [::1]:11434: ::1"),
        (
            Level.WARNING,
            "fetch.allowed_uri_prefixes: 1.1.1.1:443: 1.1.1.1: outside, as egress.allowed_hosts allows",
        ),
        (Level.OK, "fetch.store_options.aws_endpoint: 10.0.0.5:9000: 10.0.0.5"),
    ] == sorted(found, key=lambda said: "gs://" not in said[1])


async def test_what_is_not_enforced_is_said_first(settings):
    watching = settings.model_copy(update={"egress": EgressSettings(enforce=False)})
    level, message = await anext(check_network(watching))
    assert Level.WARNING == level
    assert "egress.enforce=false" in message


async def test_a_host_that_does_not_resolve_is_a_problem(settings):
    fetch = FetchSettings(allowed_uri_prefixes=("https://media..internal/uploads/",))
    found = [said async for said in check_network(settings.model_copy(update={"fetch": fetch}))]
    (message,) = [message for level, message in found if level is Level.PROBLEM]
    assert message.startswith("fetch.allowed_uri_prefixes: media..internal:443: does not resolve")


async def test_a_directory_that_is_not_there_is_a_problem(settings, tmp_path):
    fetch = FetchSettings(file_roots=(tmp_path, tmp_path / "gone"))
    found = [said async for said in check_images(settings.model_copy(update={"fetch": fetch}))]
    assert [
        (Level.OK, f"fetch.file_roots: {tmp_path}"),
        (Level.PROBLEM, f"fetch.file_roots: {tmp_path / 'gone'}: no such directory"),
    ] == found
