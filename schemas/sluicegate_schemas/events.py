"""The events that cross a topic, as values.

Within a major version a model only ever gains optional fields; readers ignore the ones they do not know.
Times are timezone-aware and kept in UTC; durations are milliseconds; scores lie in [0, 1].
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

MISLEADING = frozenset("@[]")
"""Without one of these an ASCII URI holds neither credentials nor a bracketed host."""


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from error


def _without_credentials(uri: str) -> str:
    if uri.isascii() and not MISLEADING.intersection(uri):
        return uri  # nothing that `urlsplit` would refuse or find credentials in: ten times cheaper
    try:
        authority = urlsplit(uri).netloc
    except ValueError:  # its message may quote the credentials
        raise ValueError("not a URI") from None
    if "@" in authority:
        raise ValueError("holds credentials (user@host): give the consumer its own access instead")
    return uri


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
Score = Annotated[float, Field(ge=0.0, le=1.0)]
Milliseconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Uri = Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(_without_credentials)]


class Decision(StrEnum):
    """What a platform is to do with an image."""

    APPROVED = "approved"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    """Provisional: a second opinion has been asked for."""
    REVIEW = "review"
    """A human must decide."""
    UNPROCESSABLE = "unprocessable"
    """The bytes are not an image that can be judged; never a statement about its content."""


class Stage(StrEnum):
    """Who decided. A later stage supersedes an earlier one: its revision is higher."""

    CLASSIFIER = "classifier"
    VLM = "vlm"
    HUMAN = "human"

    @property
    def revision(self) -> int:
        """The revision that a verdict of this stage carries; a human's further verdicts count on from 3."""
        return {Stage.CLASSIFIER: 1, Stage.VLM: 2, Stage.HUMAN: 3}[self]


class Reason(StrEnum):
    """Why, in a form that a program can act on. Readers must expect codes that they do not know."""

    CLEAR = "clear"
    ABOVE_REJECT = "above_reject"
    BETWEEN_BANDS = "between_bands"
    SCORES_MISSING = "scores_missing"
    SCORES_NOT_FINITE = "scores_not_finite"
    DEGENERATE_IMAGE = "degenerate_image"

    IMAGE_MISSING = "image_missing"
    IMAGE_EMPTY = "image_empty"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_URI_REFUSED = "image_uri_refused"
    IMAGE_DIGEST_MISMATCH = "image_digest_mismatch"
    IMAGE_UNDECODABLE = "image_undecodable"
    IMAGE_UNSUPPORTED = "image_unsupported"
    IMAGE_TOO_MANY_PIXELS = "image_too_many_pixels"
    IMAGE_TOO_MANY_FRAMES = "image_too_many_frames"
    DECODE_TIMED_OUT = "decode_timed_out"
    DECODER_CRASHED = "decoder_crashed"

    VLM_APPROVED = "vlm_approved"
    VLM_REJECTED = "vlm_rejected"
    VLM_UNSURE = "vlm_unsure"
    VLM_WITHOUT_SCORE = "vlm_without_score"
    VLM_UNAVAILABLE = "vlm_unavailable"
    VLM_ANSWER_INVALID = "vlm_answer_invalid"
    TIERS_DISAGREE = "tiers_disagree"
    IMAGE_CHANGED = "image_changed"


class Event(BaseModel):
    """What all events share: frozen, and tolerant of fields from the future."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, ser_json_inf_nan="null", use_attribute_docstrings=True
    )
    ce_type: ClassVar[str]


class Part(BaseModel):
    """A piece of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True)


class ImageReference(Part):
    """Where the image lies. It is fetched from there, and from nowhere outside the consumer's allow-list."""

    uri: Uri
    """`file://`, `s3://`, `gs://`, `az://`, `http://` or `https://`. Never with credentials in it."""
    sha256: Sha256 | None = None
    """If given, other bytes than these are `unprocessable`."""
    media_type: str | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    """Bytes."""


