"""Refuses every connection and look-up of Python's that no setting asks for.

An audit hook (PEP 578) sees each `socket.connect`, `sendto`, `sendmsg` and name look-up of this process, whatever
library makes it, also under asyncio. It can be installed and never removed. Native code that makes system calls of its
own it does not see: object stores have an allow-list in their client, and around all of it stands the NetworkPolicy.

Names are looked up anew by whoever connects, since pods move: so the answers that this process gets are kept, and a
connection must go to an address that a configured name was resolved to a moment ago.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sluicegate_consumer.operations.addresses import plain_address
from sluicegate_consumer.operations.egress import Egress, EgressRefused, host_name

REMEMBERED_S = 600.0
"""How long an address stays its name's after the last look-up that gave it. A name may have more addresses than one
answer holds, so what an earlier answer held still counts."""

Resolve = Callable[..., list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that was not let through."""

    event: str
    """As Python's audit events are called: `socket.connect`, ..."""
    host: str
    """Name or address, never more of a URI."""
    port: int | None
    why: str

    def __str__(self) -> str:
        where = self.host if self.port is None else f"{self.host} port {self.port}"
        return f"egress refused: {where}: {self.why}"


class EgressGuard:
    """What may be reached, as far as this process knows by now. Called by any thread.

    Args:
        egress: What the settings name.
        report: Told of each refusal before it is raised; must neither wait nor raise.
        enforce: False: refusals are reported, and what is refused goes on.
        clock: Seconds since any moment.
    """

    def __init__(
        self,
        egress: Egress,
        report: Callable[[Refusal], None],
        *,
        enforce: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._egress = egress
        self._report = report
        self._enforce = enforce
        self._clock = clock
        self._own_names = {"localhost", socket.gethostname().lower()}
        self._seen: dict[tuple[str, str], float] = {}
        """Address and the name that was resolved to it, to when."""
        self._lock = threading.Lock()

    def admit_brokers(self, brokers: Iterable[tuple[str, int]]) -> None:
        """A Kafka cluster says that its brokers are there."""
        with self._lock:
            self._egress = self._egress.including(brokers)

    def resolved(self, host: str, addresses: Iterable[str]) -> None:
        """A name was looked up, with these answers."""
        now = self._clock()
        with self._lock:
            self._seen |= {(plain, host_name(host)): now for each in addresses if (plain := plain_address(each))}
            self._seen = {key: at for key, at in self._seen.items() if now - at < REMEMBERED_S}

    def check_look_up(self, event: str, host: object) -> None:
        """Before a name is asked for.

        Raises:
            EgressRefused: no setting names it.
        """
        name = host_name(_text(host))
        if not name or plain_address(name) or name in self._own_names or self._egress.may_look_up(name):
            return
        self._refuse(event, name, None, f"no setting names it; what may be reached: {self._egress}")

    def check_connection(self, event: str, family: int, address: Any, resolve: Resolve) -> None:
        """Before something is sent to an address.

        Raises:
            EgressRefused: it is not part of what the settings name.
        """
        if family == socket.AF_UNIX or address is None:
            return  # stays on this machine; or was checked when it was connected
        if family not in {socket.AF_INET, socket.AF_INET6}:
            self._refuse(event, f"address family {family}", None, "only IP and local sockets are used here")
            return
        host, port = str(address[0]), int(address[1])
        if (plain := plain_address(host)) is not None:
            self._check_address(event, plain, port)
            return
        # A name: the socket itself would resolve it, past everybody's eyes.
        self.check_look_up(event, host)
        for answer in resolve(host, port, family):
            self._check_address(event, str(plain_address(answer[4][0])), port)

    def _check_address(self, event: str, address: str, port: int) -> None:
        since = self._clock() - REMEMBERED_S
        with self._lock:
            names = {name for (seen, name), at in self._seen.items() if seen == address and at > since}
        if (why := self._egress.why_refused(address, port, {address, *names})) is not None:
            self._refuse(event, address, port, why)

    def _refuse(self, event: str, host: str, port: int | None, why: str) -> None:
        refusal = Refusal(event, host, port, why)
        self._report(refusal)
        if self._enforce:
            raise EgressRefused(str(refusal))


_installed: list[EgressGuard] = []
"""At most one, as the hook is the whole process's."""


def install(guard: EgressGuard) -> None:
    """Let a guard look at every connection of this process, until it ends.

    Raises:
        RuntimeError: there is one already.
    """
    if _installed:
        raise RuntimeError("the egress guard of this process is already installed")
    _installed.append(guard)
    resolve = _remembering(guard, socket.getaddrinfo)

    def connection(event: str, arguments: tuple[Any, ...]) -> None:
        guard.check_connection(event, arguments[0].family, arguments[1], resolve)

    def look_up(event: str, arguments: tuple[Any, ...]) -> None:
        guard.check_look_up(event, arguments[0])

    def reverse_look_up(event: str, arguments: tuple[Any, ...]) -> None:
        guard.check_look_up(event, arguments[0][0])

    checks = {
        "socket.connect": connection,
        "socket.sendto": connection,
        "socket.sendmsg": connection,
        "socket.getaddrinfo": look_up,
        "socket.gethostbyname": look_up,
        "socket.gethostbyaddr": look_up,
        "socket.getnameinfo": reverse_look_up,
    }
    find = checks.get

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        # Called for every import, every opened file, every id(): what follows is for few of them.
        if (check := find(event)) is not None:
            check(event, arguments)

    sys.addaudithook(hook)
    socket.getaddrinfo = resolve  # asyncio and all the libraries find it under this name


def admit_brokers(brokers: Iterable[tuple[str, int]]) -> None:
    """Tell this process's guard, if there is one, where a Kafka cluster says that its brokers are."""
    for guard in _installed:
        guard.admit_brokers(brokers)


def _text(host: object) -> str:
    """A host as the socket module takes it: text, bytes or None."""
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _remembering(guard: EgressGuard, look_up: Resolve) -> Resolve:
    """`socket.getaddrinfo`, its answers told to the guard: an audit event comes before there are any."""

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> list[tuple[Any, ...]]:
        answers = look_up(host, *arguments, **named)
        if host:
            guard.resolved(_text(host), (str(answer[4][0]) for answer in answers))
        return answers

    return getaddrinfo
