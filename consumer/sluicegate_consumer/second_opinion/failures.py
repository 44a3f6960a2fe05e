"""What can go wrong with one question to one server, and what follows from it.

| consequence | the image | the server's breaker |
| --- | --- | --- |
| NO_OPINION | gets none: the same question fails again | counts a success: it answered |
| RETRY | has used up an attempt | counts a success: it answered |
| SUSPECT | has used up an attempt: it may have caused this | counts a failure: so may the server |
| AWAY | is not to blame: no attempt is used up | counts a failure |
| UNUSABLE | is not to blame | opens at once |

Attempts end in a verdict only where the server answers others: see `tries`, also for an image that is failed as AWAY or
UNUSABLE for too long.
"""

from enum import Enum

LONGEST_DETAIL = 200
"""Characters of a server's error text that are kept."""


class Consequence(Enum):
    """See the module's table."""

    NO_OPINION = "no_opinion"
    RETRY = "retry"
    SUSPECT = "suspect"
    AWAY = "away"
    UNUSABLE = "unusable"


class AskFailed(Exception):  # noqa: N818 - reads as what happened
    """One question to one server has failed.

    Args:
        consequence: what follows.
        reason: a code for logs.
        detail: the server's error text. Never what a model wrote.
    """

    def __init__(self, consequence: Consequence, reason: str, detail: str = "") -> None:
        detail = detail[:LONGEST_DETAIL]
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.consequence = consequence
        self.reason = reason


_STATUSES = {
    400: (Consequence.NO_OPINION, "bad_request"),
    401: (Consequence.UNUSABLE, "refused_by_server"),
    403: (Consequence.UNUSABLE, "refused_by_server"),
    404: (Consequence.UNUSABLE, "model_missing"),
    429: (Consequence.AWAY, "busy"),
    # A gateway says so of a server that is gone, and of one that this image has killed or keeps busy for too long.
    502: (Consequence.SUSPECT, "gateway"),
    503: (Consequence.AWAY, "busy"),
    504: (Consequence.SUSPECT, "gateway"),
}


def failure_of_status(status: int, detail: str) -> AskFailed:
    """What an HTTP status that is no success means.

    500 is a server's answer both to its caller's mistakes and to a runner that died, so image and server are suspect.
    """
    if status in _STATUSES:
        consequence, reason = _STATUSES[status]
    elif status < 400:  # noqa: PLR2004 - redirects are not followed: they would send the image elsewhere
        consequence, reason = Consequence.UNUSABLE, "redirect"
    elif status < 500:  # noqa: PLR2004 - the caller's mistake
        consequence, reason = Consequence.NO_OPINION, f"status_{status}"
    else:
        consequence, reason = Consequence.SUSPECT, f"status_{status}"
    return AskFailed(consequence, reason, detail)
