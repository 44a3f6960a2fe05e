"""Reading an answer, strictly: what is not exactly of the form that was asked for is no answer."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from sluicegate_consumer.second_opinion.criteria import NONE, Criteria
from sluicegate_consumer.second_opinion.opinion import Answer
from sluicegate_consumer.second_opinion.schema import LETTERS

KEYS = ("decision", "category", "sign")


class InvalidAnswer(ValueError):  # noqa: N818 - says what it is
    """Not an answer. The message is a code for logs: it never quotes what the model wrote."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a language model has decided, in closed terms that fit together."""

    answer: Answer
    category: str | None
    sign: str | None


def parse_answer(text: str, criteria: Criteria) -> GivenAnswer:
    """Read the server's text.

    `approve` names neither category nor sign; `reject` names a category; a sign belongs to the category that is named.

    Raises:
        InvalidAnswer: it is anything else.
    """
    fields = _object(text)
    if set(fields) != set(KEYS):
        raise InvalidAnswer("unexpected_keys")
    decision, category, sign = (fields[key] for key in KEYS)
    if not isinstance(decision, str) or decision not in LETTERS:
        raise InvalidAnswer("unknown_decision")
    return _consistent(LETTERS[decision], _named(category, "category"), _named(sign, "sign"), criteria)


def _consistent(answer: Answer, category: str | None, sign: str | None, criteria: Criteria) -> GivenAnswer:
    if category is not None and category not in criteria.signs_of:
        raise InvalidAnswer("unknown_category")
    if sign is not None and sign not in criteria.signs:
        raise InvalidAnswer("unknown_sign")
    if answer == "approve" and (category, sign) != (None, None):
        raise InvalidAnswer("approves_and_names_a_category_or_sign")
    if answer == "reject" and category is None:
        raise InvalidAnswer("rejects_without_category")
    if sign is not None and (category is None or sign not in criteria.signs_of[category]):
        raise InvalidAnswer("sign_of_another_category")
    return GivenAnswer(answer, category, sign)


def _named(value: object, key: str) -> str | None:
    if not isinstance(value, str):
        raise InvalidAnswer(f"unknown_{key}")
    return None if value == NONE else value


def _object(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except InvalidAnswer:
        raise
    except (ValueError, RecursionError):
        # Not "from error": its text quotes the model's.
        raise InvalidAnswer("not_json") from None
    if not isinstance(parsed, dict):
        raise InvalidAnswer("not_an_object")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's pairs; JSON readers differ on which of two equal keys counts, so neither does."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidAnswer("repeated_key")
    return fields


def _refuse(_: str) -> NoReturn:
    raise InvalidAnswer("not_json")
