"""Events as Kafka records, after the CloudEvents 1.0 Kafka protocol binding.

Binary mode is written. Binary mode, structured mode and plain JSON without any headers are read.
An image that travels inside its record is the record's value, byte for byte, never base64: an upload's attributes are
then CloudEvents headers, and an escalation or a review is the header `sluicegate_event`.
"""

from sluicegate_schemas.errors import EventError
from sluicegate_schemas.reading import Received, read_escalation, read_review, read_upload, read_verdict
from sluicegate_schemas.writing import schema_urn, write

__all__ = [
    "EventError",
    "Received",
    "read_escalation",
    "read_review",
    "read_upload",
    "read_verdict",
    "schema_urn",
    "write",
]
