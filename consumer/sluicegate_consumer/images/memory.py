"""The two edges of this room without network and without processes: for tests that must be fast."""

import asyncio
import hashlib
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np

from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.decode import decode_frames, render_frame
from sluicegate_consumer.images.image import DecodedImage, DecodeLimits, FetchedImage, RenderedImage, Rendition
from sluicegate_consumer.images.store import missing
from sluicegate_consumer.pixels import Frame, Geometry
from sluicegate_schemas.events import ImageReference, Reason


class MemoryFetcher:
    """Gives what it was given, by URI: bytes, or a failure to raise."""

    def __init__(self, images: Mapping[str, bytes | Exception]) -> None:
        self.images = dict(images)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    async def fetch(self, reference: ImageReference) -> FetchedImage:
        """See `Fetcher`."""
        found = self.images.get(reference.uri)
        if found is None:
            raise missing(reference.uri)
        if isinstance(found, Exception):
            raise found
        if not found:
            raise Unprocessable(Reason.IMAGE_EMPTY, "0 bytes")
        digest = hashlib.sha256(found).hexdigest()
        if reference.sha256 not in {None, digest}:
            raise Unprocessable(Reason.IMAGE_DIGEST_MISMATCH, f"the bytes have {digest}")
        return FetchedImage(found, digest)


class ThreadDecoder:
    """Decodes with the same functions, in a thread: nothing contains what goes wrong there."""

    def __init__(self, geometry: Geometry, limits: DecodeLimits) -> None:
        self._geometry = geometry
        self._limits = limits

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    async def decode(self, data: bytes) -> DecodedImage:
        """See `Decoder`."""
        return await asyncio.to_thread(self._decode, data)

    async def render(self, data: bytes, frame: int, rendition: Rendition) -> RenderedImage:
        """See `Decoder`."""
        return await asyncio.to_thread(render_frame, data, frame, rendition, self._limits)

    def _decode(self, data: bytes) -> DecodedImage:
        frames: list[Frame] = []

        def room(count: int) -> list[Frame]:
            shape = (count, self._geometry.height, self._geometry.width, 3)
            frames.extend(np.empty(shape, np.uint8))
            return frames

        facts = decode_frames(data, self._geometry, self._limits, room)
        return DecodedImage(
            frames=tuple(frames),
            frame_indices=facts.frame_indices,
            width=facts.width,
            height=facts.height,
            frame_count=facts.frame_count,
            media_type=facts.media_type,
            contrast=facts.contrast,
        )
