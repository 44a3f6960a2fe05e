"""Whether what the settings name lies inside the allowed network: no address on the public internet.

A broker or a language model at a public address would be sent images: a problem. An image store at a public
address is only read from, but it learns what is looked at: a warning.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from sluicegate_consumer.commands.checks.finding import Level, Said
from sluicegate_consumer.operations.settings import Settings

CLOUD_STORES = {"s3": "aws_endpoint", "gs": "google_base_url", "az": "azure_storage_endpoint"}
"""Scheme of a store to the option without which its provider's public endpoint is asked."""


class Endpoint(NamedTuple):
    """A host that a setting names."""

    key: str
    host: str
    outside: Level
    """What it means when its address is public."""


async def check_network(settings: Settings) -> AsyncIterator[Said]:
    """Resolve every host that the settings name."""
    for endpoint in endpoints(settings):
        yield await judge_host(endpoint)
    for scheme in sorted(_unplaced_stores(settings)):
        option = CLOUD_STORES[scheme]
        where = f"fetch.allowed_uri_prefixes: {scheme}:// without fetch.store_options.{option}"
        yield Level.WARNING, f"{where}: its provider's public endpoint is asked"


async def judge_host(endpoint: Endpoint) -> Said:
    """Where the host's addresses lie."""
    where = f"{endpoint.key}: {endpoint.host}"
    try:
        addresses = await _addresses(endpoint.host)
    except (OSError, UnicodeError) as error:
        return Level.PROBLEM, f"{where}: does not resolve: {error}"
    public = sorted(address for address in addresses if is_public(address))
    if public:
        return endpoint.outside, f"{where}: public address {', '.join(public)}: outside the allowed network"
    return Level.OK, f"{where}: {', '.join(sorted(addresses))}"


def endpoints(settings: Settings) -> Iterator[Endpoint]:
    """Every host that the settings name, once for each setting."""
    brokers = (broker.strip() for broker in settings.kafka.bootstrap_servers.split(","))
    yield from _of("kafka.bootstrap_servers", (f"//{broker}" for broker in brokers), Level.PROBLEM)
    yield from _of("ollama.urls", map(str, settings.ollama.urls), Level.PROBLEM)
    prefixes = (prefix for prefix in settings.fetch.allowed_uri_prefixes if prefix.startswith("http"))
    yield from _of("fetch.allowed_uri_prefixes", prefixes, Level.WARNING)
    options = settings.fetch.store_options.items()
    for name, value in options:
        if "://" in value:
            yield from _of(f"fetch.store_options.{name}", [value], Level.WARNING)


def is_public(address: str) -> bool:
    """Whether an address lies on the public internet: it is not loopback, private, link-local or shared.

    Shared is 100.64.0.0/10 (RFC 6598), which carriers and overlay networks use. An IPv4 address in an IPv6
    one counts as itself.
    """
    ip: IPv4Address | IPv6Address = ip_address(address.split("%", maxsplit=1)[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global


def _of(key: str, urls: Iterable[str], outside: Level) -> Iterator[Endpoint]:
    hosts = dict.fromkeys(urlsplit(url).hostname for url in urls)
    yield from (Endpoint(key, host, outside) for host in hosts if host)


def _unplaced_stores(settings: Settings) -> set[str]:
    schemes = {prefix.split("://")[0] for prefix in settings.fetch.allowed_uri_prefixes}
    given = {name.lower() for name in settings.fetch.store_options}
    return {scheme for scheme in schemes & CLOUD_STORES.keys() if CLOUD_STORES[scheme] not in given}


async def _addresses(host: str) -> set[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return {str(address[0]) for *_, address in found}
