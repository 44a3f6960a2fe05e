"""librdkafka's mock cluster: a broker that answers with whatever error it is told to.

It comes inside confluent-kafka's wheel, whose Python part does not reach it; its C interface does (`rdkafka_mock.h`).
It checks neither sequences nor fencing, and cannot hold two aiokafka members of one group.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib.metadata import files
from typing import Any

import confluent_kafka  # noqa: F401 - loads the libraries that librdkafka itself needs
from aiokafka.errors import KafkaError

PRODUCER = 0
BROKER = 1
NOBODY = -1


class Request(IntEnum):
    """What an error may be the answer to: the protocol's own numbers."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    SYNC_GROUP = 14
    INIT_PRODUCER_ID = 22


class MockKafka:
    """A running mock cluster; see `mock_kafka`."""

    def __init__(self, library: ctypes.CDLL, cluster: ctypes.c_void_p) -> None:
        self._library = library
        self._cluster = cluster
        bootstraps = library.rd_kafka_mock_cluster_bootstraps
        bootstraps.restype, bootstraps.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
        self.bootstrap_servers: str = bootstraps(cluster).decode()

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic; the mock answers no admin requests."""
        create = self._library.rd_kafka_mock_topic_create
        create.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
        assert 0 == create(self._cluster, name.encode(), partitions, 1)

    def answer(self, request: Request, *errors: type[KafkaError]) -> None:
        """Answer the next requests of a kind, from whomever they come, with these errors; then as usual."""
        push = self._library.rd_kafka_mock_broker_push_request_error_rtts
        push.restype = ctypes.c_int
        push.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int16, ctypes.c_size_t]
        pairs = [ctypes.c_int(value) for error in errors for value in (error.errno, 0)]  # an error, its milliseconds
        assert 0 == push(self._cluster, BROKER, request, len(errors), *pairs)

    def take_leader(self, topic: str, partition: int) -> None:
        """Leave a partition without a leader, as when every replica of it is gone."""
        self._lead(topic, partition, NOBODY)

    def give_leader(self, topic: str, partition: int) -> None:
        """Give it a leader again."""
        self._lead(topic, partition, BROKER)

    def _lead(self, topic: str, partition: int, broker: int) -> None:
        lead = self._library.rd_kafka_mock_partition_set_leader
        lead.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]
        assert 0 == lead(self._cluster, topic.encode(), partition, broker)

    def left(self, request: Request) -> int:
        """How many of those errors nobody has met yet."""
        count = self._library.rd_kafka_mock_broker_error_stack_cnt
        count.restype = ctypes.c_int
        count.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int16, ctypes.POINTER(ctypes.c_size_t)]
        found = ctypes.c_size_t()
        assert 0 == count(self._cluster, BROKER, request, ctypes.byref(found))
        return found.value


@contextmanager
def mock_kafka() -> Iterator[MockKafka]:
    """One mock broker, in threads of this process."""
    library = _library()
    client = _client(library)
    new = library.rd_kafka_mock_cluster_new
    new.restype, new.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]
    cluster = ctypes.c_void_p(new(client, 1))
    delay = library.rd_kafka_mock_group_initial_rebalance_delay_ms
    delay.restype, delay.argtypes = None, [ctypes.c_void_p, ctypes.c_int32]
    delay(cluster, 1)
    try:
        yield MockKafka(library, cluster)
    finally:
        _call(library, "rd_kafka_mock_cluster_destroy", cluster)
        _call(library, "rd_kafka_destroy", client)


def _library() -> ctypes.CDLL:
    found = [each for each in files("confluent-kafka") or () if each.name.startswith("librdkafka")]
    assert found, "this wheel of confluent-kafka brings no librdkafka"
    return ctypes.CDLL(str(found[0].locate()))


def _client(library: ctypes.CDLL) -> ctypes.c_void_p:
    """A client that nothing is asked of: the cluster lives in its threads."""
    configuration = library.rd_kafka_conf_new
    configuration.restype = ctypes.c_void_p
    new = library.rd_kafka_new
    new.restype = ctypes.c_void_p
    new.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    why = ctypes.create_string_buffer(512)
    client = new(PRODUCER, configuration(), why, len(why))
    assert client, why.value.decode()
    return ctypes.c_void_p(client)


def _call(library: ctypes.CDLL, name: str, argument: ctypes.c_void_p) -> None:
    function: Any = getattr(library, name)
    function.restype, function.argtypes = None, [ctypes.c_void_p]
    function(argument)
