"""What this installation may reach, why, and what refuses the rest: for `sluicegate check --privacy`.

Nothing is asked anything before every destination is known to be inside: a server that must not be reached is not
reached by this either.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from sluicegate_consumer.delivery.kafka_admin import kafka_admin
from sluicegate_consumer.errors import ConfigurationError, SluicegateError
from sluicegate_consumer.operations.egress import Egress, Enforcement
from sluicegate_consumer.operations.egress_survey import Surveyed, survey
from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.operations.telemetry import BANISHED, SWITCHES

OFFLINE = {"HF_HUB_OFFLINE": "1"}
"""What `models.offline` sets beside `SWITCHES`, for serving."""
IS_REFUSED = "refused"
NOT_KNOWN = "not known"


class Standing(StrEnum):
    """What is to be said of a destination, for programs."""

    FINE = "fine"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reach:
    """One line of the table."""

    destination: str
    addresses: tuple[str, ...]
    why: str
    enforced_by: str
    verdict: str
    standing: Standing = Standing.FINE


async def survey_reach(settings: Settings, timeout_s: float, *, asks_models: bool) -> list[Reach]:
    """All that may be reached; each server that is asked about it has `timeout_s` seconds.

    Args:
        settings: of the installation, or of one service.
        timeout_s: for each server.
        asks_models: whether what it is about asks language models; only then are these asked where they run.

    Raises:
        ConfigurationError: `egress.allowed_hosts` holds what is no host.
    """
    egress = Egress.of(settings, os.environ)
    found = await survey(egress)
    reach = [_of(each, settings) for each in found if not each.destination.credentials]
    reach += _credentials(egress)
    if not any(each.refused for each in found):
        reach += await _brokers(settings, egress, timeout_s)
        if asks_models:
            reach += [line async for line in _language_models(settings, timeout_s)]
    return [*reach, *_without_a_setting(settings)]


def silenced() -> dict[str, str]:
    """Variable or module, to what it is set to in every process of ours: no library reports to its maker."""
    return SWITCHES | OFFLINE | dict.fromkeys(BANISHED, "not importable")


def _of(found: Surveyed, settings: Settings) -> Reach:
    each = found.destination
    enforced = str(each.enforcement)
    if each.enforcement is Enforcement.AUDIT_HOOK and not settings.egress.enforce:
        enforced = "nothing: egress.enforce=false"
    if found.verdict is None:
        verdict, standing = f"{NOT_KNOWN}: does not resolve: {found.trouble}", Standing.UNKNOWN
    else:
        verdict, standing = str(found.verdict), Standing.REFUSED if found.refused else Standing.FINE
    return Reach(str(each), found.addresses, f"{each.key}: {each.purpose}", enforced, verdict, standing)


def _credentials(egress: Egress) -> Iterator[Reach]:
    """The link-local services, one line for each kind of store."""
    given = (each for each in egress.destinations if each.credentials)
    for purpose, each in groupby(given, key=attrgetter("purpose")):
        hosts = ", ".join(service.host for service in each)
        why = f"fetch.allowed_uri_prefixes: {purpose}"
        yield Reach(hosts, (), why, str(Enforcement.ALLOW_LIST), "inside: link-local; Python may not, nor by a name")


async def _brokers(settings: Settings, egress: Egress, timeout_s: float) -> list[Reach]:
    """What the cluster says of its brokers, which clients go on to."""
    try:
        async with asyncio.timeout(timeout_s), kafka_admin(settings.kafka) as admin:
            brokers = (await admin.describe_cluster())["brokers"]
    except (SluicegateError, TimeoutError) as error:
        verdict = f"{NOT_KNOWN}: {str(error) or f'no answer within {timeout_s:g} s'}"
        why = "advertised listener: what the cluster says of its brokers"
        return [Reach("the brokers", (), why, str(Enforcement.AUDIT_HOOK), verdict, Standing.UNKNOWN)]
    wide = egress.including((each["host"], each["port"]) for each in brokers)
    more = wide.destinations[len(egress.destinations) :]
    return [_of(each, settings) for each in await survey(Egress(more, egress.allowed_hosts))]


async def _language_models(settings: Settings, timeout_s: float) -> AsyncIterator[Reach]:
    """Whether each server of the second tier runs the model itself, or would send images on."""
    from sluicegate_consumer.second_opinion.client import OllamaServer  # noqa: PLC0415 - needs the extra `consumer`
    from sluicegate_consumer.second_opinion.failures import AskFailed  # noqa: PLC0415 - same
    from sluicegate_consumer.second_opinion.startup import check_model  # noqa: PLC0415 - same

    for url in settings.ollama.urls:
        verdict, standing = "inside: runs the model itself", Standing.FINE
        async with OllamaServer(str(url), settings.ollama) as server:
            try:
                async with asyncio.timeout(timeout_s):
                    await check_model(server, settings.ollama)
            except ConfigurationError as error:
                verdict, standing = f"{IS_REFUSED}: {error}", Standing.REFUSED
            except (AskFailed, TimeoutError) as error:
                verdict, standing = f"{NOT_KNOWN}: no answer: {error}", Standing.UNKNOWN
            why = f"ollama.model {settings.ollama.model}: would the server send images on?"
            yield Reach(f"beyond {server.name}", (), why, "refusal of models that run elsewhere", verdict, standing)


def _without_a_setting(settings: Settings) -> list[Reach]:
    """What there is beside: said, so that nobody need wonder."""
    hook = str(Enforcement.AUDIT_HOOK)
    watch = settings.observability
    lines = [
        Reach("name servers", (), "of this machine; asked for the names above", f"{hook}, for Python", "inside"),
        Reach("decoding processes", (), "read the bytes of users", f"{hook}, ends them", "reach nothing"),
        Reach("local sockets", (), "stay on this machine", "nothing", "inside"),
    ]
    if watch.endpoint_port:
        where = f"{watch.endpoint_host}:{watch.endpoint_port}"
        lines.append(Reach(where, (), "/metrics, /healthz, /readyz: answers only", hook, "listens, reaches nothing"))
    return lines
