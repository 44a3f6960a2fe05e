"""What waits for the second tier waits in Kafka; the runs that take long are `make soak`."""

import asyncio
from pathlib import Path

import pytest
from load import uploads
from play import playing, require
from stage import Stage

from kafka_state import eventually

GROWTH_BYTES = 32 * 2**20


@pytest.mark.embedded_will_do
async def test_a_tier_two_that_is_stuck_does_not_grow_tier_one(stage: Stage, tmp_path: Path):
    """Escalations wait in Kafka: nothing of them is kept in the first tier."""
    async with playing(stage, tmp_path) as made:
        stage.ollama.stop()
        try:
            ambiguous = [each for each in uploads(9, 4000, poison=0.0) if each.tiers == 2]
            await made.publish(ambiguous[:100])
            await asyncio.sleep(3)
            before = made.first("consume").resident_bytes()
            await made.publish(ambiguous[100:600])

            async def decided() -> bool:
                return len({name for name, _ in await made.verdicts()}) >= 600

            await eventually(decided, 60, made.logs)
            assert made.first("consume").resident_bytes() - before < GROWTH_BYTES
        finally:
            stage.ollama.start()
        await require(made)
