"""Where an IP address lies. Pure, and by a list of our own: what `ipaddress` calls global differs between releases."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

INSIDE = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",  # loopback, RFC 1122
            "10.0.0.0/8",  # private, RFC 1918
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",  # shared by carriers and overlay networks, RFC 6598
            "169.254.0.0/16",  # link-local, RFC 3927
            "::1/128",  # loopback, RFC 4291
            "fc00::/7",  # unique local, RFC 4193
            "fe80::/10",  # link-local, RFC 4291
        ),
    )
)
"""All that is not the public internet. What is not listed is outside."""

METADATA = ("169.254.169.254", "169.254.170.2", "169.254.170.23")
"""Link-local services that give a machine or container its credentials: EC2, GCE and Azure; ECS; EKS."""
METADATA_IPV6 = ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254")
"""The same of EC2, EKS and GCE over IPv6, where they are unique local addresses."""

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - connected to, not listened on
"""A connection to the unspecified address arrives at this machine."""


def plain_address(text: str) -> str | None:
    """An address in the one form in which two can be compared; None where the text is none.

    An IPv4 address inside an IPv6 one counts as itself, a zone is left out.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return None
    plain = str(getattr(address, "ipv4_mapped", None) or address)
    return LOOPBACK.get(plain, plain)


def is_public(address: str) -> bool:
    """Whether an address lies on the public internet: outside all of `INSIDE`.

    Raises:
        ValueError: the text is no address.
    """
    plain = plain_address(address)
    if plain is None:
        raise ValueError(f"not an IP address: {address!r}")
    ip = ip_address(plain)
    return not any(ip in network for network in INSIDE)
