"""What cannot be published, found out before anything is sent.

PublishError
├── NotConnected        no broker answers, or it does not let us in
├── NotAnUpload         this one cannot be an upload; others are not affected
└── NotAcknowledged     the broker did not confirm it: it may be stored or not, so publish it again
"""


class PublishError(Exception):
    """The base of all of them."""


class NotConnected(PublishError):  # noqa: N818 - says what is the case
    """Nothing was sent. The message says which brokers were tried, and what came of it."""


class NotAnUpload(PublishError):  # noqa: N818 - says what it is
    """Empty, too large, not an image, or a reference that no consumer could follow; the message says which."""


class NotAcknowledged(PublishError):  # noqa: N818 - says what is the case
    """The outcome is unknown. The same id and time published again are recognised as the same upload."""
