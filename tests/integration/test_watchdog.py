"""A service whose event loop is stuck ends, says where it hung, and can be told from one that works."""

import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.integration

PROGRAM = """
import asyncio, time
from sluicegate_consumer.operations.health import watched

async def main():
    with watched(2.0) as health:
        await asyncio.sleep({works_s})
        print(health.state, flush=True)
        time.sleep({blocks_s})
        await asyncio.sleep(0.1)

asyncio.run(main())
print("ended in order")
"""


def run(works_s: float, blocks_s: float) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(works_s=works_s, blocks_s=blocks_s)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)


def test_a_loop_that_is_blocked_for_too_long_ends_the_process_with_every_stack():
    began = time.monotonic()
    ended = run(works_s=0.7, blocks_s=20)
    assert 1 == ended.returncode
    assert "starting" in ended.stdout
    assert "the service is stuck" in ended.stderr
    assert "in main" in ended.stderr
    assert time.monotonic() - began < 10


def test_a_loop_that_turns_is_left_alone():
    ended = run(works_s=0.7, blocks_s=0.1)
    assert (0, "") == (ended.returncode, ended.stderr)
    assert "ended in order" in ended.stdout


def test_a_service_that_has_failed_and_does_not_end_is_ended():
    program = """
import asyncio
from sluicegate_consumer.operations import health

health.ENDING_S = 0.5

async def main():
    with health.watched(60) as watch:
        watch.ready()
        watch.failed()
        print(watch.state, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (1, "stuck\n") == (ended.returncode, ended.stdout)
    assert "the service is stuck" in ended.stderr
