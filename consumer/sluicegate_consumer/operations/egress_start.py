"""How a service begins: nothing can be reached any more but what the settings name, and that is looked at."""

import os
import time
from collections.abc import Callable

import structlog

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.egress import Egress
from sluicegate_consumer.operations.egress_guard import EgressGuard, Refusal, install
from sluicegate_consumer.operations.egress_survey import survey
from sluicegate_consumer.operations.settings import Settings

SAID_AGAIN_S = 60.0
"""A library that is refused tries again, perhaps many times a second: each is counted, and one a minute written."""
MOST_REMEMBERED = 1000

log = structlog.get_logger()


async def guard_egress(settings: Settings, count: Callable[[], None]) -> None:
    """From now on refuse every connection that no setting asks for, and a configuration that leads outside at once.

    A name that does not resolve yet is no reason not to start: its addresses are judged when they are connected to.

    Args:
        settings: Name what may be reached.
        count: Called for each refusal.

    Raises:
        ConfigurationError: a setting names a public address that `egress.allowed_hosts` does not.
    """
    egress, enforce = Egress.of(settings, os.environ), settings.egress.enforce
    install(EgressGuard(egress, refusals_to(count), enforce=enforce))
    found = await survey(egress)
    if (refused := [str(each) for each in found if each.refused]) and enforce:
        raise ConfigurationError("\n".join(refused))
    for message in refused:
        log.warning("destination_outside", destination=message)
    for each in found:
        if each.verdict is None:
            log.warning("destination_unresolved", destination=str(each))
    log.info("egress_guarded", may_reach=str(egress), enforced=enforce)


def refusals_to(count: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> Callable[[Refusal], None]:
    """A report of refusals: each is counted, and logged unless the same was just said."""
    said: dict[tuple[str, int | None], float] = {}

    def report(refusal: Refusal) -> None:
        count()
        what, now = (refusal.host, refusal.port), clock()
        if now - said.get(what, -SAID_AGAIN_S) < SAID_AGAIN_S:
            return
        if len(said) >= MOST_REMEMBERED:
            said.clear()
        said[what] = now
        log.error("egress_refused", call=refusal.event, host=refusal.host, port=refusal.port, why=refusal.why)

    return report
