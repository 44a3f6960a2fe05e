"""What every decoder must do, the twin in a thread and the real one in processes."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.decoder import ProcessDecoder
from sluicegate_consumer.images.image import DecodeLimits, Decoder, Rendition
from sluicegate_consumer.images.memory import ThreadDecoder
from sluicegate_consumer.pixels import Geometry
from sluicegate_schemas.events import Reason

GEOMETRY = Geometry(height=224, width=224)
LIMITS = DecodeLimits(max_pixels=4_000_000, max_frames=20, sampled_frames=4)


@pytest.fixture(params=["thread", pytest.param("processes", marks=pytest.mark.integration)])
async def decoder(request: pytest.FixtureRequest) -> AsyncIterator[Decoder]:
    made = ThreadDecoder(GEOMETRY, LIMITS) if request.param == "thread" else ProcessDecoder(GEOMETRY, LIMITS, 2)
    async with made as ready:
        yield ready


async def test_a_photograph_has_the_models_size_and_its_own_facts(decoder: Decoder, photographs: dict[str, Path]):
    image = await decoder.decode(photographs["rocket"].read_bytes())
    assert [(224, 224, 3)] == [frame.shape for frame in image.frames]
    assert (640, 427, 1, "image/jpeg") == (image.width, image.height, image.frame_count, image.media_type)
    assert image.contrast > 200
    image.close()


async def test_pixels_are_within_one_step_of_those_that_pillow_gives(decoder: Decoder, photographs: dict[str, Path]):
    for path in photographs.values():
        expected = Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
        image = await decoder.decode(path.read_bytes())
        assert np.abs(np.asarray(expected, np.int16) - image.frames[0]).max() <= 1
        image.close()


async def test_an_animation_is_sampled(decoder: Decoder):
    frames = [Image.new("RGB", (30, 30), (number * 20, 0, 0)) for number in range(8)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    image = await decoder.decode(file.getvalue())
    assert ((0, 2, 4, 6), 8) == (image.frame_indices, image.frame_count)
    assert [0, 40, 80, 120] == [int(frame[0, 0, 0]) for frame in image.frames]
    image.close()


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"no image", Reason.IMAGE_UNSUPPORTED), (b"", Reason.IMAGE_UNSUPPORTED)],
)
async def test_what_is_no_image_is_refused_and_the_next_one_decoded(
    decoder: Decoder, data: bytes, reason: Reason, photographs: dict[str, Path]
):
    with pytest.raises(Unprocessable) as caught:
        await decoder.decode(data)
    assert reason is caught.value.reason
    (await decoder.decode(photographs["coffee"].read_bytes())).close()


async def test_a_bomb_is_refused_by_its_header(decoder: Decoder):
    file = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(file, "PNG")
    with pytest.raises(Unprocessable) as caught:
        await decoder.decode(file.getvalue())
    assert Reason.IMAGE_TOO_MANY_PIXELS is caught.value.reason


async def test_closing_twice_does_no_harm(decoder: Decoder, photographs: dict[str, Path]):
    image = await decoder.decode(photographs["coffee"].read_bytes())
    image.close()
    image.close()
    assert () == image.frames


async def test_many_at_once_each_get_their_own_pixels(decoder: Decoder):
    async def flat(value: int) -> int:
        file = io.BytesIO()
        Image.new("RGB", (50, 50), (value, value, value)).save(file, "PNG")
        image = await decoder.decode(file.getvalue())
        await asyncio.sleep(0.01)
        try:
            assert image.frames[0].min() == image.frames[0].max()
            return int(image.frames[0][0, 0, 0])
        finally:
            image.close()

    values = list(range(200))
    assert values == await asyncio.gather(*map(flat, values))


async def test_a_frame_is_rendered_for_the_second_tier(decoder: Decoder, photographs: dict[str, Path]):
    picture = await decoder.render(photographs["rocket"].read_bytes(), 0, Rendition(max_edge=320))
    assert (320, 214) == (picture.width, picture.height)
    assert "JPEG" == Image.open(io.BytesIO(picture.jpeg)).format
