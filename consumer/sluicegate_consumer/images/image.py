"""Images on their way to a model, and the two edges they cross: fetching and decoding."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

from sluicegate_consumer.operations.settings import DecodeSettings
from sluicegate_consumer.pixels import Frame
from sluicegate_schemas.events import ImageReference


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What one image may cost. Beyond any of these it is `unprocessable`, and nothing else suffers."""

    max_pixels: int = 100_000_000
    """Width times height of one frame, read from the header before anything is decoded."""
    max_frames: int = 5_000
    """Frames in an animation."""
    sampled_frames: int = 8
    """Frames of an animation that are judged, evenly spaced, the first always among them."""
    timeout_s: float = 10.0
    memory_bytes: int = 2 * 1024**3
    """Address space that one decoding process may take beyond what it has at start."""
    reduced: bool = False
    """Decode large JPEGs at a half, a quarter or an eighth, to no less than twice the model's size."""
    jpeg: Literal["pillow", "nvimgcodec"] = "pillow"
    """What decodes JPEGs; see `device_jpeg`."""

    @classmethod
    def of(cls, settings: DecodeSettings) -> Self:
        """As the operator has set them."""
        return cls(
            max_pixels=settings.max_pixels,
            max_frames=settings.max_frames,
            sampled_frames=settings.sampled_frames,
            timeout_s=settings.timeout_s,
            memory_bytes=settings.memory_bytes,
            reduced=settings.reduced,
            jpeg=settings.jpeg,
        )


@dataclass(frozen=True, slots=True)
class Rendition:
    """How an image is re-encoded for a language model: upright RGB, without metadata, bounded on every side."""

    max_edge: int = 896
    """Pixels. Larger images are scaled down to fit."""
    min_edge: int = 64
    """Pixels. Smaller images are scaled up; below 32 Qwen's runner panics."""
    max_ratio: float = 20.0
    """Longer strips are padded with grey; above 200 Qwen's runner panics."""
    quality: int = 92
    """Of the JPEG, 1 to 100."""


@dataclass(frozen=True, slots=True)
class FetchedImage:
    """Encoded bytes, bounded in size, with their digest."""

    data: bytes
    sha256: str


@dataclass(slots=True)
class DecodedImage:
    """Sampled frames at the model's size. `close` gives their memory back: the frames must not be read after it."""

    frames: tuple[Frame, ...]
    frame_indices: tuple[int, ...]
    """Which frames of the animation these are, counted from 0."""
    width: int
    """Pixels of the first frame, after the EXIF orientation is applied."""
    height: int
    frame_count: int
    """In the file, sampled or not."""
    media_type: str
    """As decoded, for example `image/jpeg`."""
    contrast: int
    """The largest difference between the brightest and the darkest value of any channel, over all sampled frames at
    the model's size: 0 to 255. Near 0 the image is one flat colour, about which a classifier knows nothing."""
    release: Callable[[], None] = field(default=lambda: None, repr=False)

    def close(self) -> None:
        """Give the frames' memory back. More than once does no harm."""
        release, self.release = self.release, _released
        self.frames = ()
        release()


def _released() -> None:
    pass


@dataclass(frozen=True, slots=True)
class RenderedImage:
    """One frame as a JPEG without metadata, ready for a language model."""

    jpeg: bytes
    width: int
    height: int


class Fetcher(Protocol):
    """Brings an image's bytes here.

    Raises:
        Unprocessable: it is missing, empty, too large, refused by the allow-list, or not what its event says.
        Transient: the store could not be reached within the deadline, retries included, or refuses our credentials.
        Poison: the store's client failed in a way that nobody foresaw.
    """

    async def fetch(self, reference: ImageReference) -> FetchedImage:
        """The bytes that `reference` names; its sha256, where given, is checked."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Decoder(Protocol):
    """Turns encoded bytes into pixels, and survives whatever the bytes do to the code that reads them.

    Raises:
        Unprocessable: the bytes are no image, over a limit, or crashed or stalled the process that decoded them.
    """

    async def decode(self, data: bytes) -> DecodedImage:
        """Sampled frames at the model's geometry. Waits while all processes or all frame memory are in use."""

    async def render(self, data: bytes, frame: int, rendition: Rendition) -> RenderedImage:
        """Frame number `frame` (counted from 0; the last one where there are fewer), re-encoded."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
