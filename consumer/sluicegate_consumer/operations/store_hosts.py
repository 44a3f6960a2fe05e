"""Which hosts the client of an object store may speak to. Pure."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from sluicegate_consumer.operations.addresses import METADATA

PROVIDERS = {
    "s3": (".amazonaws.com", ".amazonaws.com.cn"),
    "gs": (".googleapis.com",),
    "az": (".core.windows.net", ".microsoftonline.com"),
}
"""Where each kind of store and its identity service live, unless the options say otherwise: on the public internet."""
METADATA_HOSTS = {"gs": ("metadata.google.internal",)}
"""Names of the services in `METADATA`, where a client asks by name."""
PREFIXES = {"s3": "aws_", "gs": "google_", "az": "azure_"}
"""What the options of one provider alone begin with, in its configuration and in the environment."""


def store_endpoints(scheme: str, options: Mapping[str, str]) -> dict[str, str]:
    """Option to URL, for each option or variable of the environment that sends this store's client somewhere."""
    named = (PREFIXES[scheme], "endpoint")
    return {
        name: value for name, value in options.items() if name.lower().startswith(named) and urlsplit(value).hostname
    }


def provider_hosts(scheme: str, allowed_hosts: Iterable[str]) -> tuple[str, ...]:
    """Those of `egress.allowed_hosts` that belong to the store's provider."""
    domains = PROVIDERS[scheme]
    return tuple(host for host in allowed_hosts if f".{host.lstrip('.')}".endswith(domains))


def credential_hosts(scheme: str) -> tuple[str, ...]:
    """Where the store's client asks for the credentials of its machine or container."""
    return (*METADATA_HOSTS.get(scheme, ()), *METADATA)


def is_placed(endpoints: Iterable[str]) -> bool:
    """Whether one of these options says where the store itself is: others say where its client gets credentials."""
    return any("endpoint" in name.lower() or "base_url" in name.lower() for name in endpoints)


def own_hosts(scheme: str, options: Mapping[str, str], allowed_hosts: Iterable[str]) -> tuple[str, ...]:
    """The hosts that a store's client may speak to, all others being refused.

    Its endpoints; its provider's, as far as `egress.allowed_hosts` names them, where none is configured; and the
    services that give it its credentials.
    """
    endpoints = store_endpoints(scheme, options)
    hosts = tuple(str(urlsplit(url).hostname) for url in endpoints.values())
    provider = () if is_placed(endpoints) else provider_hosts(scheme, allowed_hosts)
    return (*hosts, *provider, *credential_hosts(scheme))
