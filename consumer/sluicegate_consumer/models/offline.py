"""Serving is offline: nothing is downloaded and nothing is reported."""

import os


def go_offline() -> None:
    """Forbid Hugging Face's libraries the network, in this process and those that it starts.

    They read these variables when they are first imported, so this must come before.
    """
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
