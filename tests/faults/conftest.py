"""Brokers to play faults on: the embedded one always, Apache Kafka behind a proxy where it is present."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import pytest
from load import uploads
from play import UPLOADS, playing, require
from stage import Stage, stage_of
from world import World

from brokers import Kafka
from fake_ollama import ollama_server
from secure_kafka import SecureKafka

RATE = 75.0
LONG_STAGES = ("apache_three", "apache_secure")
STACKS_AFTER_S = 120.0
"""A test that takes so long hangs: what every task of it waits for is printed before it is given up."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "faults" in item.path.parts:
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.timeout(150))
            played_on = getattr(item, "callspec", None) and item.callspec.params.get("stage")
            if played_on == "apache" and item.get_closest_marker("embedded_will_do"):
                item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def embedded_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield stage_of("embedded", stack, tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="session")
def apache_session(
    apache_home: Path,  # noqa: ARG001 - skips where there is none
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield stage_of("apache", stack, tmp_path_factory.mktemp("apache"))


@pytest.fixture
def apache_stage(apache_session: Stage) -> Stage:
    """Apache Kafka behind a proxy, for what the embedded broker cannot do."""
    apache_session.clear()
    return apache_session


@pytest.fixture(scope="session")
def apache_three_stage(apache_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Three nodes, without a proxy."""
    with ExitStack() as stack:
        kafka = Kafka(apache_home, tmp_path_factory.mktemp("three"), nodes=3)
        stack.callback(kafka.kill)
        kafka.start()
        ollama = stack.enter_context(ollama_server(decision="approve"))
        yield Stage(kafka.bootstrap_servers, kafka.bootstrap_servers, ollama, kafka=kafka)


@pytest.fixture(scope="session")
def apache_secure_stage(secure_kafka: SecureKafka) -> Iterator[Stage]:
    """One node that asks each service for TLS, a password and rights."""
    kafka = secure_kafka.kafka
    with ollama_server(decision="approve") as ollama:
        yield Stage(kafka.bootstrap_servers, kafka.proxied_servers, ollama, kafka=kafka, secure=secure_kafka)


STAGES = {
    "embedded": "embedded_stage",
    "apache": "apache_session",
    "apache_three": "apache_three_stage",
    "apache_secure": "apache_secure_stage",
}


@pytest.fixture(params=["embedded", "apache", *(pytest.param(name, marks=pytest.mark.long) for name in LONG_STAGES)])
def stage(request: pytest.FixtureRequest) -> Stage:
    """Any broker: the first two in every run of the tests, all of them in the long one."""
    found: Stage = request.getfixturevalue(STAGES[request.param])
    found.clear()
    return found


Fault = Callable[[World], Awaitable[None]]


@pytest.fixture
def survive(tmp_path: Path) -> Callable[..., Awaitable[World]]:
    """Runs a load with a fault in it, and requires every invariant."""

    async def play(
        stage: Stage,
        fault: Fault,
        *,
        count: int = UPLOADS,
        seed: int = 7,
        failpoints: Mapping[str, str] = MappingProxyType({}),
        **settings: str,
    ) -> World:
        asyncio.get_running_loop().call_later(STACKS_AFTER_S, print_stacks)
        async with playing(stage, tmp_path, failpoints, **settings) as made:
            await asyncio.gather(made.publish(uploads(seed, count), RATE), fault(made))
            await require(made)
            return made

    return play


def print_stacks() -> None:
    for task in asyncio.all_tasks():
        task.print_stack()
