"""The form of an answer, as JSON Schema for the server's grammar.

The decision comes first, in one letter: values whose first tokens differ, so that the probabilities at that token are
the probabilities of the decisions. Closed lists only: a grammar built from the schema enforces them, but no numeric
bounds, and free prose could carry what somebody wrote into an image.
"""

from typing import Any

from sluicegate_consumer.second_opinion.criteria import NONE, Criteria
from sluicegate_consumer.second_opinion.opinion import Answer

LETTERS: dict[str, Answer] = {"A": "approve", "R": "reject", "U": "unsure"}


def answer_schema(criteria: Criteria) -> dict[str, Any]:
    """JSON Schema of the only answers that count for these criteria; its order of properties is the answer's."""
    closed = {
        "decision": [*LETTERS],
        "category": [NONE, *criteria.signs_of],
        "sign": [NONE, *criteria.signs],
    }
    return {
        "type": "object",
        "properties": {name: {"type": "string", "enum": values} for name, values in closed.items()},
        "required": [*closed],
        "additionalProperties": False,
    }
