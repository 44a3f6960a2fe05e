"""Whether the servers of the second tier have the model, and may be asked."""

from collections.abc import AsyncIterator

from sluicegate_consumer.commands.checks.finding import Level, Said
from sluicegate_consumer.operations.settings import Settings


async def check_second_tier(settings: Settings) -> AsyncIterator[Said]:
    """Look at each server and its model, without loading it."""
    from sluicegate_consumer.second_opinion.examine import examine  # noqa: PLC0415 - needs the extra `consumer`

    for finding in await examine(settings.ollama):
        yield Level(finding.level), finding.message
