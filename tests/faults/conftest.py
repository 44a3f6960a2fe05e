"""Brokers to play faults on: the embedded one always, Apache Kafka behind a proxy where it is present."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from load import uploads
from schedules import Stage, stage_of
from world import World, world

from brokers import kafka_home

UPLOADS = 150
RATE = 75.0
HEAL_WITHIN_S = 45.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "faults" in item.path.parts:
            item.add_marker(pytest.mark.integration)
            item.add_marker(pytest.mark.timeout(150))


@pytest.fixture(scope="session")
def embedded_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield stage_of("embedded", stack, tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="session")
def apache_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if kafka_home() is None:
        pytest.skip("no Apache Kafka: set KAFKA_HOME to an unpacked Kafka 4, and have java on the path")
    with ExitStack() as stack:
        yield stage_of("apache", stack, tmp_path_factory.mktemp("apache"))


@pytest.fixture(params=["embedded", "apache"])
def stage(request: pytest.FixtureRequest) -> Stage:
    """Any broker."""
    found: Stage = request.getfixturevalue(f"{request.param}_stage")
    found.ollama.script.clear()
    found.ollama.always = None
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
        async with playing(stage, tmp_path, failpoints, **settings) as made:
            await asyncio.gather(made.publish(uploads(seed, count), RATE), fault(made))
            await require(made, stage)
            return made

    return play


@asynccontextmanager
async def playing(
    stage: Stage,
    directory: Path,
    failpoints: Mapping[str, str] = MappingProxyType({}),
    *,
    only: str | None = None,
    **settings: str,
) -> AsyncIterator[World]:
    """A world with both services running, the first of each with its failpoint, and somebody who watches them."""
    async with world(
        stage.bootstrap_servers,
        stage.ollama,
        directory,
        direct=stage.direct,
        session_s=stage.session_s,
        **settings,
    ) as made:
        for command in ("consume", "escalate") if only is None else (only,):
            made.start(command, failpoints.get(command, ""), BLOCKED_S=str(stage.session_s + 1.5))
        watching = asyncio.create_task(made.watch())
        try:
            yield made
        finally:
            watching.cancel()
            await asyncio.wait({watching})


async def require(made: World, stage: Stage) -> None:
    """Everything is done, and every invariant holds; if not, say when what happened."""
    settled = await made.settled(HEAL_WITHIN_S)
    found = await made.examine(commit_history=stage.kafka is not None)
    if not settled:
        found.note("I6", f"something is left to do after {HEAL_WITHIN_S:.0f} s")
    broken = {name: lines[:5] for name, lines in found.broken.items() if lines}
    assert {} == broken, "\n".join([*made.timeline, made.logs()])
