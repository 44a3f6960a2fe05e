"""Runs a command where there is the loopback interface and no way out: `python tests/isolated.py COMMAND ...`.

In a network namespace of its own whatever reaches for another machine fails, in Python and in native code alike.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

INSIDE = "--inside"
"""Says to this program that it is there already."""
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1  # linux/sockios.h, linux/if.h
SOMEWHERE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737): where it would be tried, nobody would answer."""


def enter(command: list[str]) -> int:
    """Run this program again in a namespace of its own; the exit code of `command`, or 1 where there can be none."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return _impossible("there is no unshare: it comes with util-linux")
    # Root may make the namespace as it is; anybody else as the root of a user namespace.
    options = ["--net"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--net"]
    probe = subprocess.run([unshare, *options, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        return _impossible(probe.stderr.strip())
    inside = [unshare, *options, sys.executable, __file__, INSIDE, *command]
    return subprocess.run(inside, check=False).returncode


def run(command: list[str]) -> int:
    """Make sure of where we are, then run the command."""
    _raise_loopback()
    interfaces = [name for _, name in socket.if_nameindex()]
    reached = _is_reached()
    if interfaces != ["lo"] or reached:
        return _impossible(f"interfaces {interfaces}, {SOMEWHERE[0]} {'has' if reached else 'has no'} route")
    sys.stderr.write("isolated: the loopback interface is all there is\n")
    return subprocess.run(command, check=False).returncode


def _raise_loopback() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _is_reached() -> bool:
    """Whether there is a route; connecting a datagram socket sends nothing."""
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        return datagrams.connect_ex(SOMEWHERE) == 0


def _impossible(why: str) -> int:
    sys.stderr.write(
        f"cannot isolate: {why}\nIt takes root (CAP_SYS_ADMIN), or user namespaces for everybody: "
        "sysctl kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0.\n"
    )
    return 1


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit(f"usage: {Path(__file__).name} COMMAND [ARGUMENT ...]")
    sys.exit(run(arguments[1:]) if arguments[0] == INSIDE else enter(arguments))
