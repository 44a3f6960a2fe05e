"""A short share of the seeded schedules; `make faults` plays more, and other seeds."""

from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from schedule_table import Result, summary
from schedules import play, report
from stage import Stage


@pytest.mark.parametrize("seed", [1001])
async def test_random_faults_break_no_invariant(stage: Stage, seed: int, tmp_path: Path):
    result = await play(seed, stage, tmp_path)
    assert {} == result.broken, "\n".join([*result.timeline, result.logs])


def test_a_seed_that_fails_is_named_with_what_happened_when():
    held, broken = (
        result(7),
        result(8, broken={"I3": ["lost"]}, copies=Counter(consume=3), timeline=["1.00 s  SIGKILL"]),
    )
    console = Console(file=StringIO(), width=120)
    console.print(summary([held, broken], "embedded"))
    report(console, broken)
    said = console.file.getvalue()
    for expected in ("held in 1, not in seeds [8]", "3, at most 3 in a run", "seed 8 I3: ['lost']", "1.00 s  SIGKILL"):
        assert expected in said


def result(seed: int, **differing: object) -> Result:
    same = {
        "seconds": 9.0,
        "published": 240,
        "unknown": 0,
        "faults": Counter(kill=2),
        "broken": {},
        "copies": Counter(),
        "allowed_copies": Counter(consume=128),
        "exits": [("consume-0", -9)],
        "endings_s": [0.4],
        "most_resident": 80 * 2**20,
        "timeline": [],
        "logs": "",
    }
    return Result(seed=seed, **(same | differing))
