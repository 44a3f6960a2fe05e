"""From a model's outputs to scores. Pure."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sluicegate_consumer.pixels import Frame


def probabilities(logits: NDArray[np.floating], *, exclusive: bool) -> NDArray[np.float32]:
    """Softmax (exclusive) or sigmoid over `logits` of shape (frames, labels): float32 in [0, 1], same shape.

    A frame with any logit that is no finite number gets nothing but not-a-number: softmax would turn an
    overflow to minus infinity into a clean zero, which reads as harmless.
    """
    exact = logits.astype(np.float64)
    finite = np.isfinite(exact).all(axis=1, keepdims=True)
    exact = np.where(finite, exact, 0.0)
    if exclusive:
        powers = np.exp(exact - exact.max(axis=1, keepdims=True))
        scores = powers / powers.sum(axis=1, keepdims=True)
    else:
        # The same as 1 / (1 + exp(-x)), without its overflow.
        scores = 0.5 * (1.0 + np.tanh(0.5 * exact))
    return np.where(finite, scores, np.nan).astype(np.float32)


def score_in_chunks(
    frames: Sequence[Frame], chunk: int, score: Callable[[Sequence[Frame]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """`score` called with at most `chunk` frames at a time; all scores, in the order of `frames`."""
    return np.concatenate([score(frames[start : start + chunk]) for start in range(0, len(frames), chunk)])
