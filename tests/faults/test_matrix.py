"""Each fault alone, against both services as processes on a real broker: nothing lost, nothing twice."""

import asyncio
import re
import signal
import time

import pytest
from load import uploads
from play import UPLOADS, playing, require
from stage import Stage
from world import COMMANDS, IN_FLIGHT, SHUTDOWN_WITHIN_S, World

from fake_ollama_answers import Delay, Raw, Reset
from kafka_state import eventually, records
from tcp_proxy import Mode

LEFT = r'"left":\d+,"uncommitted":\d+,"event":"(drained|left_undone)"'
FAILPOINTS = ["received:1", "sent:10", "acknowledged:1", "committing:1", "committed:1"]


async def exit_of(made: World, name: str, seconds: float = 30) -> int:
    """The code with which a service ends by itself."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for ended, code in made.exits:
            if ended == name:
                return code
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} did not end\n{made.logs()}")


async def nothing(_: World) -> None:
    """No fault."""


async def test_without_a_fault_nothing_is_written_twice(stage: Stage, survive):
    made = await survive(stage, nothing)
    assert (0, {}) == (made.faults, made.allowed_copies)


@pytest.mark.embedded_will_do
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("failpoint", FAILPOINTS)
async def test_a_service_killed_anywhere_is_done_over_by_the_next(stage: Stage, survive, command: str, failpoint: str):
    async def fault(made: World) -> None:
        assert -signal.SIGKILL == await exit_of(made, made.name(made.first(command)))

    await survive(stage, fault, failpoints={command: failpoint})


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_member_frozen_past_its_session_commits_nothing_stale(apache_stage: Stage, survive, command: str):
    async def fault(made: World) -> None:
        frozen, second = made.first(command), made.start(command)
        await asyncio.gather(made.joined(frozen), made.joined(second))
        made.fault("freeze", command)
        frozen.signal(signal.SIGSTOP)
        await asyncio.sleep(apache_stage.session_s + 1.5)
        frozen.signal(signal.SIGCONT)
        made.fault("thaw", command)

    await survive(apache_stage, fault, count=round(75 * (apache_stage.session_s + 3)))


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_service_that_is_asked_to_end_under_load_ends_well_and_leaves_nothing_undone(stage, survive, command):
    async def fault(made: World) -> None:
        service = made.first(command)
        await made.joined(service)
        assert 0 == await made.end(service)
        assert '"left":0,"uncommitted":0,"event":"drained"' in service.logged()
        service.retired = False  # and it is started again

    await survive(stage, fault, count=250)


async def test_members_that_come_and_go_in_a_storm_hand_over_in_order(apache_stage: Stage, survive):
    """The embedded broker loses its way when a member joins while another does."""

    async def fault(made: World) -> None:
        for command in ("consume", "escalate", "consume"):
            made.fault("join", command)
            service = made.start(command)
            await made.joined(service)
            assert 0 == await made.end(service)

    await survive(apache_stage, fault, count=400)


async def test_a_loop_blocked_past_the_session_costs_nothing(apache_stage: Stage, survive):
    async def fault(made: World) -> None:
        await made.joined(made.start("consume"))
        made.fault("block", "consume")
        await asyncio.sleep(apache_stage.session_s + 3)

    await survive(
        apache_stage, fault, count=round(75 * (apache_stage.session_s + 1)), failpoints={"consume": "blocked_loop:2"}
    )


@pytest.mark.embedded_will_do
async def test_a_device_that_runs_out_of_memory_once_costs_no_image(stage: Stage, survive):
    made = await survive(stage, nothing, failpoints={"consume": "device_out_of_memory:2"})
    assert [] == made.exits


@pytest.mark.embedded_will_do
async def test_a_device_that_hangs_ends_its_service_in_time_and_costs_no_image(stage: Stage, survive):
    async def fault(made: World) -> None:
        assert 1 == await exit_of(made, "consume-0")
        assert "did not answer within model.timeout_s=3" in made.services[0].logged()

    await survive(stage, fault, failpoints={"consume": "device_hang:2"})


FAILING = [Raw(b'{"error":"busy"}', 503), Raw(b'{"error":"x"}', 500), Raw(b"nonsense"), Reset(), Delay(2.5)]


@pytest.mark.embedded_will_do
@pytest.mark.parametrize("answer", FAILING, ids=["503", "500", "nonsense", "reset", "slow"])
async def test_a_language_model_that_fails_holds_nothing_up_but_its_own_question(stage: Stage, survive, answer):
    async def fault(made: World) -> None:
        for _ in range(4):
            made.note("the language model fails")
            stage.ollama.script.append(answer)
            await asyncio.sleep(0.3)

    await survive(stage, fault)


@pytest.mark.embedded_will_do
async def test_while_the_language_model_is_gone_tier_one_goes_on_and_escalations_wait(stage: Stage, survive):
    async def fault(made: World) -> None:
        await asyncio.gather(*map(made.joined, made.services))
        stage.ollama.stop()

        async def tier_one_is_done() -> bool:
            decided = {name for name, upload in made.published.items() if upload.tiers == 1}
            return len(made.published) == UPLOADS and decided <= {name for name, _ in await made.verdicts()}

        try:
            before = sum(revision == 2 for _, revision in await made.verdicts())
            await eventually(tier_one_is_done, 40, made.logs)
            assert (
                sum(revision == 2 for _, revision in await made.verdicts()) <= before + 8
            )  # those that were being asked
        finally:
            stage.ollama.start()

    await survive(stage, fault)


async def test_a_broker_that_is_killed_and_comes_back_costs_nothing(apache_stage: Stage, survive):
    async def fault(made: World) -> None:
        await asyncio.sleep(1)
        made.fault("SIGKILL the broker")
        (node,) = apache_stage.kafka.nodes
        node.kill()
        await asyncio.sleep(2)
        node.start()
        await asyncio.to_thread(node.wait)
        made.fault("the broker is back")

    await survive(apache_stage, fault)


@pytest.mark.parametrize("seconds", [1.0, 4.0])
@pytest.mark.parametrize("mode", [Mode.BLACKHOLE, Mode.DROP_RESPONSES])
async def test_a_network_that_loses_what_passes_costs_nothing(apache_stage: Stage, survive, mode: Mode, seconds: float):
    async def fault(made: World) -> None:
        await asyncio.sleep(1)
        made.fault(mode.value)
        apache_stage.proxy.mode = mode
        await asyncio.sleep(seconds)
        apache_stage.proxy.mode = Mode.PASS
        apache_stage.proxy.reset()
        made.fault("everything passes again")

    await survive(apache_stage, fault)


async def test_connections_that_are_reset_again_and_again_cost_nothing(apache_stage: Stage, survive):
    async def fault(made: World) -> None:
        for _ in range(6):
            await asyncio.sleep(0.4)
            made.fault("reset")
            apache_stage.proxy.reset()

    await survive(apache_stage, fault)


async def test_with_the_broker_gone_a_service_still_ends_within_its_bound_and_says_what_it_left(
    apache_stage: Stage, survive
):
    async def fault(made: World) -> None:
        services = list(made.services)
        await asyncio.gather(*map(made.joined, services))
        await asyncio.sleep(1)
        made.fault("SIGKILL the broker")
        (node,) = apache_stage.kafka.nodes
        node.kill()
        try:
            codes = await asyncio.gather(*map(made.end, services))
        finally:
            node.start()
            await asyncio.to_thread(node.wait)
        assert set(codes) <= {0, 1}
        assert max(made.endings_s) < SHUTDOWN_WITHIN_S + 1
        assert all(re.search(LEFT, each.logged()) for each in services)
        for service in services:
            service.retired = False

    await survive(apache_stage, fault, count=250)


@pytest.mark.parametrize(("command", "count"), [("consume", 150), ("escalate", 600)])
async def test_a_kill_repeats_all_that_was_in_flight_and_no_more(stage: Stage, tmp_path, command: str, count: int):
    """As nothing is committed before the kill, the bound on copies is reached, and not passed."""
    (other,) = set(COMMANDS) - {command}
    async with playing(stage, tmp_path, only=other) as made:
        service = made.start(command, SLUICEGATE_DELIVERY__COMMIT_INTERVAL_S="60")
        await made.publish(uploads(7, count))

        async def all_answered() -> bool:
            return await outputs(made, revision=COMMANDS.index(command) + 1) == IN_FLIGHT

        await eventually(all_answered, 30, made.logs)
        service.environment["SLUICEGATE_DELIVERY__COMMIT_INTERVAL_S"] = "0.1"
        made.note("SIGKILL")
        service.kill()
        await require(made)
        assert IN_FLIGHT == made.allowed_copies[command] == made.findings.copies[command]


async def outputs(made: World, revision: int) -> int:
    """How many outputs a tier has written."""
    verdicts = sum(found == revision for _, found in await made.verdicts())
    return verdicts + (len(await records(made.direct, made.topics.dead_letters)) if revision == 1 else 0)
