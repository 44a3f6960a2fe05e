"""What can be in a list of Kafka's brokers. The client itself fails on anything else, in the midst of connecting."""

import re
from ipaddress import AddressValueError, IPv6Address

from pydantic_core import PydanticCustomError

_BROKER = re.compile(r"(\[(?P<v6>[^\[\]]+)\]|(?P<name>[^\s:/@?#\[\]]+))(:(?P<port>[0-9]{1,5}))?")
_RIGHT = "write each as host:port, for example broker-1:9092,[fd00::7]:9092; without a port it is 9092"
_MOST_PORT = 65535


def require_brokers(text: str) -> str:
    """The same text, if it is brokers separated by commas.

    Raises:
        PydanticCustomError: one of them is none; the message says which by its place, since the whole is shown anyway.
    """
    brokers = text.split(",")
    for place, broker in enumerate(brokers, start=1):
        if why := _fault(broker.strip()):
            which = f"broker {place} of {len(brokers)} " if len(brokers) > 1 else ""
            raise PydanticCustomError("broker", "{fault}", {"fault": f"{which}{why}: {_RIGHT}"})
    return text


def _fault(broker: str) -> str | None:
    if not broker:
        return "is empty"
    found = _BROKER.fullmatch(broker)
    if found is None:
        return "is neither host nor host:port"
    if found["port"] is not None and not 0 < int(found["port"]) <= _MOST_PORT:
        return f"has a port that is not between 1 and {_MOST_PORT}"
    if found["v6"] is not None:
        return None if _is_v6(found["v6"]) else "has in its brackets no IPv6 address"
    return None if _is_name(found["name"]) else "has a host that is no name: its parts have 1 to 63 characters each"


def _is_v6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    try:
        text.encode("idna")  # as the system's look-up does, which raises what no client expects
    except UnicodeError:
        return False
    return True
