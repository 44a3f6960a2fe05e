"""What can be an upload: checks that need no broker."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from sluicegate_producer.errors import NotAnUpload
from sluicegate_producer.media_type import media_type_of
from sluicegate_schemas.events import ImageReference, Upload

SCHEMES = ("file", "s3", "gs", "az", "http", "https")
HEAD_BYTES = 16


def reference_to(uri: str) -> ImageReference:
    """A reference to an image in a store.

    Raises:
        NotAnUpload: no consumer could follow it, or it carries credentials.
    """
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise NotAnUpload(f"not a URI: {error}") from error
    if parts.scheme not in SCHEMES:
        raise NotAnUpload(f"{uri!r} begins with none of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if "@" in parts.netloc:
        raise NotAnUpload(f"the URI to {parts.hostname} holds credentials: give the consumer its own access instead")
    if not parts.path.strip("/"):
        raise NotAnUpload(f"{uri!r} names no object")
    return ImageReference(uri=uri)


def reference_to_file(path: Path) -> ImageReference:
    """A reference to a file that the consumer can see under the same path.

    Raises:
        NotAnUpload: it is no readable file, is empty, or does not begin like an image.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise NotAnUpload(f"{path}: {error.strerror}") from error
    media_type = require_image(head, str(path))
    return ImageReference(uri=path.resolve().as_uri(), media_type=media_type, size=size)


def require_image(data: bytes, what: str) -> str:
    """The media type of an image's bytes.

    Raises:
        NotAnUpload: there are none, or they do not begin like an image that can be judged.
    """
    if not data:
        raise NotAnUpload(f"{what} is empty")
    media_type = media_type_of(data)
    if media_type is None:
        raise NotAnUpload(f"{what} is not an image: JPEG, PNG, WebP, GIF, AVIF, HEIC, BMP and TIFF can be judged")
    return media_type


def require_fits(data: bytes, limit: int, what: str) -> None:
    """Check an image that is to travel in its record.

    Raises:
        NotAnUpload: it is larger than `limit` bytes.
    """
    if len(data) > limit:
        raise NotAnUpload(
            f"{what} has {len(data)} bytes: inline the limit is {limit}; publish a reference to it instead"
        )


def upload(
    *,
    upload_id: str | None,
    tenant: str,
    surface: str,
    policy: str,
    uploaded_at: datetime | None,
    image: ImageReference | None,
) -> Upload:
    """An upload event; an id and a time are made up where none are given.

    Raises:
        NotAnUpload: a field is not as the schema wants it; the message names it.
    """
    try:
        return Upload(
            upload_id=uuid4().hex if upload_id is None else upload_id,
            tenant=tenant,
            surface=surface,
            policy=policy,
            uploaded_at=datetime.now(UTC) if uploaded_at is None else uploaded_at,
            image=image,
        )
    except ValueError as error:
        raise NotAnUpload(f"not a valid upload: {error}") from error
