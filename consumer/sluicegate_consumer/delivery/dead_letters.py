"""Dead letters: the record as it was, and behind its own headers those that say what went wrong.

Names and meaning of the added headers are Kafka Connect's, so that the tools that know those can read them.
"""

from sluicegate_consumer.delivery.values import Delivered, Outcome, Record
from sluicegate_consumer.errors import Poison
from sluicegate_schemas.message import Message

PREFIX = "__connect.errors."
FIELDS = (
    "topic",
    "partition",
    "offset",
    "timestamp",
    "stage",
    "exception.class.name",
    "exception.message",
    "attempts",
)
MAX_MESSAGE_LENGTH = 1000


def dead_letter(delivered: Delivered, *, topic: str, stage: str, error: BaseException, attempts: int = 1) -> Outcome:
    """The outcome of a record that cannot be processed: itself, in the dead-letter topic.

    Args:
        delivered: The record.
        topic: The dead-letter topic.
        stage: Where it failed: `read`, `fetch`, `decode`, `classify`, ...
        error: Why. Its message is kept, shortened; ours never hold image bytes or credentials.
        attempts: How often the failing step was tried.
    """
    ticket, message = delivered.ticket, delivered.message
    values = (
        ticket.partition.topic,
        str(ticket.partition.number),
        str(ticket.offset),
        "" if message.timestamp_ms is None else str(message.timestamp_ms),
        stage,
        type(error).__name__,
        str(error)[:MAX_MESSAGE_LENGTH],
        str(attempts),
    )
    added = tuple((PREFIX + field, value.encode()) for field, value in zip(FIELDS, values, strict=True))
    # Clients cannot write a record without both. An empty key is no key either, to whoever reads it.
    key = b"" if message.key is None and message.value is None else message.key
    # The letter's own time is now: with the record's, a topic's retention might drop it as it arrives.
    letter = Message(key, message.value, message.headers + added)
    return Outcome(ticket, (Record(topic, letter),), dead_letter=True)


def errors_of(message: Message) -> dict[str, str]:
    """What a dead letter says went wrong, by the names in `FIELDS`.

    Raises:
        Poison: the record's last headers are not those of a dead letter.
    """
    added = message.headers[-len(FIELDS) :]
    names = tuple(name for name, _ in added)
    if names != tuple(PREFIX + field for field in FIELDS):
        raise Poison(f"not a dead letter: its last headers are {names}, not {PREFIX}{'|'.join(FIELDS)}")
    return {field: value.decode(errors="replace") for field, (_, value) in zip(FIELDS, added, strict=True)}


def restore(message: Message) -> Record:
    """The record that became this dead letter, and the topic that it came from.

    Exactly as it was, but for what the client cannot write: one that had neither key nor value has an empty key now,
    and what was no UTF-8 in a header's name is U+FFFD.

    Raises:
        Poison: the record is not a dead letter.
    """
    errors = errors_of(message)
    original = message.headers[: -len(FIELDS)]
    return Record(errors["topic"], Message(message.key, message.value, original, _timestamp_ms(errors["timestamp"])))


def _timestamp_ms(text: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise Poison(f"{PREFIX}timestamp: is {text!r}, should be milliseconds since 1970") from None


class DeadLetterWatch:
    """Tells when too many of the latest outcomes are dead letters: more likely our fault than theirs."""

    def __init__(self, window: int, max_share: float) -> None:
        self._window = window
        self._most = max_share * window
        self._latest: list[bool] = [False] * window
        self._seen = 0
        self._dead = 0

    def note(self, outcome: Outcome) -> None:
        """Count an outcome in, and the one that leaves the window out."""
        slot = self._seen % self._window
        self._dead += outcome.dead_letter - self._latest[slot]
        self._latest[slot] = outcome.dead_letter
        self._seen += 1

    @property
    def flooded(self) -> bool:
        """Whether more than the allowed share of the window are dead letters; outcomes not yet seen count as good."""
        return self._dead > self._most
