"""Serving is offline: nothing is downloaded and nothing is reported."""

import os

from sluicegate_consumer.operations.telemetry import silence


def go_offline() -> None:
    """Forbid Hugging Face's libraries the network, and all libraries their reports; also in processes that we start.

    They read their variables when they are first imported, so this must come before.
    """
    silence()
    os.environ["HF_HUB_OFFLINE"] = "1"
