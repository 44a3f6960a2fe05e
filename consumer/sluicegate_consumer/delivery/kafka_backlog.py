"""How much waits at the broker, asked of each partition by itself: one without a leader hides only itself."""

import asyncio
from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from sluicegate_consumer.delivery.values import Partition
from sluicegate_consumer.errors import Transient

ANSWER_TIMEOUT_S = 10.0
"""For each partition. All are asked at the same time, so it is the bound for all of them as well."""

log = structlog.get_logger()


class KafkaBacklog:
    """Asks for the ends of what a consumer holds, and remembers which partitions were silent.

    It goes by what the broker says the ends are, not by what the client saw of them when it last fetched: while records
    are held back it fetches nothing, and the backlog that matters would be the one that it does not see grow.
    """

    def __init__(self) -> None:
        self._silent: frozenset[Partition] = frozenset()

    async def ask(self, consumer: AIOKafkaConsumer) -> Mapping[Partition, int]:
        """How many records each partition has that were not handed over; without those of which nobody says.

        Raises:
            Transient: nobody says it of any.
        """
        partitions = list(consumer.assignment())
        answers = await asyncio.gather(*(_behind(consumer, each) for each in partitions))
        # One that was taken away meanwhile is silent because it is somebody else's.
        held = consumer.assignment()
        known, silent = dict[Partition, int](), dict[Partition, str]()
        for partition, answer in zip(partitions, answers, strict=True):
            if isinstance(answer, int):
                known[Partition(*partition)] = answer
            elif partition in held:
                silent[Partition(*partition)] = answer
        self._tell(silent)
        if silent and not known:
            raise Transient(f"nobody says where these end: {_named(silent)}")
        return known

    def _tell(self, silent: Mapping[Partition, str]) -> None:
        """Once per change: this is asked every few seconds, and an election may take its time."""
        if self._silent == silent.keys():
            return
        self._silent = frozenset(silent)
        if silent:
            log.warning("lag_unknown", partitions=sorted(silent), error=_named(silent))
        else:
            log.info("lag_known_again")


async def _behind(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | str:
    """How much of one partition waits, or why nobody says."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            end: int = (await consumer.end_offsets([partition]))[partition]
            position: int = await consumer.position(partition)
    except TimeoutError:
        return f"no answer within {ANSWER_TIMEOUT_S:g} s: has it a leader?"
    except (KafkaError, IllegalStateError) as error:
        return repr(error)
    return max(0, end - position)


def _named(silent: Mapping[Partition, str]) -> str:
    return "; ".join(f"{partition.topic}[{partition.number}]: {why}" for partition, why in sorted(silent.items()))
