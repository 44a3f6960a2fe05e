"""Uploads that no service can judge, one of each kind, and how each must end."""

import hashlib
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

from load import DEAD_LETTER, Upload, headers, picture

MAX_BYTES = 200_000
"""`fetch.max_bytes` where these are played."""
BOMB_SIDE = 30_000
"""Pixels: 900 million, in a file of some hundred kilobytes."""


def every_kind(root: Path) -> list[Upload]:
    """Records that are none, records without a value, and images that are not there, not those, or too much.

    Args:
        root: Where images lie that are given by reference; one of `fetch.file_roots`.
    """
    return [
        _record("bad-json", b'{"upload_id": '),
        _record("bytes", bytes(range(256))),
        _record("null", None),
        _record("empty-object", b"{}"),
        _inline("truncated", picture(1)[:40]),
        _inline("bomb", bomb()),
        _inline("no-image", b"<html>not found</html>"),
        reference("poison-missing", root, None),
        reference("poison-mismatch", root, picture(2), sha256="0" * 64),
        reference("poison-oversize", root, picture(3) + bytes(MAX_BYTES)),
        reference("poison-outside", root.parent, picture(4)),
    ]


def poison(number: int, size: int = 10) -> Upload:
    """A record that is no JSON, of some size."""
    return Upload(f"poison-{number:06}", b"{" + b"x" * size, (("x-number", b"%d" % number),), DEAD_LETTER, tiers=0)


def bomb() -> bytes:
    """A PNG of one bit a pixel, all of them black: small as a file, and as pixels more than any image may have."""
    row = bytes(1 + BOMB_SIDE // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(BOMB_SIDE)) + packer.flush()
    side = BOMB_SIDE.to_bytes(4, "big")
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", side + side + bytes([1, 0, 0, 0, 0]))
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    """PNG specification, 5.3: length, type, data, CRC of both."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _record(kind: str, value: bytes | None) -> Upload:
    return Upload(f"poison-{kind}", value, (("x-kind", kind.encode()),), DEAD_LETTER, tiers=0)


def _inline(kind: str, data: bytes) -> Upload:
    upload_id = f"poison-{kind}"
    return Upload(upload_id, data, headers(upload_id, b"image/png"), "unprocessable")


def reference(
    upload_id: str, root: Path, data: bytes | None, state: str = "unprocessable", sha256: str | None = None
) -> Upload:
    """An upload whose image lies, or should lie, in a file below `root`."""
    path = root / upload_id
    if data is not None:
        path.write_bytes(data)
    event = {
        "upload_id": upload_id,
        "uploaded_at": datetime.now(UTC).isoformat(),
        "image": {"uri": path.as_uri(), "sha256": sha256 or hashlib.sha256(data or b"").hexdigest()},
    }
    return Upload(upload_id, json.dumps(event).encode(), headers(upload_id, b"application/json"), state)
