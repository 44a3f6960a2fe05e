"""What this process may reach, drawn from the settings, and whether one address is part of it. Pure."""

import errno
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.addresses import METADATA, METADATA_IPV6, is_public, plain_address
from sluicegate_consumer.operations.redaction import mask_text
from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.operations.store_hosts import (
    PROVIDERS,
    credential_hosts,
    is_placed,
    provider_hosts,
    store_endpoints,
)

DEFAULT_PORTS = {"http": 80, "https": 443}
KAFKA_PORT = 9092
MOST_NAMED = 12
"""Destinations in a message."""
ADVERTISED = "advertised listener"
"""Of a broker: what stands for the setting where none names a destination, but the Kafka cluster."""


class Enforcement(StrEnum):
    """What refuses everything else, on the way that a destination is reached by."""

    AUDIT_HOOK = "audit hook"
    """Sockets of Python: every connection is looked at."""
    ALLOW_LIST = "allow-list"
    """A client in native code, which is given the hosts that it may speak to; the audit hook does not see it."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Somewhere that the settings send this process."""

    host: str
    """A name or an address, lower case; one that begins with a dot is every host below it."""
    port: int | None
    """None: any."""
    key: str
    """The setting that names it."""
    purpose: str
    enforcement: Enforcement = Enforcement.AUDIT_HOOK
    credentials: bool = False
    """Whether it is a link-local service that gives this machine its credentials."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


class Verdict(StrEnum):
    """On one address of a destination; from good to bad."""

    INSIDE = "inside"
    ALLOWED = "public, allowed by egress.allowed_hosts"
    PUBLIC = "refused: public, and not in egress.allowed_hosts"
    METADATA = "refused: gives out this machine's credentials"


GIVE_CREDENTIALS = {*METADATA, *METADATA_IPV6}
REFUSED = {Verdict.PUBLIC, Verdict.METADATA}


class EgressRefused(PermissionError):  # noqa: N818 - reads as what happened
    """A connection or a look-up that no setting asks for.

    An OSError, so that a library takes it for what it knows: a connection that cannot be had.
    """

    def __init__(self, message: str) -> None:
        super().__init__(errno.EACCES, message)


@dataclass(frozen=True, slots=True)
class Egress:
    """All that may be reached."""

    destinations: tuple[Destination, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that may have public addresses."""

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str]) -> Self:
        """What the settings and, for the object stores, the environment name.

        Raises:
            ConfigurationError: an entry of `egress.allowed_hosts` is no host.
        """
        allowed = tuple(map(_allowed_host, settings.egress.allowed_hosts))
        return cls(tuple(_destinations(settings, environment, allowed)), allowed)

    def including(self, brokers: Iterable[tuple[str, int]]) -> "Egress":
        """The same and these brokers, which a Kafka cluster has named."""
        known = {(each.host, each.port) for each in self.destinations}
        found = {(host_name(host), port) for host, port in brokers} - known
        more = (Destination(host, port, ADVERTISED, "as advertised by the cluster") for host, port in sorted(found))
        return replace(self, destinations=(*self.destinations, *more)) if found else self

    def may_look_up(self, host: str) -> bool:
        """Whether a name may be asked for: names carry data outside, too."""
        return any(each.host == host for each in self.hooked())

    def judge(self, host: str, address: str) -> Verdict:
        """One address of a host that a setting names."""
        allowed = _is_listed(host, self.allowed_hosts)
        if address in GIVE_CREDENTIALS and not allowed:
            return Verdict.METADATA
        if not is_public(address):
            return Verdict.INSIDE
        return Verdict.ALLOWED if allowed else Verdict.PUBLIC

    def judge_domain(self, domain: str) -> Verdict:
        """All hosts below a domain, of which nobody knows the addresses."""
        return Verdict.ALLOWED if _is_listed(domain, self.allowed_hosts) else Verdict.PUBLIC

    def why_refused(self, address: str, port: int, hosts: Collection[str]) -> str | None:
        """Why this process may not connect to an address; None where it may.

        Args:
            address: in its plain form.
            port: 0 to 65535.
            hosts: names that were resolved to it, and itself.
        """
        named = [each.host for each in self.hooked() if each.host in hosts and each.port in (None, port)]
        if not named:
            return f"no setting names it; what may be reached: {self}"
        verdicts = {host: self.judge(host, address) for host in named}
        if not REFUSED.issuperset(verdicts.values()):
            return None
        host, verdict = next(iter(verdicts.items()))
        if verdict is Verdict.METADATA:
            return f"{host} resolves to it, and it gives out this machine's credentials"
        return f"a public address of {host}: add {host} to egress.allowed_hosts if images may go there"

    def hooked(self) -> Iterator[Destination]:
        """Those that are reached by Python's sockets."""
        return (each for each in self.destinations if each.enforcement is Enforcement.AUDIT_HOOK)

    def __str__(self) -> str:
        named = list(dict.fromkeys(map(str, self.hooked())))
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        return ", ".join(named[:MOST_NAMED]) + more or "nothing"


