"""A service that can do nothing any more says so and ends with code 1 within its time; each state can be told apart."""

import asyncio
import json
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from load import uploads
from play import playing, require
from stage import Stage
from test_matrix import exit_of
from world import COMMANDS, World

from brokers import free_ports

STALL_S = 4.0


@pytest.mark.embedded_will_do
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("failpoint", "said"),
    [("client_task_ends:1", "fetcher has ended"), ("client_silent:1", "the Kafka client is stuck: no record in")],
)
async def test_a_client_that_reads_no_more_ends_its_service_in_time(stage: Stage, survive, command, failpoint, said):
    async def fault(made: World) -> None:
        service = made.first(command)
        assert 1 == await exit_of(made, made.name(service))
        assert said in service.logged()

    await survive(
        stage, fault, count=900, failpoints={command: failpoint}, SLUICEGATE_DELIVERY__STALL_TIMEOUT_S=str(STALL_S)
    )


@pytest.mark.embedded_will_do
async def test_a_loop_that_is_blocked_for_good_ends_its_service_and_costs_nothing(stage: Stage, tmp_path: Path):
    settings = {"SLUICEGATE_OBSERVABILITY__STALL_TIMEOUT_S": "2"}
    async with playing(stage, tmp_path, only="escalate", **settings) as made:
        (port,) = free_ports(1)
        service = made.start(
            "consume", "blocked_loop:1", BLOCKED_S="60", SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT=str(port)
        )
        await made.publish(uploads(7, 60))
        began = time.monotonic()
        await becomes(port, "stuck", (503, 503))
        assert 1 == await exit_of(made, made.name(service))
        assert time.monotonic() - began < 2 + 2 + 10  # its time, and how busy the machine may be
        assert "the service is stuck" in service.logged()
        assert "in receive" in service.logged()
        await require(made)


@pytest.mark.embedded_will_do
async def test_a_frozen_process_that_is_thawed_goes_on(stage: Stage, tmp_path: Path):
    async with playing(stage, tmp_path, SLUICEGATE_OBSERVABILITY__STALL_TIMEOUT_S="3") as made:
        await asyncio.gather(*map(made.joined, made.services))
        for service in made.services:
            made.fault("freeze", service.command)
            service.signal(signal.SIGSTOP)
        await asyncio.sleep(4.5)
        for service in made.services:
            service.signal(signal.SIGCONT)
        await made.publish(uploads(7, 60))
        await require(made)
        assert [] == made.exits


@pytest.mark.embedded_will_do
async def test_starting_ready_and_draining_can_be_told_apart(stage: Stage, tmp_path: Path):
    async with playing(stage, tmp_path, only="escalate", SLUICEGATE_MODEL__TIMEOUT_S="30") as made:
        (port,) = free_ports(1)
        options = {"BLOCKED_S": "4", "SLUICEGATE_OBSERVABILITY__ENDPOINT_PORT": str(port)}
        slow = made.start("consume", "slow_start:1", **options)
        await becomes(port, "starting", (200, 503))
        await becomes(port, "ready", (200, 200))
        assert 0 == await made.end(slow)

        working = made.start("consume", "device_slow:1", **options)
        await made.joined(working)
        await made.publish(uploads(7, 30))
        await asyncio.sleep(1)
        ending = asyncio.create_task(made.end(working))
        await becomes(port, "draining", (200, 503))
        assert 0 == await ending
        made.start("consume")
        await require(made)


async def becomes(port: int, state: str, codes: tuple[int, int], seconds: float = 30) -> None:
    """Wait for a state, and see what the two probes answer in it."""
    deadline = time.monotonic() + seconds
    seen: set[str] = set()
    while time.monotonic() < deadline:
        live, said = await asyncio.to_thread(probe, port, "healthz")
        seen.add(said)
        if said == state:
            ready, same = await asyncio.to_thread(probe, port, "readyz")
            if same == state:
                assert codes == (live, ready)
                return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never {state}, but {seen}")


def probe(port: int, which: str) -> tuple[int, str]:
    """Status and state."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{which}", timeout=5) as response:
            return response.status, json.loads(response.read())["state"]
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["state"]
    except OSError:
        return 0, "unreachable"
