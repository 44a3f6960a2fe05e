"""Consumer and worker as a deployment runs them: processes of their own, configured by their environment."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sluicegate_consumer.operations.settings_catalogue import PREFIX

STOP_TIMEOUT_S = 15.0
TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Service:
    """A running process and where its log goes."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it has ended, which it should not before it is told to."""
        return self.process.returncode is not None

    def has_logged(self, event: str) -> bool:
        """Whether its log names the event."""
        return event in self.log.read_text(errors="replace")

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


@asynccontextmanager
async def running(names: Sequence[str], variables: Mapping[str, str], logs: Path) -> AsyncIterator[tuple[Service, ...]]:
    """Run `sluicegate NAME` for each name; whatever happens, none is left behind.

    Args:
        names: of the commands.
        variables: `SLUICEGATE_*`; those that this process has are not handed on, as they may name a real broker.
        logs: the directory for `NAME.log`.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)} | dict(variables)
    services: list[Service] = []
    try:
        for name in names:  # not a comprehension: what has started must be stopped even if the next one fails
            service = await _start(name, environment, logs / f"{name}.log")
            services.append(service)
        yield tuple(services)
    finally:
        await asyncio.gather(*(_stop(service.process) for service in services))


async def _start(name: str, environment: Mapping[str, str], log: Path) -> Service:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sluicegate_consumer.commands", name),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # a Ctrl+C is meant for the demonstration, which then stops its services
        )
    return Service(name, process, log)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
