"""Which verdict is which, and which one holds."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import orjson

from sluicegate_schemas.events import Stage, Verdict

NAMESPACE = UUID("5f1d7d0c-6c55-5d6e-9d0e-3b8f1f1c7a10")
"""Of all ids that sluicegate derives (RFC 9562, version 5). Never to change: ids are compared across releases."""


def derived_id(*parts: str | None) -> UUID:
    """The id of these parts, in this order. Written as a JSON list, so that no two lists of parts read the same."""
    return uuid5(NAMESPACE, orjson.dumps(parts).decode())


def verdict_id(
    *,
    source: str,
    upload_id: str,
    uploaded_at: datetime,
    image_sha256: str | None,
    stage: Stage,
    policy_version: str,
    model_revision: str | None,
) -> UUID:
    """The id of a verdict: the same work done again, after a crash or a rebalance, gives the same id.

    The content is part of it, as a changed image must not inherit a verdict; and so is the time of the upload: an
    avatar that goes from A to B and back to A has three uploads, and the third verdict is no copy of the first.

    Args:
        source: CloudEvents source of the installation.
        upload_id: The platform's id.
        uploaded_at: When it was uploaded, timezone-aware.
        image_sha256: Of the encoded bytes; None where they could not be had.
        stage: Who decides.
        policy_version: Version of the policy document.
        model_revision: Digest of the model that was asked; None where none was.
    """
    moment = uploaded_at.astimezone(UTC).isoformat(timespec="microseconds")
    return derived_id(source, upload_id, moment, image_sha256, stage, policy_version, model_revision)


def supersedes(new: Verdict, current: Verdict | None) -> bool:
    """Whether `new` holds from now on, for its upload id.

    The latest upload wins, then the highest revision. Of two verdicts that are equal in both, the first copy stays.
    """
    if current is None:
        return True
    return (new.uploaded_at, new.revision) > (current.uploaded_at, current.revision)
