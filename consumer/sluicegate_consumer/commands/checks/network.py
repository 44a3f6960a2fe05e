"""Whether what the settings name lies inside the allowed network: no public address that the operator did not allow."""

import os
from collections.abc import AsyncIterator

from sluicegate_consumer.commands.checks.finding import Level, Said
from sluicegate_consumer.operations.egress import Egress, Verdict
from sluicegate_consumer.operations.egress_survey import Surveyed, survey
from sluicegate_consumer.operations.settings import Settings

LEVELS = {
    Verdict.INSIDE: Level.OK,
    Verdict.ALLOWED: Level.WARNING,
    Verdict.PUBLIC: Level.PROBLEM,
    Verdict.METADATA: Level.PROBLEM,
    None: Level.PROBLEM,
}


async def check_network(settings: Settings) -> AsyncIterator[Said]:
    """Resolve every host that the settings name."""
    if not settings.egress.enforce:
        yield Level.WARNING, "egress.enforce=false: what is refused below is reached nevertheless"
    for found in await survey(Egress.of(settings, os.environ)):
        if not found.destination.credentials:
            yield said(found)


def said(found: Surveyed) -> Said:
    """A destination, for the report."""
    return LEVELS[found.verdict], str(found)
