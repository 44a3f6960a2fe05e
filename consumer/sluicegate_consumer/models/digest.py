"""What pins a model: SHA-256 over the files that determine its scores."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

CHUNK_BYTES = 1024 * 1024


def file_digest(path: Path) -> str:
    """`sha256:` and the hexadecimal digest of one file, as `sha256sum` prints it."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def files_digest(files: Iterable[Path]) -> str:
    """`sha256:` and the digest of several files of one directory.

    Over each file in the order of the names: name, NUL, size in 8 bytes big-endian, contents. Sizes keep the
    boundaries between files apart. Symbolic links (a hub snapshot is made of them) count as what they point
    to; where the directory lies, times and permissions do not count, so that every machine gets the same
    digest.
    """
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.name):
        digest.update(path.name.encode() + b"\0" + path.stat().st_size.to_bytes(8))
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
