"""`file://`: only regular files, only below the configured roots, whatever links point where."""

import asyncio
import errno
import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sluicegate_consumer.errors import Transient
from sluicegate_consumer.images.store import missing, refused, require_size

FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
"""Not blocking: opening a named pipe would otherwise wait for a writer, for ever."""
LEAST_READ = 64 * 1024
NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}


class FileStore:
    """Reads files, off the event loop, in threads of its own: on a mount that hangs it hangs alone.

    Args:
        roots: Directories below which files may be read.
        threads: Files that are read at the same time.
    """

    def __init__(self, roots: Iterable[Path], threads: int) -> None:
        self._roots = tuple(root.resolve() for root in roots)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="files")

    async def read(self, uri: str, max_bytes: int) -> bytes:
        """See `Store`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, uri, max_bytes)

    async def close(self) -> None:
        """Give the threads back; one that hangs is left to the end of the process."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, uri: str, max_bytes: int) -> bytes:
        parts = urlsplit(uri)
        path = unquote(parts.path)
        if parts.netloc not in {"", "localhost"} or "\0" in path:
            raise refused("a file:// URI has no host, and names one file")
        try:
            # os.path, not pathlib: of a loop of links its errors differ between versions of Python.
            resolved = os.path.realpath(path, strict=True)
            self._require_below(resolved)
            handle = os.open(resolved, FLAGS)
        except OSError as error:
            self._require_below(os.path.realpath(path))
            if error.errno in NOTHING_THERE:
                raise missing(uri) from error
            raise Transient(f"file cannot be opened: {error.strerror}") from error
        try:
            return self._read_open(handle, max_bytes)
        except OSError as error:
            raise Transient(f"file cannot be read: {error.strerror}") from error
        finally:
            os.close(handle)

    def _read_open(self, handle: int, max_bytes: int) -> bytes:
        # Looked at again through the handle: between resolving and opening, somebody may have put a link there.
        self._require_below(str(Path(f"/proc/self/fd/{handle}").readlink()))
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise refused("not a regular file")
        require_size(facts.st_size, max_bytes)
        # Asked for at its own size, and not at the most allowed: that much memory would be set up for each image. A
        # size is no promise, files grow and those of /proc have none, so it is read to its end.
        parts, size = list[bytes](), 0
        while part := os.read(handle, max(facts.st_size - size, LEAST_READ)):
            size += len(part)
            require_size(size, max_bytes)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _require_below(self, path: str) -> None:
        if not any(Path(path).is_relative_to(root) for root in self._roots):
            raise refused("outside fetch.file_roots")
