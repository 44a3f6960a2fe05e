"""What can go wrong, and what each kind of failure costs.

SluicegateError
├── ConfigurationError   the operator must change something: the command ends with exit code 2
├── Poison               this record can never be read: it becomes a dead letter, its neighbours go on
├── Unprocessable        the record is fine, its image cannot be judged: an `unprocessable` verdict
├── Transient            the same call may succeed later: retried within a deadline, then a dead letter
└── Fatal                this process cannot go on: it ends without committing, the orchestrator restarts it

Anything else is a bug: it ends the service loudly and commits nothing.
"""

from sluicegate_schemas.events import Reason


class SluicegateError(Exception):
    """The base of all of them."""


class ConfigurationError(SluicegateError):
    """The configuration, the policy or the model is not usable; the message names the key, the value and the mend."""


class Poison(SluicegateError):  # noqa: N818 - the field's word for it
    """A record that no retry will make readable."""


class Unprocessable(SluicegateError):  # noqa: N818 - the decision's own name
    """An image that cannot be judged.

    The message may name sizes, formats and limits. It never holds image bytes or a URI's credentials.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["Unprocessable"], tuple[Reason, str]]:
        return type(self), (self.reason, str(self))


class Transient(SluicegateError):  # noqa: N818 - reads as what it is
    """Something outside failed in a way that may pass."""


class Fatal(SluicegateError):  # noqa: N818 - reads as what it is
    """The process must end: its state can no longer be trusted."""
