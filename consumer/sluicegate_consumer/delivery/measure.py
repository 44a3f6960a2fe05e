"""What only a look at the whole shows, told to the observer again and again, whether or not records move."""

import asyncio
from typing import NoReturn

from sluicegate_consumer.delivery.in_flight import InFlight
from sluicegate_consumer.delivery.observer import DeliveryObserver
from sluicegate_consumer.delivery.source import Source
from sluicegate_consumer.delivery.tracker import Tracker
from sluicegate_consumer.errors import Transient

MEASURE_S = 5.0
"""One small request for each partition: nothing, beside the requests for records."""


async def measure_regularly(
    source: Source, tracker: Tracker, in_flight: InFlight, observer: DeliveryObserver, every_s: float = MEASURE_S
) -> NoReturn:
    """Report what is in flight, for how long, and the lag where it is known, until cancelled."""
    while True:
        observer.in_flight(len(in_flight))
        observer.oldest_in_flight(in_flight.oldest_s)
        try:
            behind = await source.behind()
        except Transient:  # The source has said so. What was known before must not be shown as if it still held.
            behind = {}
        observer.lag([(partition, unread + tracker.open([partition])) for partition, unread in behind.items()])
        await asyncio.sleep(every_s)
