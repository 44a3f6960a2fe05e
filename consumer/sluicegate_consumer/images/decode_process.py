"""One decoding process as its parent sees it: asked, killed, and started again."""

import asyncio
import os
import socket
import subprocess
import sys
from typing import Any

import structlog

from sluicegate_consumer.errors import Fatal, Unprocessable
from sluicegate_consumer.images.arena import FrameArena
from sluicegate_consumer.images.decode_job import Job, Setup, packed, read_message
from sluicegate_consumer.images.image import DecodeLimits
from sluicegate_consumer.operations.settings import MEBIBYTE
from sluicegate_consumer.pixels import Geometry
from sluicegate_schemas.events import Reason

START_TIMEOUT_S = 30.0
MOST_FAILED_STARTS = 3
LARGEST_ANSWER = 64 * MEBIBYTE
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 * MEBIBYTE), "MALLOC_TRIM_THRESHOLD_": str(128 * MEBIBYTE)}
"""What one image gives back, glibc's malloc keeps for the next one, instead of having the kernel zero new pages: all
but single allocations of more than 32 MiB, its highest, come from a heap of which up to 128 MiB may lie free. Measured
against the defaults: at 12 megapixels no page faults instead of 12,835, 54 ms instead of 62; in a mixture of sizes 15
ms instead of 20. Pillow's own PILLOW_BLOCKS_MAX resizes what it keeps: 10 ms instead of 8 at 2 megapixels."""
MODULE = "sluicegate_consumer.images.decode_worker"

log = structlog.get_logger()


class DecodeProcess:
    """Works on one image at a time. What ends it ends that image's decoding, and a new process takes the next one."""

    def __init__(self, geometry: Geometry, limits: DecodeLimits, arena: FrameArena, slots: int) -> None:
        self._geometry = geometry
        self._limits = limits
        self._arena = arena
        self._slots = slots
        self._inbox = os.memfd_create("sluicegate-encoded", os.MFD_CLOEXEC)
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False

    @property
    def pid(self) -> int | None:
        """Of the present process; None before its start and after its end."""
        return self._process.pid if self._process else None

    async def ask(self, job: Job, data: bytes) -> tuple[dict[str, Any], bytes]:
        """The process's answer.

        Raises:
            Unprocessable: it says so, or it did not survive the image, or did not finish in time.
            Fatal: no process can be started.
        """
        await self.start()
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                header, payload = await self._exchange(job, data)
        except TimeoutError:
            await self.end()
            raise Unprocessable(
                Reason.DECODE_TIMED_OUT, f"not decoded within decode.timeout_s={self._limits.timeout_s:g}"
            ) from None
        except (EOFError, OSError, ValueError, TypeError) as error:
            await self.end()
            log.warning("decoder_crashed", bytes=len(data), error=type(error).__name__)
            raise Unprocessable(Reason.DECODER_CRASHED, f"{len(data)} bytes ended the process that read them") from None
        except BaseException:
            self.kill()  # cancelled: what it would answer belongs to nobody
            raise
        if header.get("spent"):
            await self.end()
        if "reason" in header:
            raise Unprocessable(Reason(header["reason"]), str(header["message"]))
        return header, payload

    async def start(self) -> None:
        """Start a process unless one is running."""
        if self._ready and self._process is not None and self._process.poll() is None:
            return
        await self.end()
        for _ in range(MOST_FAILED_STARTS):
            try:
                async with asyncio.timeout(START_TIMEOUT_S):
                    await self._start()
            except (EOFError, OSError, TimeoutError, ValueError) as error:
                log.warning("decoder_did_not_start", error=repr(error))
                await self.end()
            else:
                return
        raise Fatal(f"no decoding process could be started, in {MOST_FAILED_STARTS} attempts")

    def kill(self) -> None:
        """End the process now, whatever it is doing."""
        if self._process is not None:
            self._ready = False
            self._process.kill()
            self._writer.close()

    async def end(self) -> None:
        """End the process and wait until nothing of it is left."""
        if self._process is not None:
            self.kill()
            await asyncio.to_thread(self._process.wait)
            self._process = None

    def close(self) -> None:
        """Give the inbox's memory back; the process must have ended."""
        os.close(self._inbox)

    async def _exchange(self, job: Job, data: bytes) -> tuple[dict[str, Any], bytes]:
        _write_whole(self._inbox, data)
        self._writer.write(packed(job.header(), b""))
        await self._writer.drain()
        return await read_message(self._reader, LARGEST_ANSWER)

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            setup = Setup(theirs.fileno(), self._inbox, self._arena.handle, self._slots, self._geometry, self._limits)
            self._reader, self._writer = await asyncio.open_connection(sock=ours)
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - a fork of milliseconds, of our own module
                [sys.executable, "-m", MODULE, setup.to_json()],
                pass_fds=(theirs.fileno(), self._inbox, self._arena.handle),
                stdin=subprocess.DEVNULL,
                env=os.environ | KEEP_MEMORY,
            )
        await read_message(self._reader, 0)
        self._ready = True


def _write_whole(file: int, data: bytes) -> None:
    """Write `data` to the file's beginning; what lies behind it stays."""
    view, written = memoryview(data), 0
    while written < len(data):
        written += os.pwrite(file, view[written:], written)
