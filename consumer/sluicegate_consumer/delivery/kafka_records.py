"""Records whose headers have names that are not UTF-8, which Kafka carries and aiokafka cannot read.

Its C parser gives up a batch at such a name, and with it the partition: the same batch would be fetched for ever. So
what it gives up is read again by aiokafka's own parser in Python, where what is no UTF-8 in a name becomes U+FFFD. No
header of ours has such a name, so nothing depends on it; key, value and all other headers stay as they are. (Where
aiokafka runs without its C extension it calls such a batch corrupt, and the service ends: its wheels all have it.)
"""

import struct
from collections.abc import Iterator
from typing import Any, Self

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

FRAME = struct.Struct(">qi")
"""What each batch begins with: its first offset, and how many bytes follow."""


def read_any_header_name() -> None:
    """Have all consumers of this process read such records from now on; to be called before one starts."""
    fetcher.MemoryRecords = AnyRecords  # there is no public way


class AnyRecords:
    """The batches of one answer of a broker, in the place of aiokafka's `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)
        self._begin = 0

    def size_in_bytes(self) -> int:
        """Of all of them."""
        return len(self._data)

    def has_next(self) -> bool:
        """Whether there is another whole batch."""
        has_next: bool = self._records.has_next()
        return has_next

    def next_batch(self) -> "AnyBatch":
        """The next one."""
        begin, (_, size) = self._begin, FRAME.unpack_from(self._data, self._begin)
        self._begin = begin + FRAME.size + size
        return AnyBatch(self._records.next_batch(), memoryview(self._data)[begin : self._begin])


class AnyBatch:
    """One batch: as the fast parser reads it and, from where that gives up, as the patient one does."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        """What is said of the whole batch."""
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """The next record, of a batch of the broker's own."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        """Every record."""
        read = 0
        try:
            for read, record in enumerate(self._batch, start=1):  # noqa: B007 - counts what was read
                yield record
        except UnicodeDecodeError:
            yield from _PatientBatch(self._data, behind=read)


class _PatientBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # aiokafka ships no types
    """Every record behind the first few, which are passed by their lengths: there may be very many."""

    _buffer: bytearray
    _pos: int

    def __init__(self, data: memoryview, *, behind: int) -> None:
        super().__init__(data)
        self._behind = behind

    def __iter__(self) -> Self:
        batch: Self = super().__iter__()  # decompressed by now
        for _ in range(self._behind):
            length, begin = decode_varint(self._buffer, self._pos)
            self._pos = begin + length
        self._next_record_index = self._behind
        self._buffer = _Buffer(self._buffer)
        return batch


class _Buffer(bytearray):
    """Bytes whose parts are decoded whatever they are."""

    def __getitem__(self, where: Any) -> Any:
        found = super().__getitem__(where)
        return _Buffer(found) if isinstance(where, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
