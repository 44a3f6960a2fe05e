"""A decoder that crashes, hangs or eats memory costs the one image it works on."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sluicegate_consumer.errors import Unprocessable
from sluicegate_consumer.images.decoder import ProcessDecoder
from sluicegate_consumer.images.image import DecodedImage, DecodeLimits
from sluicegate_consumer.images.memory import ThreadDecoder
from sluicegate_consumer.pixels import Geometry
from sluicegate_schemas.events import Reason

pytestmark = pytest.mark.integration

GEOMETRY = Geometry(height=224, width=224)
LIMITS = DecodeLimits(timeout_s=5.0)


@pytest.fixture
async def decoder() -> AsyncIterator[ProcessDecoder]:
    async with ProcessDecoder(GEOMETRY, LIMITS, 1) as ready:
        yield ready


@pytest.fixture(scope="module")
def slow_image() -> bytes:
    """Takes some tenths of a second to decode."""
    noise = np.random.default_rng(1).integers(0, 256, (3000, 4000, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def small_image() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "green").save(file, "PNG")
    return file.getvalue()


async def still_works(decoder: ProcessDecoder) -> None:
    image = await decoder.decode(small_image())
    assert (0, 128, 0) == tuple(image.frames[0][0, 0])
    image.close()


async def cpu_time_grows(pid: int) -> None:
    """Wait until the process is at work on what it was given."""
    before = _cpu_ticks(pid)
    while _cpu_ticks(pid) == before:
        await asyncio.sleep(0.005)


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def refused(decoding: asyncio.Task[DecodedImage]) -> Reason:
    with pytest.raises(Unprocessable) as caught:
        await decoding
    return caught.value.reason


async def test_a_killed_decoder_costs_its_image_alone(decoder: ProcessDecoder, slow_image: bytes):
    decoding = asyncio.create_task(decoder.decode(slow_image))
    await cpu_time_grows(decoder.pids[0])
    os.kill(decoder.pids[0], signal.SIGSEGV)
    assert Reason.DECODER_CRASHED is await refused(decoding)
    await still_works(decoder)


async def test_a_hung_decoder_is_ended_in_time(slow_image: bytes):
    async with ProcessDecoder(GEOMETRY, DecodeLimits(timeout_s=1.0), 1) as decoder:
        decoding = asyncio.create_task(decoder.decode(slow_image))
        await cpu_time_grows(decoder.pids[0])
        os.kill(decoder.pids[0], signal.SIGSTOP)
        assert Reason.DECODE_TIMED_OUT is await refused(decoding)
        await still_works(decoder)


async def test_an_image_that_needs_more_memory_than_allowed_is_refused():
    limits = DecodeLimits(memory_bytes=64 * 1024 * 1024)
    file = io.BytesIO()
    Image.new("RGB", (9000, 9000)).save(file, "PNG")
    async with ProcessDecoder(GEOMETRY, limits, 1) as decoder:
        assert Reason.IMAGE_TOO_MANY_PIXELS is await refused(asyncio.create_task(decoder.decode(file.getvalue())))
        await still_works(decoder)


async def test_a_cancelled_decoding_leaves_nothing_behind(decoder: ProcessDecoder, slow_image: bytes):
    free = decoder.free_slots
    for _ in range(3):
        decoding = asyncio.create_task(decoder.decode(slow_image))
        await asyncio.sleep(0.05)
        decoding.cancel()
        await asyncio.wait({decoding})
    await still_works(decoder)
    assert free == decoder.free_slots


async def test_decoding_waits_for_slots_and_goes_on_when_they_come_back(decoder: ProcessDecoder):
    held = []
    while decoder.free_slots >= LIMITS.sampled_frames:
        held.append(await decoder.decode(small_image()))
    waiting = asyncio.create_task(decoder.decode(small_image()))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    for image in held:
        image.close()
    (await waiting).close()


async def test_no_process_outlives_its_decoder():
    async with ProcessDecoder(GEOMETRY, LIMITS, 2) as decoder:
        pids = decoder.pids
        assert 2 == len(pids)
    assert [False, False] == [os.path.exists(f"/proc/{pid}") for pid in pids]  # noqa: PTH110 - a pseudo file


async def test_a_decoder_waits_for_its_turn_on_a_core(decoder: ProcessDecoder):
    (pid,) = decoder.pids
    assert os.SCHED_BATCH == os.sched_getscheduler(pid)


async def test_ctrl_c_in_the_terminal_does_not_reach_the_decoders(decoder: ProcessDecoder):
    before = decoder.pids
    os.kill(before[0], signal.SIGINT)
    await still_works(decoder)
    assert before == decoder.pids


def photograph(form: str) -> Callable[[dict[str, Path]], bytes]:
    def make(photographs: dict[str, Path]) -> bytes:
        file = io.BytesIO()
        image = Image.open(photographs["coffee"]).convert("RGB").resize((96, 64))
        options = {"save_all": True, "append_images": [image.rotate(90), image.rotate(180)]} if form == "GIF" else {}
        image.save(file, form, **options)
        return file.getvalue()

    return make


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"])
def test_broken_photographs_are_decoded_or_refused_and_nothing_else(form: str, photographs: dict[str, Path]):
    data = photograph(form)(photographs)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=30),
        st.integers(0, len(data)),
    )
    def broken(changes: list[tuple[int, int]], end: int) -> None:
        mutated = bytearray(data)
        for position, value in changes:
            mutated[position] = value
        decoder = ThreadDecoder(GEOMETRY, DecodeLimits(max_pixels=1_000_000, max_frames=50))
        try:
            image = asyncio.run(decoder.decode(bytes(mutated[:end])))
        except Unprocessable:
            return
        assert all(frame.shape == (224, 224, 3) for frame in image.frames)

    broken()
