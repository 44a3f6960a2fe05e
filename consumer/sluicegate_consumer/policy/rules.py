"""The rules of one policy, as the file writes them and as `decide` and `judge` read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from sluicegate_consumer.policy.durations import duration_text, parse_duration
from sluicegate_schemas.events import Code, Name

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(duration_text)]


class Bands(NamedTuple):
    """Two edges in [0, 1] that part the scores: `score < approve_below`, between, `score >= reject_above`."""

    approve_below: float
    reject_above: float


class Section(BaseModel):
    """A part of the file. Strict: the text `"0.5"` is no number, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Category(Section):
    """One kind of content that the policy knows."""

    approve_below: Share | None = None
    """First tier: harmless in this respect if its score is below."""
    reject_above: Share | None = None
    """First tier: rejected if its score is this or higher."""
    description: str = ""
    """In words, for the language model."""
    signs: Mapping[Code, str] = Field(default_factory=dict)
    """What gives it away: a code, which becomes a reason of the verdict, and its meaning in words."""

    @cached_property
    def bands(self) -> Bands | None:
        """The first tier's; None where only the second tier looks for this category."""
        if self.approve_below is None or self.reject_above is None:
            return None
        return Bands(self.approve_below, self.reject_above)

    @model_validator(mode="after")
    def _paired_and_ordered(self) -> Self:
        if (self.approve_below is None) != (self.reject_above is None):
            raise ValueError("give both approve_below and reject_above, or neither if only the second tier judges it")
        _require_order(self.bands)
        return self


class SecondOpinion(Section):
    """How the language model's answer is judged, and what happens while it cannot be had."""

    approve_below: Share
    """Approved if the probability of *reject* is below."""
    reject_above: Share
    """Rejected if the probability of *reject* is this or higher."""
    outage: Literal["hold", "review", "provisional"] = "hold"
    """After `deadline` without a language model: wait on, ask a human, or let the provisional verdict be."""
    deadline: Duration = timedelta(minutes=10)
    """How long an escalation waits before `outage` applies."""
    prompt: Annotated[Path, Field(strict=False)] | None = None
    """A template of its own for this policy; a relative path starts at the policy file's directory."""

    @property
    def bands(self) -> Bands:
        """Of the probability of *reject*."""
        return Bands(self.approve_below, self.reject_above)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_order(self.bands)
        return self


class Disagreement(Section):
    """What happens when the second tier says the opposite of the first."""

    margin: Share = 0.60
    """The tiers disagree if their scores lie further apart than this."""
    then: Literal["review", "reject", "trust_second"] = "review"


class Degenerate(Section):
    """Images about which a classifier knows nothing, whatever it scores: one flat colour, a few pixels."""

    min_side: Annotated[int, Field(ge=0)] = 16
    """Pixels. Degenerate if width or height is below."""
    min_contrast: Annotated[int, Field(ge=0, le=255)] = 8
    """Degenerate if the brightest and the darkest value of every channel lie closer together, 0 to 255."""
    then: Literal["review", "escalate", "approve"] = "review"


class PolicySection(Section):
    """A policy as the file writes it, what it extends merged in."""

    extends: str | None = None
    """Another policy, from which everything is taken that this one does not say itself."""
    categories: Annotated[Mapping[Name, Category | None], Field(min_length=1)]
    """null: this policy does not judge it, on purpose."""
    second_opinion: SecondOpinion | None = None
    disagreement: Disagreement | None = Disagreement()
    degenerate: Degenerate = Degenerate()


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of the document, with everything that it extends merged in."""

    name: str
    version: str
    """Of the document."""
    categories: Mapping[str, Category]
    """Those that it judges, in the document's order."""
    ignored: frozenset[str]
    """Categories that it says it does not judge."""
    second_opinion: SecondOpinion | None
    """None: what is ambiguous goes to a human at once."""
    disagreement: Disagreement | None
    """None: the second tier's answer stands whatever the first tier scored."""
    degenerate: Degenerate


def _require_order(bands: Bands | None) -> None:
    if bands and bands.approve_below > bands.reject_above:
        raise ValueError(
            f"approve_below {bands.approve_below} is above reject_above {bands.reject_above}: "
            "what lies between is neither, so it must be the lower one"
        )
