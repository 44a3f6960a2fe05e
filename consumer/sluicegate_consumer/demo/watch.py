"""Waiting: for the services to be ready, then for every upload's final verdict, and never for ever."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import BinaryIO

from sluicegate_consumer.delivery.reader import read_topic
from sluicegate_consumer.demo.progress import Progress
from sluicegate_consumer.demo.services import Service
from sluicegate_consumer.operations.settings import KafkaSettings
from sluicegate_schemas import read_verdict

REFRESH_S = 0.1
READY_EVENT = "partitions_assigned"
"""What a service logs once it reads its topic."""
NAMED = 10
"""Missing uploads that a complaint names."""


async def follow(kafka: KafkaSettings, topic: str, progress: Progress, copy: BinaryIO) -> None:
    """Record every verdict of the topic, for ever, and copy each as it was published, one to a line."""
    async with aclosing(read_topic(kafka, topic, follow=True)) as arrivals:
        async for arrival in arrivals:
            progress.record(read_verdict(arrival.message))
            copy.write((arrival.message.value or b"") + b"\n")


async def until_ready(services: Sequence[Service], patience_s: float) -> str | None:
    """Wait until every service has its partitions, so that the times shown are those of running services.

    Returns:
        None, or what has gone wrong.
    """
    deadline = time.monotonic() + patience_s
    while not all(service.has_logged(READY_EVENT) for service in services):
        if complaint := _ended(services):
            return f"{complaint} before it was ready"
        if time.monotonic() > deadline:
            return f"the services were not ready after {patience_s:.0f} s"
        await asyncio.sleep(REFRESH_S)
    return None


async def until_final(
    progress: Progress, services: Sequence[Service], patience_s: float, shown: Callable[[], None]
) -> str | None:
    """Wait until nothing is missing.

    Args:
        progress: filled by `follow` meanwhile.
        services: must go on running.
        patience_s: how long nothing may come while something is missing, in seconds.
        shown: called with every look at the progress.

    Returns:
        None, or what has gone wrong.
    """
    heard, count = time.monotonic(), progress.count
    while missing := progress.missing:
        shown()
        if progress.count > count:
            heard, count = time.monotonic(), progress.count
        if complaint := _ended(services):
            return f"{complaint} before every upload had its verdict"
        if time.monotonic() - heard > patience_s:
            names = ", ".join(submission.name for submission in missing[:NAMED])
            more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
            return f"no verdict came for {patience_s:.0f} s; without a final one: {names}{more}"
        await asyncio.sleep(REFRESH_S)
    shown()
    return None


def _ended(services: Sequence[Service]) -> str | None:
    names = [service.name for service in services if service.ended]
    return f"{' and '.join(names)} ended" if names else None
