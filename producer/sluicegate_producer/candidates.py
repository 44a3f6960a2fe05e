"""What can be an upload: checks that need no broker."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import ValidationError

from sluicegate_producer.errors import NotAnUpload
from sluicegate_producer.media_type import media_type_of
from sluicegate_producer.names import plainly_shown, require_one_name, shown, shown_uri
from sluicegate_schemas.events import ImageReference, Upload

SCHEMES = ("file", "s3", "gs", "az", "http", "https")
HEAD_BYTES = 16


def reference_to(uri: str) -> ImageReference:
    """A reference to an image in a store.

    Raises:
        NotAnUpload: no consumer could follow it, it is too long, or it carries credentials.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:  # its message may quote the credentials
        raise NotAnUpload(f"{shown_uri(uri)} is not a URI") from None
    if "@" in parts.netloc:
        raise NotAnUpload(f"the URI to {parts.hostname} holds credentials: give the consumer its own access instead")
    if parts.scheme not in SCHEMES:
        raise NotAnUpload(f"{shown(uri)} begins with none of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    require_one_name(uri)
    if not parts.path.strip("/"):
        raise NotAnUpload(f"{shown(uri)} names no object")
    return _reference(uri, shown(uri))


def reference_to_file(path: Path) -> ImageReference:
    """A reference to a file that the consumer can see under the same path.

    Raises:
        NotAnUpload: it is no readable file, is empty, does not begin like an image, or its path is too long.
    """
    require_one_name(str(path))
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        size = path.stat().st_size
        uri = path.resolve().as_uri()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    name = plainly_shown(str(path))
    media_type = require_image(head, name)
    return _reference(uri, name, media_type, size)


def image_in(path: Path) -> bytes:
    """A whole file.

    Raises:
        NotAnUpload: it cannot be read.
    """
    require_one_name(str(path))
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


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


def _reference(uri: str, what: str, media_type: str | None = None, size: int | None = None) -> ImageReference:
    try:
        return ImageReference(uri=uri, media_type=media_type, size=size)
    except ValidationError as error:
        # Not the error's own text: it goes on for lines, and quotes the URI once more.
        why = "; ".join(each["msg"] for each in error.errors(include_url=False))
        raise NotAnUpload(f"{what} cannot be referred to by its URI: {why}") from error


def _unreadable(path: Path, error: OSError | ValueError) -> NotAnUpload:
    """The refusal of a file; a ValueError is a name that the system has no spelling for."""
    why = error.strerror if isinstance(error, OSError) else error
    return NotAnUpload(f"{plainly_shown(str(path))}: {why}")
