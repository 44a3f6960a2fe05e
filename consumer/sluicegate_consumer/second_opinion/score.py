"""The probability of *reject*, from the log-probabilities at the answer's decision token.

A language model's own words about how sure it is cannot be calibrated; these probabilities, which the server takes
before its grammar masks what it does not allow, can be, like a classifier's.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sluicegate_consumer.second_opinion.schema import LETTERS

_DECISION = re.compile(r'\s*\{\s*"decision"\s*:\s*(?:"(?P<value>[^"]*)(?P<end>"?).*)?', re.DOTALL)
"""An answer up to its decision, and as much of the value as there is."""
_UNTOLD = "untold"
_FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that could have stood at one place, and the natural logarithm of its probability."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the answer, and the likeliest ones at its place, itself not always among them."""

    text: str
    logprob: float
    likeliest: tuple[Alternative, ...] = ()


def reject_score(tokens: Sequence[Token], letters: Sequence[str] = tuple(LETTERS)) -> float | None:
    """P(reject) / (P(approve) + P(reject) + P(unsure)) at the decision token.

    A token may begin with the quote, or hold only the first letters of a value. Probability that cannot be told to
    one value counts as *reject*: that of tokens which could begin several values, and whatever the listed tokens
    leave of 1. Tokens that begin no value are left out, as the grammar does. A log-probability that is no number, or
    above 0, counts as nothing, so what it would have said is left over, too. Tokens among which there is no decision
    score 1.

    Args:
        tokens: of the answer, in order.
        letters: values of approve, reject and unsure, in this order.

    Returns:
        A probability in [0, 1]; None if there are no tokens, because the server sent none.
    """
    if not tokens:
        return None
    approve, reject, unsure = letters
    before = ""
    for token in tokens:
        if _value(before + token.text):
            mass = _mass(before, token, letters)
            rejecting = mass[reject] + mass[_UNTOLD]
            total = mass[approve] + mass[unsure] + rejecting
            return min(rejecting / total, 1.0) if total > 0 else 1.0
        before += token.text
    return 1.0


def _mass(before: str, token: Token, letters: Sequence[str]) -> Mapping[str, float]:
    """Probability of each value, of what could be several, and of what is none of them."""
    mass: defaultdict[str, float] = defaultdict(float)
    for alternative in _listed(token):
        mass[_meaning(before + alternative.text, letters)] += _probability(alternative.logprob)
    mass[_UNTOLD] += max(0.0, 1.0 - sum(mass.values()))
    return mass


def _listed(token: Token) -> Iterator[Alternative]:
    """The likeliest tokens, and the answer's own even if it is not one of them."""
    yield from token.likeliest
    if all(alternative.text != token.text for alternative in token.likeliest):
        yield Alternative(token.text, token.logprob)


def _meaning(text: str, letters: Sequence[str]) -> str:
    """The value that an answer beginning with `text` would have."""
    match = _DECISION.fullmatch(text)
    if match is None:
        return _FOREIGN
    value, ended = match["value"] or "", bool(match["end"])
    begun = [letter for letter in letters if (letter == value if ended else letter.startswith(value))]
    if not begun:
        return _FOREIGN
    return begun[0] if len(begun) == 1 else _UNTOLD


def _value(text: str) -> str | None:
    match = _DECISION.fullmatch(text)
    return match["value"] if match else None


def _probability(logprob: float) -> float:
    return math.exp(logprob) if logprob <= 0 else 0.0
