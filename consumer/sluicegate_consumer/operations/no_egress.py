"""For a process that needs no connection at all."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

CALLS = ("connect", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")


def refuse_all(end: Callable[[str], NoReturn]) -> None:
    """Call `end` with the audit event's name when this process asks for a connection or looks a name up."""
    refused = {f"socket.{call}" for call in CALLS}

    def hook(event: str, _arguments: tuple[Any, ...]) -> None:
        if event in refused:
            end(event)

    sys.addaudithook(hook)
