"""Telling a whole prompt from a cut one by its number of tokens.

A prompt longer than `num_ctx` is cut silently: the server keeps the first four tokens and the tail, so the policy
goes, and the model answers all the same. Such an answer must never count. Seen on Ollama 0.17: a cut prompt has
between `num_ctx - 7` and `num_ctx` tokens, or, where the cut falls into the image, only those that follow it.
"""

import math
from dataclasses import dataclass

SPARE = 64
"""Tokens of `num_ctx` that a whole prompt and its answer must leave free: what a cut prompt counts then lies
beyond what any whole one may."""
SLACK = 4
"""Tokens by which a count may differ for no reason that is known here."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a server counted for a prompt with an image of that size, in pixels."""

    width: int
    height: int
    tokens: int

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class PromptBudget:
    """How many tokens one policy's prompt has, by the size of its image.

    Vision models cut an image into square patches, one token each, so tokens grow with the area; two measurements give
    the text's share and the tokens a pixel costs (none for models that scale every image to one size).
    """

    small: Measured
    large: Measured
    """With the largest image that is ever sent."""

    @property
    def tokens_per_pixel(self) -> float:
        """1/1024 where a patch has 32 by 32 pixels."""
        pixels = self.large.area - self.small.area
        return max(0.0, (self.large.tokens - self.small.tokens) / pixels) if pixels else 0.0

    def allowed(self, width: int, height: int) -> tuple[float, float]:
        """Fewest and most tokens that a whole prompt with such an image may have had.

        Sides are rounded to whole patches, up or down, and some models add a token for each row: a patch more or less
        along both sides is allowed. Models scale very small images up, so those may take what the small measured one
        took. No image takes more than the largest.
        """
        density = self.tokens_per_pixel
        predicted = self.small.tokens + (width * height - self.small.area) * density
        tolerance = SLACK + (width + height) * math.sqrt(density)
        most = predicted + tolerance
        if width * height <= self.small.area:
            most = max(most, self.small.tokens + SLACK)
        return predicted - tolerance, min(most, self.large.tokens + SLACK)

    def holds(self, width: int, height: int, tokens: int | None) -> bool:
        """Whether `tokens` is what a whole prompt with an image of this size takes. Not counted is not whole."""
        if tokens is None:
            return False
        fewest, most = self.allowed(width, height)
        return fewest <= tokens <= most


def needed_num_ctx(budget: PromptBudget, num_predict: int) -> int:
    """Tokens that the largest prompt, its answer and the spare take together."""
    return max(budget.small.tokens, budget.large.tokens) + num_predict + SPARE


def was_cut(budget: PromptBudget) -> bool:
    """Whether a server counted less for the larger image: part of that prompt was thrown away."""
    return budget.large.tokens < budget.small.tokens
