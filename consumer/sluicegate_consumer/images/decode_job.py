"""What parent and decoding process say to each other, over a stream socket.

A message is a header of JSON and a payload of bytes, each preceded by its length. JSON, and never pickle: what decodes
hostile bytes may have been taken over by them, and must not be able to make its parent do more than read a number.
Encoded images go the other way through an anonymous file: in one piece, where a socket would take many.
"""

import socket
import struct
from asyncio import StreamReader
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

from sluicegate_consumer.images.image import DecodeLimits, Rendition
from sluicegate_consumer.pixels import Geometry

LENGTHS = struct.Struct("!IQ")
LARGEST_HEADER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Setup:
    """What a decoding process is told once, at its start."""

    socket: int
    inbox: int
    """The anonymous file in which the present image lies, from its beginning."""
    arena: int
    slots: int
    geometry: Geometry
    limits: DecodeLimits

    def to_json(self) -> str:
        """As its one argument."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_json(cls, text: str) -> "Setup":
        """Back again."""
        fields = orjson.loads(text)
        fields["geometry"] = Geometry(**fields["geometry"])
        fields["limits"] = DecodeLimits(**fields["limits"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Job:
    """One image: decode it into slots, or render one frame of it."""

    kind: Literal["decode", "render"]
    size: int
    """Bytes of the image in the inbox."""
    slots: tuple[int, ...] = ()
    frame: int = 0
    rendition: Rendition | None = None

    def header(self) -> dict[str, Any]:
        """As it travels."""
        return {
            "kind": self.kind,
            "size": self.size,
            "slots": self.slots,
            "frame": self.frame,
            "rendition": None if self.rendition is None else asdict(self.rendition),
        }

    @classmethod
    def of(cls, header: dict[str, Any]) -> "Job":
        """Back again."""
        rendition = header["rendition"]
        return cls(
            header["kind"],
            header["size"],
            tuple(header["slots"]),
            header["frame"],
            Rendition(**rendition) if rendition else None,
        )


def packed(header: dict[str, Any], payload: bytes) -> bytes:
    """The beginning of a message; the payload follows, so that it need not be copied."""
    text = orjson.dumps(header)
    return LENGTHS.pack(len(text), len(payload)) + text


async def read_message(reader: StreamReader, largest_payload: int) -> tuple[dict[str, Any], bytes]:
    """The child's next message.

    Raises:
        IncompleteReadError: the child is gone.
        ValueError: it says what no healthy child says.
    """
    header_length, payload_length = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
    if header_length > LARGEST_HEADER or payload_length > largest_payload:
        raise ValueError(f"a message of {header_length} and {payload_length} bytes")
    header = orjson.loads(await reader.readexactly(header_length))
    if not isinstance(header, dict):
        raise TypeError("a header that is no object")
    return header, await reader.readexactly(payload_length)


def receive_job(connection: socket.socket) -> Job | None:
    """The parent's next job, in the child; None when the parent is gone."""
    lengths = _exactly(connection, LENGTHS.size)
    if lengths is None:
        return None
    header_length, _ = LENGTHS.unpack(lengths)
    header = _exactly(connection, header_length)
    return None if header is None else Job.of(orjson.loads(header))


def _exactly(connection: socket.socket, size: int) -> bytearray | None:
    buffer = bytearray(size)
    view, filled = memoryview(buffer), 0
    while filled < size:
        read = connection.recv_into(view[filled:])
        if read == 0:
            return None
        filled += read
    return buffer
