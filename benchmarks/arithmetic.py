"""What is computed from measurements. Pure: nothing is measured here."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed: nearest rank, never interpolated.

    Raises:
        ValueError: there are no values, or the share is not within (0, 1].
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"the {share} quantile of {len(values)} values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def steady_rate(moments_s: Sequence[float]) -> float:
    """Events per second, as the slope of the least-squares line through (moment, events until then).

    Verdicts come in bursts of a batch. The number between two moments is then off by up to a batch, depending on where
    the moments lie; the slope through all of them is not.

    Raises:
        ValueError: fewer than two different moments.
    """
    moments = sorted(moments_s)
    count = len(moments)
    if count < 2 or moments[0] == moments[-1]:  # noqa: PLR2004 - a line needs two points
        raise ValueError(f"no rate from {count} events at one moment")
    middle = sum(moments) / count
    covariance = sum((moment - middle) * number for number, moment in enumerate(moments))
    return covariance / sum((moment - middle) ** 2 for moment in moments)


def slower(decode_per_s: float, model_per_s: float) -> float:
    """The limit where decoding and model do not share what they run on, as with a GPU: the slower of the two."""
    return min(decode_per_s, model_per_s)


def shared(decode_per_s: float, model_per_s: float) -> float:
    """The limit where both run on the same cores: an image costs the time of its decoding and that of its scoring."""
    return 1 / (1 / decode_per_s + 1 / model_per_s)
