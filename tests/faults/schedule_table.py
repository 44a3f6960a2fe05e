"""What came of seeded schedules, and the table of it.

PYTHONPATH=tests:tests/faults python tests/faults/schedule_table.py FILE...     what `schedules.py --json` has written
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import orjson
from invariants import NAMES
from rich.console import Console
from rich.table import Table


@dataclass
class Result:
    """What came of one seed."""

    seed: int
    seconds: float
    published: int
    """Uploads that the broker acknowledged."""
    unknown: int
    """Uploads of which nobody knows whether the broker has them."""
    faults: Counter[str]
    broken: dict[str, list[str]]
    copies: Counter[str]
    """Outputs written more than once, by the command that wrote them."""
    allowed_copies: Counter[str]
    exits: list[tuple[str, int]]
    """Services that ended by themselves, and with which code."""
    endings_s: list[float]
    """From SIGTERM to the end of each service that was asked to end."""
    most_resident: int
    """Bytes."""
    timeline: list[str]
    logs: str


def summary(results: list[Result], broker: str) -> Table:
    """Runs, faults, and what held."""
    faults = sum((Counter(result.faults) for result in results), Counter())
    table = Table(title=f"{len(results)} runs, {broker}", title_justify="left")
    table.add_column("fault")
    table.add_column("", justify="right")
    for name, count in sorted(faults.items()):
        table.add_row(name, str(count))
    table.add_section()
    for invariant in NAMES:
        failed = [result.seed for result in results if result.broken.get(invariant)]
        table.add_row(
            invariant, f"held in {len(results) - len(failed)}" + (f", not in seeds {failed}" if failed else "")
        )
    table.add_section()
    for name, value in _figures(results):
        table.add_row(name, value)
    return table


def _figures(results: list[Result]) -> list[tuple[str, str]]:
    copies = [sum(result.copies.values()) for result in results]
    allowed = [sum(result.allowed_copies.values()) for result in results]
    endings = sorted(seconds for result in results for seconds in result.endings_s)
    return [
        ("faults", f"{sum(sum(result.faults.values()) for result in results):,}"),
        ("uploads acknowledged", f"{sum(result.published for result in results):,}"),
        ("uploads unknown", f"{sum(result.unknown for result in results):,}"),
        ("outputs written more than once", f"{sum(copies):,}, at most {max(copies)} in a run"),
        ("of which could have been", f"{sum(allowed):,}"),
        ("services that ended by themselves", f"{sum(len(result.exits) for result in results):,}"),
        ("shutdowns", f"{len(endings):,}, the slowest {endings[-1]:.1f} s" if endings else "0"),
        ("largest service", f"{max(result.most_resident for result in results) / 2**20:.0f} MiB"),
        ("seconds a run", f"{sum(result.seconds for result in results) / len(results):.1f}"),
    ]


def read(paths: list[Path]) -> list[Result]:
    """Results of several files, as one."""
    return [Result(**result) for path in paths for result in orjson.loads(path.read_bytes())]


def main() -> int:
    """Print the table of some files."""
    results = read([Path(argument) for argument in sys.argv[1:]])
    Console().print(summary(results, "together"))
    return 1 if any(result.broken for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
