"""Decoding in processes of its own: no image can take the service with it."""

import asyncio
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.images.arena import FrameArena
from sluicegate_consumer.images.decode_job import Job
from sluicegate_consumer.images.decode_process import DecodeProcess
from sluicegate_consumer.images.image import DecodedImage, DecodeLimits, RenderedImage, Rendition
from sluicegate_consumer.pixels import Geometry

SPARE_SLOTS = 256
"""Frames that may wait for the model beside those being decoded: some batches of 16, and what waits behind them.
With fewer, decoding would only wait longer; it cannot stand still, as a batch that cannot grow is taken when the device
is free, and gives its slots back."""


class ProcessDecoder:
    """As many decoding processes as wanted, one image each at a time.

    Args:
        geometry: The model's.
        limits: What one image may cost.
        processes: How many.
        spare_slots: Frames that may be decoded and not yet closed.
    """

    def __init__(
        self, geometry: Geometry, limits: DecodeLimits, processes: int, *, spare_slots: int = SPARE_SLOTS
    ) -> None:
        slots = processes * limits.sampled_frames + spare_slots
        self._limits = limits
        self._arena = FrameArena(geometry, slots)
        self._processes = [DecodeProcess(geometry, limits, self._arena, slots) for _ in range(processes)]
        self._idle: asyncio.Queue[DecodeProcess] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        _require_installed(self._limits.jpeg)
        self._arena.__enter__()
        try:
            await asyncio.gather(*(process.start() for process in self._processes))
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        for process in self._processes:
            self._idle.put_nowait(process)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await asyncio.gather(*(process.end() for process in self._processes))
        for process in self._processes:
            process.close()
        self._arena.__exit__()

    @property
    def pids(self) -> list[int]:
        """Of the running processes."""
        return [process.pid for process in self._processes if process.pid is not None]

    @property
    def free_slots(self) -> int:
        """Frames that could be decoded without waiting for one to be given back."""
        return self._arena.free

    async def decode(self, data: bytes) -> DecodedImage:
        """Sampled frames; see `Decoder`."""
        slots = await self._arena.take(self._limits.sampled_frames)
        try:
            process = await self._idle.get()
            try:
                header, _ = await process.ask(Job("decode", len(data), tuple(slots)), data)
            finally:
                self._idle.put_nowait(process)
            indices = tuple(header["frame_indices"])
        except BaseException:
            self._arena.give(slots)
            raise
        used, unused = slots[: len(indices)], slots[len(indices) :]
        self._arena.give(unused)
        return DecodedImage(
            frames=tuple(self._arena.view(slot) for slot in used),
            frame_indices=indices,
            width=header["width"],
            height=header["height"],
            frame_count=header["frame_count"],
            media_type=header["media_type"],
            contrast=header["contrast"],
            release=lambda: self._arena.give(used),
        )

    async def render(self, data: bytes, frame: int, rendition: Rendition) -> RenderedImage:
        """One frame, re-encoded; see `Decoder`."""
        process = await self._idle.get()
        try:
            header, jpeg = await process.ask(Job("render", len(data), frame=frame, rendition=rendition), data)
        finally:
            self._idle.put_nowait(process)
        return RenderedImage(jpeg, header["width"], header["height"])


def nvimgcodec_is_installed() -> bool:
    """Whether `decode.jpeg` may ask for it."""
    return find_spec("nvidia") is not None and find_spec("nvidia.nvimgcodec") is not None


def _require_installed(jpeg: str) -> None:
    """Raise `ConfigurationError` now, not a failure for each image later."""
    if jpeg == "nvimgcodec" and not nvimgcodec_is_installed():
        raise ConfigurationError("decode.jpeg: is 'nvimgcodec', which is missing: pip install 'sluicegate[nvimgcodec]'")
