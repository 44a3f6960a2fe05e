"""Ends the membership of who has died, for the embedded broker: it never ends a session, however long its member is
silent, and elects no other leader of the group while the dead one is there."""

import re

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.group import LeaveGroupRequest

JOINED = re.compile(r"Joined group '([^']+)' \(generation \d+\) with member_id (\S+?)[\"\s]")


async def end_membership(bootstrap_servers: str, log: str) -> None:
    """Take the process that wrote `log` last out of its group, if it ever was in one."""
    joined = JOINED.findall(log)
    if not joined:
        return
    group, member = joined[-1]
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    await client.bootstrap()
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        await client.ready(node)
        await client.send(node, LeaveGroupRequest(group, member))
    finally:
        await client.close()
