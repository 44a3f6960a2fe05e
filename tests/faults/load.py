"""A load of uploads of which it is known how each must end."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import Image

POLICY = """
version: "faults"
models:
  memory: {dark: null, bright: sexual, broken: null}
policies:
  default:
    categories:
      sexual: {approve_below: 0.2, reject_above: 0.8, description: Nudity., signs: {nudity: bare skin}}
    second_opinion: {approve_below: 0.3, reject_above: 0.7, outage: hold, deadline: 1h}
    disagreement: {margin: 0.9, then: review}
"""
DEAD_LETTER = "dead letter"


@dataclass(frozen=True)
class Upload:
    """A record and the only state that it may end in."""

    upload_id: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    state: str
    """A decision, or a dead letter."""
    tiers: int = 1
    """Tiers that it must pass."""

    @property
    def key(self) -> bytes:
        return self.upload_id.encode()


def uploads(seed: int, count: int, *, poison: float = 0.08) -> Iterator[Upload]:
    """So many, in an order and with contents that the seed decides."""
    chosen = random.Random(seed)
    for number in range(count):
        upload_id = f"{seed}-{number:06}"
        if chosen.random() < poison:
            value = chosen.choice([b'{"upload_id": ', bytes(range(256)), None])
            yield Upload(upload_id, value, (("x-number", str(number).encode()),), DEAD_LETTER, tiers=0)
        else:
            yield _image(upload_id, number, chosen)


def _image(upload_id: str, number: int, chosen: random.Random) -> Upload:
    kind = chosen.choices(["dark", "bright", "between", "broken", "nan", "device"], [60, 10, 16, 4, 3, 2])[0]
    colour, state, tiers = {
        "dark": ((20, 20, 20), "approved", 1),
        "bright": ((235, 235, 235), "rejected", 1),
        "between": ((128, 128, 128), "approved", 2),
        "broken": ((20, 20, 20), "unprocessable", 1),
        "nan": ((20, 220, 20), "review", 1),
        "device": ((20, 20, 220), DEAD_LETTER, 0),
    }[kind]
    data = picture(number, colour)
    return Upload(upload_id, data[:40] if kind == "broken" else data, headers(upload_id, b"image/png"), state, tiers)


def picture(number: int, colour: tuple[int, int, int] = (20, 20, 20)) -> bytes:
    """A small PNG that is no other's."""
    file = io.BytesIO()
    drawn = Image.new("RGB", (24, 24), colour)
    drawn.paste(tuple(each + 12 for each in colour), (0, 0, 24, 12))  # a flat colour would be evidence of nothing
    # One pixel of its own, so that no two images are the same bytes.
    drawn.putpixel((number % 24, number // 24 % 24), (colour[0], colour[1] ^ 1, colour[2] ^ (number % 7)))
    drawn.save(file, "PNG")
    return file.getvalue()


def headers(upload_id: str, media_type: bytes) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents' headers of an upload."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", b"sluicegate.upload.v1"),
        ("ce_id", upload_id.encode()),
        ("ce_source", b"load"),
        ("ce_time", datetime.now(UTC).isoformat().encode()),
        ("content-type", media_type),
    )
