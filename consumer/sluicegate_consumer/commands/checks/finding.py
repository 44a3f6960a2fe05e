"""What a check finds, and how checks are run so that none can hide or delay another."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sluicegate_consumer.commands.endings import missing_extra
from sluicegate_consumer.errors import SluicegateError
from sluicegate_consumer.operations.redaction import mask_text
from sluicegate_consumer.operations.settings import Settings


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, but somebody should know."""
    PROBLEM = "problem"
    """A service would not start, would lose records, or would send images outside."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    level: Level
    message: str


Said = tuple[Level, str]
Check = Callable[[Settings], AsyncIterator[Said]]
"""Yields what it finds as it finds it: what it found before it failed is still reported."""


async def run_checks(checks: Mapping[str, Check], settings: Settings, timeout_s: float) -> list[Finding]:
    """Run all checks at once, each for at most `timeout_s` seconds; what they find, in their order."""
    found = await asyncio.gather(*(_run(name, check, settings, timeout_s) for name, check in checks.items()))
    return [finding for findings in found for finding in findings]


async def _run(name: str, check: Check, settings: Settings, timeout_s: float) -> list[Finding]:
    findings: list[Finding] = []

    def note(level: Level, message: str) -> None:
        findings.append(Finding(name, level, mask_text(message)))

    try:
        async with asyncio.timeout(timeout_s):
            async for level, message in check(settings):
                note(level, message)
    except TimeoutError:
        note(Level.PROBLEM, f"no answer within {timeout_s:g} s")
    except SluicegateError as error:
        note(Level.PROBLEM, str(error))
    except ModuleNotFoundError as error:
        note(Level.PROBLEM, missing_extra(error) or str(error))
    except Exception as error:  # noqa: BLE001 - whatever one check meets, the others are to be heard
        note(Level.PROBLEM, f"{type(error).__name__}: {error}")
    return findings
