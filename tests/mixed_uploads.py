"""Uploads as platforms send them, good ones and all kinds of bad ones, each with the state that it must end in."""

import hashlib
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from pillow_heif import register_heif_opener

Headers = tuple[tuple[str, bytes], ...]

POLICY = """
version: "test"
models:
  OwenElliott/image-safety-classifier-s: {SFW: null, NSFW: sexual, NSFL: violence}
policies:
  default:
    categories:
      sexual: {approve_below: 0.15, reject_above: 0.85, description: Nudity., signs: {nudity: bare skin}}
      violence: {approve_below: 0.15, reject_above: 0.85, description: Blood., signs: {gore: open wounds}}
    second_opinion: {approve_below: 0.2, reject_above: 0.8, outage: hold, deadline: 10m}
    disagreement: {margin: 0.95, then: review}
    degenerate: {min_side: 16, min_contrast: 8, then: review}
  # No photograph scores so low, so each is rejected.
  strict:
    extends: default
    categories:
      sexual: {approve_below: 0.001, reject_above: 0.002}
  # No photograph scores so low or so high, so each is ambiguous.
  unsure:
    extends: default
    categories:
      sexual: {approve_below: 0.001, reject_above: 0.999}
"""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "BMP", "TIFF")
DEAD_LETTER = "dead letter"


@dataclass(frozen=True)
class Expected:
    """How an upload must end: a decision or a dead letter, why, and after how many verdicts."""

    state: str
    reason: str | None = None
    verdicts: int = 1
    sha256: str | None = None


@dataclass(frozen=True)
class MixedUpload:
    """A record of the upload topic and what must come of it."""

    upload_id: str
    kind: str
    value: bytes | None
    headers: Headers
    expected: Expected

    @property
    def key(self) -> bytes:
        """The record's key."""
        return self.upload_id.encode()


