"""What a service says of itself in its log, one JSON object a line."""


def joined(log: str) -> bool:
    """Whether it has been given partitions."""
    return '"event":"partitions_assigned"' in log
