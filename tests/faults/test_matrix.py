"""Each fault alone, against both services as processes on a real broker: nothing lost, nothing twice."""

import asyncio
import signal
import time

import pytest
from schedules import Stage
from world import World

from fake_ollama_answers import Delay, Raw, Reset
from tcp_proxy import Mode

FAILPOINTS = ["received:2", "sent:10", "acknowledged:1", "committing:1", "committed:1"]


async def exit_of(made: World, name: str, seconds: float = 30) -> int:
    """The code with which a service ends by itself."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for ended, code in made.exits:
            if ended == name:
                return code
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} did not end\n{made.logs()}")


async def test_without_a_fault_nothing_is_written_twice(stage: Stage, survive):
    made = await survive(stage, lambda _: asyncio.sleep(0))
    assert 0 == made.faults


@pytest.mark.parametrize("command", ["consume", "escalate"])
@pytest.mark.parametrize("failpoint", FAILPOINTS)
async def test_a_service_killed_anywhere_is_done_over_by_the_next(stage: Stage, survive, command: str, failpoint: str):
    async def fault(made: World) -> None:
        service = next(each for each in made.services if each.command == command)
        assert -signal.SIGKILL == await exit_of(made, made.name(service))

    await survive(stage, fault, failpoints={command: failpoint})


@pytest.mark.parametrize("command", ["consume", "escalate"])
async def test_a_member_frozen_past_its_session_commits_nothing_stale(stage: Stage, survive, command: str):
    async def fault(made: World) -> None:
        second = made.start(command)
        await asyncio.sleep(1.5)
        frozen = next(each for each in made.services if each.command == command and each is not second)
        made.fault("freeze")
        frozen.signal(signal.SIGSTOP)
        await asyncio.sleep(stage.session_s + 1.5)
        frozen.signal(signal.SIGCONT)
        made.fault("thaw")

    await survive(stage, fault, count=round(75 * (stage.session_s + 2)))


@pytest.mark.parametrize("command", ["consume", "escalate"])
async def test_a_service_that_is_asked_to_end_under_load_ends_well_and_leaves_nothing_undone(stage, survive, command):
    async def fault(made: World) -> None:
        await asyncio.sleep(1.5)
        service = next(each for each in made.services if each.command == command)
        began = time.monotonic()
        code = await asyncio.to_thread(service.stop, 20)
        assert (0, True) == (code, time.monotonic() - began < 10)
        service.retired = False  # and it is started again

    made = await survive(stage, fault)
    assert '"event":"drained"' in made.services[0].logged() + made.services[1].logged()


async def test_members_that_come_and_go_in_a_storm_hand_over_in_order(stage: Stage, survive):
    async def fault(made: World) -> None:
        for command in ("consume", "escalate", "consume"):
            made.fault("join")
            service = made.start(command)
            await asyncio.sleep(1.2)
            made.fault("leave")
            assert 0 == await asyncio.to_thread(service.stop, 20)

    await survive(stage, fault, count=250)


async def test_a_loop_blocked_past_the_session_costs_nothing(stage: Stage, survive):
    async def fault(made: World) -> None:
        made.start("consume")
        made.fault("block")
        await asyncio.sleep(stage.session_s + 3)

    await survive(stage, fault, count=round(75 * (stage.session_s + 1)), failpoints={"consume": "blocked_loop:2"})


async def test_a_device_that_runs_out_of_memory_once_costs_no_image(stage: Stage, survive):
    made = await survive(stage, lambda _: asyncio.sleep(0), failpoints={"consume": "device_out_of_memory:2"})
    assert [] == made.exits


async def test_a_device_that_hangs_ends_its_service_in_time_and_costs_no_image(stage: Stage, survive):
    async def fault(made: World) -> None:
        assert 1 == await exit_of(made, "consume-0")
        assert "did not answer within model.timeout_s=3" in made.services[0].logged()

    await survive(stage, fault, failpoints={"consume": "device_hang:2"})


FAILING = [Raw(b'{"error":"busy"}', 503), Raw(b'{"error":"x"}', 500), Raw(b"nonsense"), Reset(), Delay(2.5)]


@pytest.mark.parametrize("answer", FAILING, ids=["503", "500", "nonsense", "reset", "slow"])
async def test_a_language_model_that_fails_holds_nothing_up_but_its_own_question(stage: Stage, survive, answer):
    async def fault(made: World) -> None:
        for _ in range(4):
            made.fault("the language model fails")
            stage.ollama.script.append(answer)
            await asyncio.sleep(0.3)

    await survive(stage, fault)


async def test_while_the_language_model_is_gone_tier_one_goes_on_and_escalations_wait(stage: Stage, survive):
    async def fault(made: World) -> None:
        stage.ollama.stop()
        try:
            await asyncio.sleep(5)
            decided = [name for name, upload in made.published.items() if upload.tiers == 1]
            verdicts = {upload_id for upload_id, _ in await made.verdicts()}
            assert set(decided) <= verdicts
            assert all(revision == 1 for _, revision in await made.verdicts())
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
        await asyncio.sleep(1.2)
        made.fault("SIGKILL the broker")
        (node,) = apache_stage.kafka.nodes
        node.kill()
        services = list(made.services)
        for service in services:
            service.retired = True
            service.signal(signal.SIGTERM)
        began = time.monotonic()
        try:
            for service in services:
                code = await asyncio.to_thread(service.wait, 30)
                assert code in {0, 1}
        finally:
            node.start()
            await asyncio.to_thread(node.wait)
        # Four seconds of draining, and what a last commit and leaving Kafka may take.
        assert time.monotonic() - began < 4 + 20 + 2
        assert '"event":"drained"' in services[0].logged()
        for service in services:
            service.retired = False

    await survive(apache_stage, fault)
