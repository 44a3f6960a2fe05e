"""The edge to the second tier: one image and one policy in, one answer in closed terms out."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from sluicegate_consumer.errors import SluicegateError
from sluicegate_consumer.second_opinion.breaker import State

Answer = Literal["approve", "reject", "unsure"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one image."""

    policy: str
    """Name of the policy, which determines the prompt and the closed lists of categories and signs."""
    jpeg: bytes
    width: int
    """Pixels of the JPEG: they predict how many tokens the prompt must have had."""
    height: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """A valid answer. Anything that is not one never becomes an `Opinion`."""

    answer: Answer
    category: str | None
    """A category of the policy; None where the answer is `approve`."""
    sign: str | None
    """A sign of that category, as the policy lists them; None where the answer is `approve`."""
    score: float | None
    """P(reject) / (P(approve) + P(reject) + P(unsure)) at the decision token, mass that could not be assigned
    counted as reject. None: the server sent no log-probabilities."""
    model: str
    digest: str
    seconds: float


class NoOpinion(SluicegateError):  # noqa: N818 - says what there is
    """The server answers, but no valid opinion came of it within the deadline: a human must look.

    The message says why.
    """


class SecondTierAway(SluicegateError):  # noqa: N818 - says what is the case
    """No server can be asked at present: nothing about the image; wait, and ask again."""


class SecondTier(Protocol):
    """Asks a vision language model.

    Raises:
        NoOpinion: this image got no valid answer, and asking again would not help or has not helped.
        SecondTierAway: no server answers. The escalation must wait.
    """

    @property
    def available(self) -> bool:
        """Whether a question asked now has a chance: at least one server's breaker is not open."""

    @property
    def breakers(self) -> Mapping[str, State]:
        """Of every server, by host and port."""

    async def ask(self, question: Question) -> Opinion:
        """One opinion, retries inside its own deadline included."""

    async def wait_available(self) -> None:
        """Return once `available` is true; the breaker's probes go on meanwhile."""

    async def __aenter__(self) -> Self:
        """Check the model, load it ahead of traffic, and start the probes.

        Raises:
            ConfigurationError: the model is a cloud model, sees no images, or its prompt does not fit `num_ctx`.
        """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
