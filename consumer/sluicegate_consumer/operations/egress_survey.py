"""Every destination resolved once, and judged: at start, and by `sluicegate check`."""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from sluicegate_consumer.operations.addresses import plain_address
from sluicegate_consumer.operations.egress import REFUSED, Destination, Egress, Verdict

LOOK_UP_S = 5.0
"""A resolver that takes longer is away; what it would answer is judged when it is connected to."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A destination and where it lies."""

    destination: Destination
    addresses: tuple[str, ...] = ()
    """None for a domain, and where the name does not resolve."""
    verdict: Verdict | None = None
    """The worst of all addresses; None: the name does not resolve."""
    trouble: str = ""
    """Why it does not resolve."""

    @property
    def refused(self) -> bool:
        """Whether a service would not start for it."""
        return self.verdict in REFUSED

    def __str__(self) -> str:
        host = self.destination.host
        where = f"{self.destination.key}: {self.destination}"
        addresses = ", ".join(self.addresses)
        match self.verdict:
            case None:
                return f"{where}: does not resolve: {self.trouble}"
            case Verdict.PUBLIC:
                found = f"public address {addresses}" if addresses else "public"
                mend = f"name a host inside, or add {host} to egress.allowed_hosts if it may be reached"
                return f"{where}: {found}: outside the allowed network: {mend}"
            case Verdict.METADATA:
                return f"{where}: {addresses} gives out this machine's credentials: name another host"
            case Verdict.ALLOWED:
                return f"{where}: {addresses or 'public'}: outside, as egress.allowed_hosts allows"
            case Verdict.INSIDE:
                return f"{where}: {addresses or 'link-local'}"


async def survey(egress: Egress) -> list[Surveyed]:
    """Look at all destinations at once; takes no longer than one of them may."""
    return await asyncio.gather(*(_surveyed(egress, each) for each in egress.destinations))


async def _surveyed(egress: Egress, destination: Destination) -> Surveyed:
    host = destination.host
    if destination.credentials:
        return Surveyed(destination, (host,) if plain_address(host) else (), Verdict.INSIDE)
    if host.startswith("."):
        return Surveyed(destination, (), egress.judge_domain(host))
    try:
        async with asyncio.timeout(LOOK_UP_S):
            addresses = await _addresses(host)
    except TimeoutError:
        return Surveyed(destination, trouble=f"no answer within {LOOK_UP_S:g} s")
    except (OSError, UnicodeError) as error:
        return Surveyed(destination, trouble=str(error))
    return Surveyed(destination, addresses, _worst(egress.judge(host, each) for each in addresses))


async def _addresses(host: str) -> tuple[str, ...]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(sorted({plain for *_, address in found if (plain := plain_address(str(address[0])))}))


def _worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    return max(verdicts, key=list(Verdict).index, default=None)