def host_name(text: str) -> str:
    """A host in the one form in which two can be compared: ASCII, lower case, an address as `plain_address` has it."""
    host = text.strip("[]").rstrip(".")
    with suppress(UnicodeError):  # it will not resolve either
        host = host if host.isascii() else host.encode("idna").decode()
    return plain_address(host) or host.lower()


def _is_listed(host: str, allowed: Iterable[str]) -> bool:
    return any(host.endswith(each) if each.startswith(".") else host == each for each in allowed)


def _allowed_host(text: str) -> str:
    host = host_name(text)
    if not host.strip(".") or any(mark in host for mark in "/@*? ") or (":" in host and plain_address(host) is None):
        raise ConfigurationError(
            f"egress.allowed_hosts: {text!r} is no host: must be a name or an address without scheme and port, "
            "for example media.example.org, or .example.org for all hosts below"
        )
    return host


def _destinations(
    settings: Settings, environment: Mapping[str, str], allowed: tuple[str, ...]
) -> Iterator[Destination]:
    for broker in settings.kafka.bootstrap_servers.split(","):
        yield from _at(f"//{broker.strip()}", "kafka.bootstrap_servers", "events, inline images in them", KAFKA_PORT)
    for url in settings.ollama.urls:
        yield from _at(str(url), "ollama.urls", "images of the second tier")
    if collector := settings.observability.otlp_endpoint:
        yield from _at(str(collector), "observability.otlp_endpoint", "traces: counts and places, nothing of an upload")
    # In lower case, as whoever fetches from them has it: `S3://` names a store, too.
    schemes = {prefix: prefix.partition("://")[0].lower() for prefix in settings.fetch.allowed_uri_prefixes}
    for prefix, scheme in schemes.items():
        if scheme in DEFAULT_PORTS:
            yield from _at(prefix, "fetch.allowed_uri_prefixes", "images are read from it")
    for scheme in sorted(set(schemes.values()) & PROVIDERS.keys()):
        yield from _store(scheme, {**environment, **settings.fetch.store_options}, allowed)


def _store(scheme: str, options: Mapping[str, str], allowed: tuple[str, ...]) -> Iterator[Destination]:
    native = Enforcement.ALLOW_LIST
    endpoints = store_endpoints(scheme, options)
    for name, url in endpoints.items():
        for each in _at(url, f"fetch.store_options.{name.lower()}", f"images are read from {scheme}://"):
            yield replace(each, enforcement=native, credentials=each.host in GIVE_CREDENTIALS)
    if not is_placed(endpoints):
        key = f"fetch.allowed_uri_prefixes: {scheme}:// without an endpoint in fetch.store_options"
        for host in provider_hosts(scheme, allowed) or PROVIDERS[scheme][:1]:
            yield Destination(host, None, key, "its provider's public endpoint", native)
    for host in credential_hosts(scheme):
        purpose = f"credentials of the machine or container, for {scheme}://"
        yield Destination(host, 80, "fetch.allowed_uri_prefixes", purpose, native, credentials=True)


def _at(url: str, key: str, purpose: str, port: int | None = None) -> Iterator[Destination]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError as error:
        raise ConfigurationError(f"{key}: {mask_text(url)!r}: {error}") from error
    if host:
        yield Destination(host_name(host), port, key, purpose)