class Upload(Event):
    """A user has uploaded an image: judge it."""

    ce_type: ClassVar[str] = "sluicegate.upload.v1"

    upload_id: Identifier
    """Opaque, chosen by the platform, and the record's key. It may be used again for another image."""
    tenant: Name = "default"
    surface: Name = "unspecified"
    """Where the image will be seen: `avatar`, `post`, `message`, `listing`, ..."""
    policy: Name = "default"
    """The name of a policy in the consumer's policy file."""
    uploaded_at: Moment
    """Orders the uploads of one id: the verdict of the latest holds."""
    image: ImageReference | None = None
    """None: the record's value is the image itself."""


class PolicyReference(Part):
    """The policy that decided."""

    name: Name
    version: str


class ModelReference(Part):
    """The model that was asked."""

    name: str
    digest: str
    """`sha256:` and 64 hexadecimal digits over the model's files, or what the model's server calls its digest."""


class ImageFacts(Part):
    """What was found out about the bytes that were judged."""

    sha256: Sha256 | None = None
    """Of the encoded bytes. None only where they could not be had. A verdict holds for these bytes alone."""
    size: Annotated[int, Field(ge=0)] | None = None
    """Bytes."""
    width: Annotated[int, Field(ge=1)] | None = None
    """Pixels, after the EXIF orientation is applied."""
    height: Annotated[int, Field(ge=1)] | None = None
    media_type: str | None = None
    """As decoded, whatever the event said."""
    frames: Annotated[int, Field(ge=1)] | None = None


class Timings(Part):
    """Where the time went, in milliseconds."""

    queue_ms: Milliseconds | None = None
    """From uploaded-at until the record was received."""
    fetch_ms: Milliseconds | None = None
    decode_ms: Milliseconds | None = None
    batch_wait_ms: Milliseconds | None = None
    inference_ms: Milliseconds | None = None
    """Of the whole batch, or of the language model's answer."""
    total_ms: Milliseconds | None = None
    """From received to decided."""


class SecondOpinion(Part):
    """What the vision language model said, in closed terms: never its prose."""

    decision: Annotated[str, StringConstraints(pattern=r"^(approve|reject|unsure)$")]
    score: Score | None = None
    """Probability of *reject* among the allowed decisions at the decision token. None: the server sent none."""


class Verdict(Event):
    """The decision about one image of one upload.

    Of several verdicts for an upload id the one of the latest `uploaded_at` holds, and among those the one of the
    highest `revision`; the first copy of a `verdict_id` counts. It holds for the bytes of `image.sha256` alone.
    """

    ce_type: ClassVar[str] = "sluicegate.verdict.v1"

    verdict_id: UUID
    """Deterministic: the same work done again gives the same id."""
    upload_id: Identifier
    tenant: Name
    surface: Name
    uploaded_at: Moment
    revision: Annotated[int, Field(ge=1)]
    decision: Decision
    category: Name | None = None
    """The policy's category that the decision rests on; None where none does."""
    scores: dict[str, Score] = Field(default_factory=dict)
    """Every label of the classifier, for the frame that scored worst."""
    stage: Stage
    reasons: Annotated[tuple[Code, ...], Field(examples=[[reason.value for reason in Reason]])] = ()
    """The codes of `Reason`, and those that the policy defines; a reader must expect others."""
    policy: PolicyReference
    model: ModelReference | None = None
    """None where no model was asked."""
    image: ImageFacts
    second_opinion: SecondOpinion | None = None
    worst_frame: Annotated[int, Field(ge=0)] | None = None
    """Index of the frame that scored worst, counted from 0."""
    timings: Timings = Timings()
    decided_at: Moment


class Escalation(Event):
    """An ambiguous image: everything that the second tier needs, so that it need ask nobody."""

    ce_type: ClassVar[str] = "sluicegate.escalation.v1"

    upload: Upload
    """As received. Where its image is None, the record's value is the image."""
    verdict: Verdict
    """The provisional verdict of the first tier."""
    category_scores: dict[str, Score] = Field(default_factory=dict)
    """Its scores in the policy's categories, for the frame that scored worst."""


class Review(Event):
    """An image that a human must decide, with what both tiers made of it."""

    ce_type: ClassVar[str] = "sluicegate.review.v1"

    upload: Upload
    """As received. Where its image is None, the record's value is the image."""
    verdict: Verdict
    """The verdict that asks for review."""
    provisional: Verdict | None = None
    """The first tier's verdict, where a second tier was asked as well."""
