"""The files in a folder, with nothing left out in silence."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def files_in(folder: str) -> list[Path]:
    """Every file below a folder, sorted, and beside them what nobody can tell to be one.

    That is a folder that cannot be listed, and what cannot be looked at, a dangling link for example. Whoever opens
    it learns why, and says so: left out, what it holds would seem to be done. Links to folders are not followed.
    """
    return sorted(_walk(folder))


def _walk(folder: str) -> Iterator[Path]:
    unlisted: list[Path] = []
    for parent, _, names in os.walk(folder, onerror=lambda error: unlisted.append(Path(error.filename))):
        yield from (path for name in names if _may_be_a_file(path := Path(parent, name)))
    yield from unlisted


def _may_be_a_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True
