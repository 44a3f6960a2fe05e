"""A service as in production, except that its classifier costs nothing and that its edges fail where they are told to.

FAILPOINT=name:count in the environment names the edge and at which of its calls it fails, once. The product knows
nothing of it: the edges are wrapped from outside, where the services are composed.
"""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import sluicegate_consumer.consume as composed_consume
import sluicegate_consumer.escalate as composed_escalate
from sluicegate_consumer.commands.app import app
from sluicegate_consumer.delivery.kafka_sink import KafkaSink
from sluicegate_consumer.delivery.kafka_source import KafkaSource
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.pixels import Geometry

GEOMETRY = Geometry(16, 16)
LABELS = ("dark", "bright", "broken")


class Failpoint:
    """Counts calls, and says once that it is time to fail."""

    def __init__(self, described: str) -> None:
        self.name, _, count = described.partition(":")
        self._left = int(count or 0)

    def due(self, name: str) -> bool:
        if name != self.name or self._left <= 0:
            return False
        self._left -= 1
        return self._left == 0


FAILPOINT = Failpoint(os.environ.get("FAILPOINT", ""))


def die() -> None:
    """As a power cut would end it, at this very place."""
    os.killpg(os.getpid(), signal.SIGKILL)


class FailingSink(KafkaSink):
    async def send(self, record: Any) -> asyncio.Future[Any]:
        sent = await super().send(record)
        if FAILPOINT.due("sent"):
            die()
        return sent


class FailingSource(KafkaSource):
    silent = False

    async def receive(self, max_records: int, timeout_s: float, *arguments: Any) -> Sequence[Any]:
        if self.silent:
            await asyncio.sleep(timeout_s)
            return []
        arrivals = await super().receive(max_records, timeout_s, *arguments)
        if arrivals and FAILPOINT.due("received"):
            die()
        if arrivals and FAILPOINT.due("client_silent"):
            self.silent = True
        if arrivals and FAILPOINT.due("client_task_ends"):
            self._consumer._fetcher._fetch_task.cancel()
        if arrivals and FAILPOINT.due("blocked_loop"):
            time.sleep(float(os.environ["BLOCKED_S"]))  # noqa: ASYNC251 - what is shown is what this does
        return arrivals

    async def commit(self, offsets: Any) -> None:
        if FAILPOINT.due("acknowledged"):
            die()
        if FAILPOINT.due("committing"):
            asyncio.get_running_loop().call_later(0.001, die)
        await super().commit(offsets)
        if FAILPOINT.due("committed"):
            die()


class FailingClassifier(MemoryClassifier):
    """Scores brightness; fails as a device does where it is told to."""

    def __init__(self) -> None:
        super().__init__(score, labels=LABELS, geometry=GEOMETRY)

    def classify(self, frames: Any) -> Any:
        if FAILPOINT.due("device_hang"):
            time.sleep(600)
        if FAILPOINT.due("device_slow"):
            time.sleep(float(os.environ["BLOCKED_S"]))
        if FAILPOINT.due("device_out_of_memory"):
            raise RuntimeError("out of memory")
        return super().classify(frames)


def score(frame: np.ndarray) -> tuple[float, float, float]:
    """Brightness; NaN and a device error for two colours that say so."""
    red, green, blue = frame.reshape(-1, 3).mean(axis=0) / 255
    if blue > red + 0.3:
        raise RuntimeError("the device cannot do this one")
    if green > red + 0.3:
        return float("nan"), float("nan"), 0.0
    return 1 - red, red, 0.0


def load(*_: Any, **__: Any) -> FailingClassifier:
    if FAILPOINT.due("slow_start"):
        time.sleep(float(os.environ["BLOCKED_S"]))
    return FailingClassifier()


def main() -> None:
    composed_consume.load_classifier = load
    for module in (composed_consume, composed_escalate):
        module.KafkaSource = FailingSource
        module.KafkaSink = FailingSink
    app()


if __name__ == "__main__":
    main()
