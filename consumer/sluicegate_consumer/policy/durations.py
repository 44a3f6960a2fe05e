"""Durations as people write them: `90s`, `10m`, `2h`, `1d`."""

import re
from datetime import timedelta

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_PATTERN = re.compile(r"([0-9]{1,6})([smhd])")


def parse_duration(text: object) -> timedelta:
    """A whole number and a unit: s, m, h or d.

    Raises:
        ValueError: it is anything else, or zero.
    """
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError("must be a duration above zero such as 90s, 10m, 2h or 1d")
    return int(match[1]) * _UNITS[match[2]]


def duration_text(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads as the same."""
    unit, length = next((unit, length) for unit, length in _UNITS.items() if not duration % length)
    return f"{duration // length}{unit}"
