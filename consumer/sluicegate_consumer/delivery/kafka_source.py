"""The source over aiokafka, with what its client needs done for it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from sluicegate_consumer.delivery.bounded import finish_within
from sluicegate_consumer.delivery.kafka_backlog import KafkaBacklog
from sluicegate_consumer.delivery.kafka_client import (
    arrival_of,
    client_options,
    hear_brokers,
    require_running,
    start_timeout_s,
)
from sluicegate_consumer.delivery.kafka_records import read_any_header_name
from sluicegate_consumer.delivery.refusals import refused, shut_out
from sluicegate_consumer.delivery.source import Revoked
from sluicegate_consumer.delivery.values import Arrival, Partition
from sluicegate_consumer.errors import ConfigurationError, Fatal, Transient
from sluicegate_consumer.operations.settings import KafkaSettings

STOP_TIMEOUT_S = 5.0
COMMIT_TIMEOUT_S = 10.0
JOIN_MARGIN_S = 5.0
"""Beyond the rebalance timeout, for the broker's answer to a member that joins: as in Apache Kafka's own client."""
JOIN_ANSWERS = 2
"""That a member waits for: a rebalance begins again when another one joins meanwhile."""
NEVER_MS = 2**31 - 1
"""Not asking for records is how this service holds them back, for as long as it must; leaving the group for it would
only hand the same records to somebody else."""
METADATA_MAX_AGE_MS = 10_000
"""A partition whose leader moves before its first record is asked of the old leader until this is over: the client
looks for leaders by itself when a fetch fails, but not when a start offset does. Its default is five minutes."""

log = structlog.get_logger()


class KafkaSource:
    """A member of a consumer group that reads one topic."""

    def __init__(self, kafka: KafkaSettings, topic: str, group: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._group = group
        self._next: dict[TopicPartition, int] = {}
        """Behind the last record that was handed over, per partition."""
        self._backlog = KafkaBacklog()

    async def start(self, revoked: Revoked) -> None:
        """Join the group; see `Source`."""
        read_any_header_name()
        self._consumer = AIOKafkaConsumer(
            **client_options(self._kafka) | {"request_timeout_ms": round(1000 * self._request_timeout_s)},
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            # With several assignors the client joins six times before it agrees with itself.
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            session_timeout_ms=round(self._kafka.session_timeout_s * 1000),
            heartbeat_interval_ms=round(self._kafka.session_timeout_s * 100),
            rebalance_timeout_ms=round(self._kafka.rebalance_timeout_s * 1000),
            max_poll_interval_ms=NEVER_MS,
            max_partition_fetch_bytes=self._kafka.max_record_bytes,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
        )
        hear_brokers(self._consumer._client)  # noqa: SLF001 - there is no public way
        self._consumer.subscribe([self._topic], listener=_Listener(self._next, revoked))
        try:
            await self._join()
        except BaseException:
            # Also where it is called off: a client that nobody stops works on in the background.
            await self.stop()
            raise

    async def _join(self) -> None:
        seconds = start_timeout_s(self._kafka, self._request_timeout_s, JOIN_ANSWERS)
        where = f"group {self._group} at {self._kafka.bootstrap_servers}"
        try:
            async with asyncio.timeout(seconds):
                await self._consumer.start()
        except TimeoutError as error:
            raise Fatal(f"not in {where} within {seconds:g} s: its coordinator is away, or keeps it waiting") from error
        except KafkaError as error:
            if why := self._refused(error) or await shut_out(error, self._kafka):
                raise why from error
            raise Fatal(f"cannot join {where}: {error!r}") from error

    async def receive(
        self, max_records: int, timeout_s: float, without: Collection[Partition] = ()
    ) -> Sequence[Arrival]:
        """Records as they come; see `Source`.

        Nothing is awaited between the client's answer and the return, so that no rebalance can come between.
        """
        wanted = self._wanted(without) if without else ()
        if without and not wanted:
            await asyncio.sleep(timeout_s)
            return []
        try:
            # Under no timeout of ours: a cancelled getmany leaks the client's count of running fetches.
            answer = await self._consumer.getmany(*wanted, timeout_ms=round(timeout_s * 1000), max_records=max_records)
        except KafkaError as error:
            await self._rewind()
            if error.retriable:
                raise Transient(f"reading {self._topic}: {error!r}") from error
            raise self._refused(error) or Fatal(f"reading {self._topic}: {error!r}") from error
        for partition, records in answer.items():
            self._next[partition] = records[-1].offset + 1
        return [arrival_of(record) for records in answer.values() for record in records]

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit; see `Source`."""
        request = {TopicPartition(*partition): offset for partition, offset in offsets.items()}
        try:
            # Not wait_for: until Python 3.12 it can swallow a cancellation that meets a result.
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._consumer.commit(request)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            raise self._refused(error) or Transient(f"committing {self._topic}: {error!r}") from error

    async def behind(self) -> Mapping[Partition, int]:
        """Of each partition by itself; see `Source`."""
        return await self._backlog.ask(self._consumer)

    def require_alive(self) -> None:
        """Check the client's tasks that fetch and that keep it in its group; see `Source`."""
        consumer = self._consumer
        require_running(consumer._fetcher._fetch_task, "fetcher")  # noqa: SLF001 - there is no public way
        require_running(consumer._coordinator._coordination_task, "coordinator")  # noqa: SLF001 - same

    async def stop(self) -> None:
        """Leave; see `Source`."""
        await finish_within(STOP_TIMEOUT_S, self._consumer.stop(), "consumer")

    @property
    def _request_timeout_s(self) -> float:
        """A broker answers who joins when all others have: a member that asks again sooner becomes a second one."""
        return max(self._kafka.request_timeout_s, self._kafka.rebalance_timeout_s + JOIN_MARGIN_S)

    def _refused(self, error: BaseException) -> ConfigurationError | None:
        return refused(error, self._kafka, "Read", topic=self._topic, group=self._group)

    def _wanted(self, without: Collection[Partition]) -> list[TopicPartition]:
        return [held for held in self._consumer.assignment() if Partition(*held) not in without]

    async def _rewind(self) -> None:
        """Go back behind the last record that was handed over.

        An error of one partition silently loses what the client had already taken from another.
        """
        for partition in self._consumer.assignment():
            if partition in self._next:
                self._consumer.seek(partition, self._next[partition])
            else:
                await self._consumer.seek_to_committed(partition)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    def __init__(self, positions: dict[TopicPartition, int], revoked: Revoked) -> None:
        self._positions = positions
        self._revoked = revoked

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        partitions = [Partition(*partition) for partition in revoked]
        if partitions:
            log.info("partitions_revoked", partitions=partitions)
            await self._revoked(partitions)
        self._positions.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        log.info("partitions_assigned", partitions=[Partition(*partition) for partition in assigned])