class Maker:
    """Makes uploads whose images lie in a directory of its own, each with other bytes."""

    def __init__(self, root: Path, outside: Path, photographs: list[Path], seed: int) -> None:
        register_heif_opener()
        self._root = root
        self._outside = outside
        self._random = random.Random(seed)
        self._photographs = [Image.open(path).convert("RGB").resize((320, 240)) for path in photographs]
        self._count = 0

    def uploads(self, count: int) -> list[MixedUpload]:
        """So many, every kind among them, in an order that the seed decides."""
        kinds = list(self._kinds())
        made = [kinds[number % len(kinds)]() for number in range(count)]
        self._random.shuffle(made)
        return made

    def good(self, form: str = "JPEG", policy: str = "default", expected: Expected | None = None) -> MixedUpload:
        """A photograph by reference."""
        data = self._encoded(form)
        return self._by_reference(f"good {form} {policy}", data, expected or _clear(data), policy=policy)

    def inline(self, policy: str = "default", expected: Expected | None = None) -> MixedUpload:
        """A photograph as the record's value."""
        data = self._encoded("JPEG")
        headers = (*_headers(policy), ("content-type", b"image/jpeg"))
        return self._upload(f"inline {policy}", data, headers, expected or _clear(data))

    def _kinds(self) -> Iterator[Callable[[], MixedUpload]]:
        for form in FORMATS:
            yield lambda form=form: self.good(form)
        yield self.inline
        yield lambda: self.good("JPEG", "strict", Expected("rejected", "above_reject"))
        yield lambda: self.good("PNG", "unsure", Expected("approved", "vlm_approved", verdicts=2))
        yield lambda: self.inline("unsure", Expected("approved", "vlm_approved", verdicts=2))
        yield self._animated
        yield self._plain_json
        yield lambda: self._broken("truncated", self._encoded("JPEG")[:2000], "image_undecodable")
        yield lambda: self._broken("text", b"<html>not found</html>", "image_unsupported")
        yield lambda: self._broken("empty", b"", "image_empty")
        yield self._missing
        yield self._mismatching
        yield self._outside_the_roots
        yield lambda: self._degenerate((200, 200))
        yield lambda: self._degenerate((6, 6))
        yield self._unknown_policy
        yield lambda: self._poison("bad JSON", b'{"upload_id": ')
        yield lambda: self._poison("bytes", bytes(range(256)))
        yield lambda: self._poison("tombstone", None)

    def _animated(self) -> MixedUpload:
        frames = [self._photograph() for _ in range(12)]
        file = io.BytesIO()
        frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=50)
        return self._by_reference("animated", file.getvalue(), _clear(file.getvalue()))

    def _plain_json(self) -> MixedUpload:
        data = self._encoded("JPEG")
        return self._by_reference("plain JSON", data, _clear(data), with_headers=False)

    def _broken(self, kind: str, data: bytes, reason: str) -> MixedUpload:
        return self._by_reference(kind, data, Expected("unprocessable", reason))

    def _missing(self) -> MixedUpload:
        made = self._by_reference("missing", b"x", Expected("unprocessable", "image_missing"))
        (self._root / made.upload_id).unlink()
        return made

    def _mismatching(self) -> MixedUpload:
        expected = Expected("unprocessable", "image_digest_mismatch")
        return self._by_reference("mismatching", self._encoded("JPEG"), expected, sha256="0" * 64)

    def _outside_the_roots(self) -> MixedUpload:
        expected = Expected("unprocessable", "image_uri_refused")
        return self._by_reference("outside", self._encoded("JPEG"), expected, root=self._outside)

    def _degenerate(self, size: tuple[int, int]) -> MixedUpload:
        file = io.BytesIO()
        Image.new("RGB", size, (self._count % 256, 0, 0)).save(file, "PNG")
        return self._by_reference(f"one colour {size}", file.getvalue(), Expected("review", "degenerate_image"))

    def _unknown_policy(self) -> MixedUpload:
        return self._by_reference("unknown policy", self._encoded("JPEG"), Expected(DEAD_LETTER), policy="nobody")

    def _poison(self, kind: str, value: bytes | None) -> MixedUpload:
        return self._upload(kind, value, (), Expected(DEAD_LETTER, verdicts=0))

    def _by_reference(
        self,
        kind: str,
        data: bytes,
        expected: Expected,
        *,
        root: Path | None = None,
        policy: str = "default",
        sha256: str | None = None,
        with_headers: bool = True,
    ) -> MixedUpload:
        path = (root or self._root) / f"u{self._count:06}"
        path.write_bytes(data)
        event = {
            "upload_id": path.name,
            "policy": policy,
            "uploaded_at": datetime.now(UTC).isoformat(),
            "image": {"uri": path.as_uri(), "sha256": sha256},
        }
        headers = _headers(policy) if with_headers else ()
        return self._upload(kind, json.dumps(event).encode(), headers, expected)

    def _upload(self, kind: str, value: bytes | None, headers: Headers, expected: Expected) -> MixedUpload:
        upload_id = f"u{self._count:06}"
        self._count += 1
        return MixedUpload(upload_id, kind, value, headers, expected)

    def _photograph(self) -> Image.Image:
        """One of them, cropped somewhere else each time, so that no two images are the same bytes."""
        picture = self._random.choice(self._photographs)
        left, top = self._random.randrange(40), self._random.randrange(40)
        return picture.crop((left, top, left + 280, top + 200))

    def _encoded(self, form: str) -> bytes:
        file = io.BytesIO()
        self._photograph().save(file, form)
        return file.getvalue()


def _clear(data: bytes) -> Expected:
    return Expected("approved", "clear", sha256=hashlib.sha256(data).hexdigest())


def _headers(policy: str) -> Headers:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1"),
        ("ce_source", b"test"),
        ("ce_type", b"sluicegate.upload.v1"),
        ("ce_time", datetime.now(UTC).isoformat().encode()),
        ("ce_policy", policy.encode()),
        ("content-type", b"application/json"),
    )
