"""The process in which images are decoded: `python -m sluicegate_consumer.images.decode_worker SETUP`.

It may crash, hang or eat all the memory it is allowed: that costs the one image it works on.
"""

import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NoReturn

from PIL import Image

from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.arena import map_frames
from sluicegate_consumer.images.decode import decode_frames, render_frame
from sluicegate_consumer.images.decode_job import Job, Setup, packed, receive_job
from sluicegate_consumer.operations.no_egress import refuse_all
from sluicegate_consumer.pixels import Frame

REFUSED_EXIT_CODE = 77
ORPHAN_GRACE = 2.0
"""Times the parent's patience: a process whose parent is gone ends itself after this, even inside a decoder."""


def main(setup: Setup) -> None:
    """Serve until the parent closes the connection."""
    refuse_all(_end)
    _leave_the_core_to_the_model()
    if setup.limits.jpeg == "nvimgcodec":
        from sluicegate_consumer.images.device_jpeg import decoder  # noqa: PLC0415 - an extra

        decoder()  # what it maps for itself is not an image's
    _limit_resources(setup.limits.memory_bytes)
    frames = map_frames(setup.arena, setup.geometry, setup.slots)
    # Ours is the limit that counts, see `require_pixels`; Pillow's own would come first for large images.
    Image.MAX_IMAGE_PIXELS = None
    with socket.socket(fileno=setup.socket) as connection:
        connection.sendall(packed({"ready": True}, b""))
        while (job := receive_job(connection)) is not None:
            signal.setitimer(signal.ITIMER_REAL, setup.limits.timeout_s * ORPHAN_GRACE)
            header, payload = _answer(job, setup, frames)
            signal.setitimer(signal.ITIMER_REAL, 0)
            connection.sendall(packed(header, payload))
            if payload:
                connection.sendall(payload)


def _leave_the_core_to_the_model() -> None:
    """When an image comes, wait for the model's thread to have had its turn on this core, instead of stepping in.

    The share of the core stays the same, it changes hands less often, and each time costs the model its caches.
    Measured on two cores: 2 % more images per second with ViT-B/16, no difference with the embedded model.
    """
    with suppress(OSError):  # a container's seccomp profile may know better
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _end(event: str) -> NoReturn:
    """End at once: a decoder needs no connection, and one that asks for it does what an image told it to."""
    os.write(sys.stderr.fileno(), f"a decoding process asked for {event}: ended\n".encode())
    os._exit(REFUSED_EXIT_CODE)


def _answer(job: Job, setup: Setup, frames: Frame) -> tuple[dict[str, Any], bytes]:
    data = os.pread(setup.inbox, job.size, 0)
    try:
        if job.rendition is not None:
            picture = render_frame(data, job.frame, job.rendition, setup.limits)
            return {"width": picture.width, "height": picture.height}, picture.jpeg
        facts = decode_frames(
            data, setup.geometry, setup.limits, lambda count: [frames[slot] for slot in job.slots[:count]]
        )
        return asdict(facts), b""
    except Unprocessable as error:
        # What failed to allocate may have left the rest too fragmented, or too full of kept blocks, for the next image.
        spent = isinstance(error.__cause__, MemoryError)
        return {"reason": error.reason, "message": str(error), "spent": spent}, b""


def _limit_resources(memory_bytes: int) -> None:
    """What this process has now, and so much more: a bomb fails to allocate, instead of failing the machine."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - one line of a pseudo file
        pages = int(statm.read().split()[0])
    most = pages * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    # The parent decides when this ends: a Ctrl+C in a terminal reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    main(Setup.from_json(sys.argv[1]))
