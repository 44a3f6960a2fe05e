"""How often an image was asked about in vain, remembered while it waits for a server to come back."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence
from sluicegate_consumer.second_opinion.opinion import Question
from sluicegate_consumer.second_opinion.servers import Replica

LONGEST_PAUSE_S = 8.0
REMEMBERED = 1_000
"""Images; more do not wait with an attempt behind them, and forgetting one costs a few attempts."""

_USES_UP_AN_ATTEMPT = {Consequence.RETRY, Consequence.SUSPECT}


@dataclass(slots=True)
class Tries:
    """What asking about one image has come to so far."""

    attempts: int = 0
    """That the image itself may have spoilt."""
    failures: int = 0
    """All, also those of servers that were not there."""
    last: AskFailed | None = None
    failed_at: Replica | None = None

    def add(self, replica: Replica, failed: AskFailed) -> None:
        """One more in vain."""
        self.failures += 1
        self.attempts += failed.consequence in _USES_UP_AN_ATTEMPT
        self.last, self.failed_at = failed, replica

    def over(self, max_attempts: int) -> bool:
        """Whether asking again is pointless."""
        hopeless = self.last is not None and self.last.consequence is Consequence.NO_OPINION
        return hopeless or self.attempts >= max_attempts

    def pause(self, first_s: float) -> float:
        """Seconds to wait before asking again: none at first, then `first_s`, doubled each time."""
        return min(first_s * 2.0 ** (self.failures - 1), LONGEST_PAUSE_S) if self.failures else 0.0


class Unsettled:
    """Attempts at images that went back to wait.

    Without it, an image that takes its server down would be the first to be asked about whenever the server is back,
    for ever.
    """

    def __init__(self) -> None:
        self._attempts: OrderedDict[bytes, int] = OrderedDict()

    def resume(self, question: Question) -> Tries:
        """The image's earlier attempts, which are forgotten here."""
        return Tries(attempts=self._attempts.pop(_key(question), 0))

    def keep(self, question: Question, tries: Tries) -> None:
        """The image goes back to wait."""
        if tries.attempts:
            self._attempts[_key(question)] = tries.attempts
        while len(self._attempts) > REMEMBERED:
            self._attempts.popitem(last=False)


def _key(question: Question) -> bytes:
    return sha256(question.jpeg).digest()
