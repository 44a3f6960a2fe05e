import asyncio

import pytest

from sluicegate_consumer.errors import Transient
from sluicegate_consumer.images import retry


async def test_it_is_tried_for_as_long_as_it_takes_however_often_that_is(monkeypatch):
    """Doubled a thousand times and more, a pause would be no number any more."""
    pauses, now = list[float](), 0.0

    async def sleep(pause: float) -> None:
        nonlocal now
        pauses.append(pause)
        now += pause

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr("random.uniform", lambda _, most: most)

    async def attempt() -> None:
        raise Transient("away")

    with pytest.raises(Transient, match=r"^away \(not fetched within 6000 s, in \d{4} attempts\)$"):
        await retry.retried(attempt, 6000)
    assert [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0] == pauses[:7]
