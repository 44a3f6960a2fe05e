"""A short share of the seeded schedules; `make faults` plays more, and other seeds."""

from pathlib import Path

import pytest
from schedules import play
from stage import Stage


@pytest.mark.parametrize("seed", [1001])
async def test_random_faults_break_no_invariant(stage: Stage, seed: int, tmp_path: Path):
    result = await play(seed, stage, tmp_path)
    assert {} == result.broken, "\n".join([*result.timeline, result.logs])
