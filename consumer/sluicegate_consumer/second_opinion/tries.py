"""How often an image was asked about in vain, remembered while it waits for a server to come back.

An image that fails must end some time, and an outage must end no image. From one failure they cannot be told apart: a
gateway answers 502 for a server that is gone and for one that this image has just killed. What tells them apart is the
others. A server that answers somebody, a probe at least, between two failures of an image is in order, and the later
one is the image's. In an outage nobody is answered, however often and by whatever code the servers fail.

So attempts are counted as they come, and are decisive only at a server that is in order with others. Each server is
taken by itself, so that one that is gone costs nothing while another one answers.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence
from sluicegate_consumer.second_opinion.opinion import Question
from sluicegate_consumer.second_opinion.servers import Replica

LONGEST_PAUSE_S = 8.0
REMEMBERED = 1_000
"""Images; more do not wait with a failure behind them, and forgetting one costs a few attempts."""

_USES_UP_AN_ATTEMPT = {Consequence.RETRY, Consequence.SUSPECT}


@dataclass(slots=True)
class Tries:
    """What asking about one image has come to so far."""

    began: float = 0.0
    """When it was first asked about, or, if later, when it last used up an attempt by failing for too long."""
    attempts: int = 0
    """That the image itself may have spoilt."""
    failures: int = 0
    """All since it was last taken up, also those of servers that were not there."""
    last: AskFailed | None = None
    failed_at: Replica | None = None
    _last_in_order: bool = False
    """Whether the server that failed last was in order with others."""
    _ever_in_order: bool = False
    """Whether any that failed since `began` was."""
    _answers: dict[Replica, int] = field(default_factory=dict)
    """Of each server, how often it had answered anybody when it failed this image last."""

    def add(self, replica: Replica, failed: AskFailed) -> None:
        """One more in vain. To be called before the server's breaker is told."""
        self.failures += 1
        self.attempts += failed.consequence in _USES_UP_AN_ATTEMPT
        self.last, self.failed_at = failed, replica
        answers = replica.breaker.answers
        # A reply that is no valid answer shows it as well.
        replied = failed.consequence is Consequence.RETRY
        self._last_in_order = replied or answers > self._answers.get(replica, answers)
        self._ever_in_order = self._ever_in_order or self._last_in_order
        self._answers[replica] = answers

    def over(self, max_attempts: int) -> bool:
        """Whether asking again is pointless."""
        if self.last is None:
            return False
        if self.last.consequence is Consequence.NO_OPINION:
            return True
        counts = self.last.consequence in _USES_UP_AN_ATTEMPT and self._last_in_order
        return counts and self.attempts >= max_attempts

    def over_at(self, now: float, deadline_s: float, max_attempts: int) -> bool:
        """The same where it can go back to wait, at `now`.

        An image that has failed for `deadline_s`, at servers that were in order with others, has used up an attempt,
        whatever the failures were: else one that is always told "busy", or refused by a gateway, would wait for ever.
        """
        if not (self.failures and self._ever_in_order and now >= self.began + deadline_s):
            return False
        self.attempts += 1
        self.began, self._ever_in_order = now, False
        return self.attempts >= max_attempts

    def pause(self, first_s: float) -> float:
        """Seconds to wait before asking again: none at first, then `first_s`, doubled each time."""
        return min(first_s * 2.0 ** (self.failures - 1), LONGEST_PAUSE_S) if self.failures else 0.0


class Unsettled:
    """Images that went back to wait after a failure, and what asking about them has come to.

    Without it, an image that takes its server down would be the first to be asked about whenever the server is back,
    for ever.
    """

    def __init__(self) -> None:
        self._tries: OrderedDict[bytes, Tries] = OrderedDict()

    def resume(self, question: Question, now: float) -> Tries:
        """What came of the image earlier, which is forgotten here; it is asked about without a pause."""
        tries = self._tries.pop(_key(question), None) or Tries(now)
        tries.failures = 0
        return tries

    def keep(self, question: Question, tries: Tries) -> None:
        """The image goes back to wait."""
        if tries.last is not None:
            self._tries[_key(question)] = tries
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)


def _key(question: Question) -> bytes:
    return sha256(question.jpeg).digest()
