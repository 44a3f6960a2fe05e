"""What of a case may be seen in a trace."""

from collections.abc import Mapping, Sequence

from sluicegate_consumer.delivery.values import Delivered
from sluicegate_consumer.operations.tracing import Origin, Processed


def processed(
    messages: Sequence[tuple[Delivered, str | None]],
    facts: Mapping[str, str | int],
    error: Exception | None = None,
) -> Processed:
    """A span's value.

    Args:
        messages: What was processed together, each with its trace context.
        facts: Counts and codes: nothing that an upload brought along.
        error: Why there is no verdict.
    """
    return Processed(
        topic=messages[0][0].ticket.partition.topic,
        messages=[
            Origin(delivered.ticket.partition.number, delivered.ticket.offset, traceparent)
            for delivered, traceparent in messages
        ],
        began_ns=min(delivered.received_ns for delivered, _ in messages),
        facts=facts,
        error=type(error).__name__ if error is not None else None,
    )
