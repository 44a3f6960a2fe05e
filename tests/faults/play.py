"""Both services at work on a stage, and what must hold when they have ended."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from installation import installation
from stage import Stage
from world import COMMANDS, World

UPLOADS = 150
HEAL_WITHIN_S = 45.0


@asynccontextmanager
async def playing(
    stage: Stage,
    directory: Path,
    failpoints: Mapping[str, str] = MappingProxyType({}),
    *,
    only: str | None = None,
    **settings: str,
) -> AsyncIterator[World]:
    """A world with both services running, the first of each with its failpoint, and somebody who watches them."""
    async with installation(stage, directory, **settings) as made:
        for command in COMMANDS if only is None else (only,):
            made.start(command, failpoints.get(command, ""), BLOCKED_S=str(stage.session_s + 1.5))
        async with made.watched():
            yield made


async def require(made: World) -> None:
    """Everything is done, every service ends when it is asked to, and every invariant holds; if not, say why."""
    found = await made.conclude(HEAL_WITHIN_S)
    broken = {name: lines[:5] for name, lines in found.broken.items() if lines}
    assert {} == broken, "\n".join([*made.timeline, made.logs()])
