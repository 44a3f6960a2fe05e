"""One worker of a stage: takes an item, works on it, hands it on, or hands the failure over."""

from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

from sluicegate_consumer.errors import Poison, Transient, Unprocessable
from sluicegate_consumer.policy.document import UnknownPolicy
from sluicegate_schemas.cloudevents import EventError

Item = TypeVar("Item")
Done = TypeVar("Done")

Failure = EventError | Poison | Transient | UnknownPolicy | Unprocessable
"""What concerns one item alone. Everything else ends the service."""
FAILURES = (EventError, Poison, Transient, UnknownPolicy, Unprocessable)


async def station(
    take: Callable[[], Awaitable[Item]],
    work: Callable[[Item], Awaitable[Done]],
    hand_on: Callable[[Done], Awaitable[None]],
    give_up: Callable[[Item, Failure], None],
) -> NoReturn:
    """Work until cancelled; a failure of one item never touches the next one."""
    while True:
        item = await take()
        try:
            done = await work(item)
        except FAILURES as failure:
            give_up(item, failure)
        else:
            await hand_on(done)
