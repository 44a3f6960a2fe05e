"""What a service says of itself in its log, one JSON object a line."""

STARTED = ('"event":"consuming"', '"event":"escalating"')
ASSIGNED = '"event":"partitions_assigned"'


def joined(log: str) -> bool:
    """Whether it has been given partitions since it was last started."""
    return log.rfind(ASSIGNED) > max(log.rfind(each) for each in STARTED)
