"""A broker whose disk is full: what it acknowledged is kept, and all is done once there is room again."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from stage import Stage
from world import World

from brokers import Kafka
from fake_ollama import ollama_server

SMALL = 96 * 2**20
LARGER = 2 * SMALL
LEFT = 256 * 2**10
"""Bytes that are left when somebody else has filled the disk: some hundred uploads."""


class Disk:
    """A file system of its own, in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """All but a little."""
        with self._filler.open("wb") as file:
            free = shutil.disk_usage(self.path).free
            for _ in range((free - LEFT) // 2**16):
                file.write(bytes(2**16))

    def free(self) -> None:
        """Whoever filled it tidies up."""
        self._filler.unlink()

    def grow(self) -> None:
        """A larger disk, with everything that was on it."""
        subprocess.run(["mount", "-o", f"remount,size={LARGER}", self.path], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "kafka" / "node-0" / "data"
    path.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "sluicegate-tests", path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system of its own for the broker: {mounted.stderr.decode().strip()}")
    yield Disk(path)
    subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def small_stage(
    apache_home: Path,
    disk: Disk,  # noqa: ARG001 - is mounted under the broker's data before there are any
    tmp_path: Path,
) -> Iterator[Stage]:
    with ExitStack() as stack:
        kafka = Kafka(apache_home, tmp_path / "kafka")
        stack.callback(kafka.kill)
        kafka.start()
        ollama = stack.enter_context(ollama_server(decision="approve"))
        yield Stage(kafka.bootstrap_servers, kafka.bootstrap_servers, ollama, kafka=kafka)


@pytest.mark.long
@pytest.mark.parametrize("remedy", [Disk.free, Disk.grow], ids=["freed", "larger"])
async def test_a_full_disk_costs_nothing(small_stage: Stage, disk: Disk, survive, remedy):
    async def fault(made: World) -> None:
        (node,) = small_stage.kafka.nodes
        await asyncio.sleep(1)
        made.fault("the disk fills")
        await asyncio.to_thread(disk.fill)
        try:
            await eventually(lambda: "No space left on device" in node.logged(), 60)
            # Kafka gives up a node without a disk, or refuses what it is sent.
            with suppress(AssertionError):
                await eventually(lambda: not node.running, 10)
            made.note("the broker still runs" if node.running else "the broker has ended")
            await asyncio.sleep(2)
        finally:
            node.kill()
            remedy(disk)
            node.start()
            await asyncio.to_thread(node.wait)
        made.note("there is room again")

    made = await survive(small_stage, fault, count=600)
    assert {code for _, code in made.exits} <= {1}


async def eventually(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
