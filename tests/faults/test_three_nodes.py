"""Three nodes, every record on all of them: leaders and coordinators move, a quorum is lost and comes back."""

import asyncio
import signal

import pytest
from stage import Stage
from world import World

from brokers import KafkaNode
from kafka_state import records

DOWN_S = 3.0
UPLOADS = 300


async def bounce(node: KafkaNode) -> None:
    """Kill a node, and start it again when the others have taken over what it led."""
    await asyncio.to_thread(node.kill)
    await asyncio.sleep(DOWN_S)
    node.start()
    await asyncio.to_thread(node.wait)


@pytest.mark.parametrize(
    "number", [0, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)]
)
async def test_one_node_of_three_killed_costs_nothing(apache_three_stage: Stage, survive, number: int):
    async def fault(made: World) -> None:
        await asyncio.sleep(1)
        made.fault(f"SIGKILL node {number}")
        await bounce(apache_three_stage.kafka.nodes[number])

    made = await survive(apache_three_stage, fault, count=UPLOADS)
    assert [] == made.exits, "two of three are a quorum: no service need end"


@pytest.mark.long
async def test_a_frozen_node_is_led_around(apache_three_stage: Stage, survive):
    """Longer than the controllers wait for it: its connections stand, and nothing comes."""

    async def fault(made: World) -> None:
        await asyncio.sleep(1)
        for node in apache_three_stage.kafka.nodes:
            made.fault("SIGSTOP a node")
            node.signal(signal.SIGSTOP)
            await asyncio.sleep(8)
            node.signal(signal.SIGCONT)
            made.fault("SIGCONT it")
            await asyncio.sleep(4)

    await survive(apache_three_stage, fault, count=900)


@pytest.mark.long
async def test_a_rolling_restart_costs_nothing(apache_three_stage: Stage, survive):
    async def fault(made: World) -> None:
        for node in apache_three_stage.kafka.nodes:
            made.fault("restart a node in order")
            await asyncio.to_thread(node.stop)
            node.start()
            await asyncio.to_thread(node.wait)
            await asyncio.sleep(3)

    made = await survive(apache_three_stage, fault, count=1200)
    assert [] == made.exits


@pytest.mark.long
async def test_below_its_quorum_nothing_is_acknowledged_and_nothing_is_lost(apache_three_stage: Stage, survive):
    """Two of three are gone: the third must take no record alone, and everything is done when they are back."""

    async def fault(made: World) -> None:
        await asyncio.sleep(1.5)
        made.fault("SIGKILL two nodes of three")
        gone = apache_three_stage.kafka.nodes[1:]
        for node in gone:
            node.kill()
        try:
            await asyncio.sleep(1)
            acknowledged = set(made.published)
            assert len(acknowledged) < UPLOADS
            await asyncio.sleep(6)
            assert acknowledged == set(made.published), "one replica of three acknowledged an upload"
        finally:
            for node in gone:
                node.start()
            for node in gone:
                await asyncio.to_thread(node.wait)
        made.note("a quorum again")

    made = await survive(apache_three_stage, fault, count=UPLOADS)
    assert all(code in {0, 1} for _, code in made.exits)
    assert await records(made.direct, made.topics.verdicts)
