"""Every commit that a broker accepted, read from its own log of them."""

import struct
from collections.abc import Iterator
from typing import Any

from kafka_state import records

OFFSETS_TOPIC = "__consumer_offsets"


async def accepted_commits(bootstrap_servers: str, group: str) -> list[tuple[tuple[str, str, int], int]]:
    """(group, topic, partition) and offset of each commit of a group, in order.

    Format: Apache Kafka, OffsetCommitKey and OffsetCommitValue (group-coordinator/src/main/resources/common/message).
    """
    return list(_commits(await records(bootstrap_servers, OFFSETS_TOPIC), group))


def _commits(found: list[Any], group: str) -> Iterator[tuple[tuple[str, str, int], int]]:
    for record in found:
        version = struct.unpack_from("!h", record.key)[0]
        if version not in {0, 1} or record.value is None:
            continue  # a group's metadata, or an offset that has expired
        name, at = _string(record.key, 2)
        topic, at = _string(record.key, at)
        partition = struct.unpack_from("!i", record.key, at)[0]
        offset = struct.unpack_from("!q", record.value, 2)[0]
        if name == group:
            yield (name, topic, partition), offset


def _string(data: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("!h", data, at)[0]
    return data[at + 2 : at + 2 + length].decode(), at + 2 + length
