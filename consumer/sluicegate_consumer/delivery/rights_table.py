"""Writes `docs/kafka-rights.md` from the rights: `python -m sluicegate_consumer.delivery.rights_table`.

With `--check` nothing is written: the exit code is 1 where the file is not what would be written.
"""

import sys
from itertools import groupby
from pathlib import Path

from sluicegate_consumer.delivery.rights import CONSUME, ROLES, Right, Role
from sluicegate_consumer.operations.generated import write_or_check
from sluicegate_consumer.operations.settings import Settings

TABLE = Path("docs/kafka-rights.md")

HEAD = """# Rights on Kafka

Generated from `delivery/rights.py` by `python -m sluicegate_consumer.delivery.rights_table`. The tests grant exactly
what stands here, and take away one right after the other.

Give each part a user of its own, and that user these rights and no others: a worker that is broken into can then forge
no upload, and read none but those that are escalated to it. Helm's chart has one user for all its pods: that one needs
what `consume`, `escalate`, `topics create` and `check` need, and for [operations.md](operations.md) what `dead-letters`
needs. Names are the defaults; yours stand under `topics` and `delivery` in the [settings](settings.md).

- Read and Write bring Describe with them.
- Nothing needs a right on the cluster. An idempotent producer needs none from Kafka 2.8 on, once it may write to any
  topic; before, it needs IdempotentWrite.
- A missing right ends a command, and a service too, with exit code 2 and its name:
  `User:consume may not Write topic sluicegate.reviews at kafka:9092 (TopicAuthorizationFailedError)`. A service finds
  out when it first needs the right; nothing is lost by it, as nothing is committed. A topic of which a user may do
  nothing at all is hidden: the message then says that it is missing, or may not be described.
- Who is not let in at all is told why: password, mechanism, certificate or protocol, and the setting to change.
"""
COLUMNS = "| right | on | why |\n| --- | --- | --- |\n"

COMMANDS = """
## As commands

For `{name}`, as an example:

```
{commands}
```
"""
TOOL = (
    "kafka-acls.sh --bootstrap-server kafka:9092 --command-config admin.properties --add --allow-principal User:consume"
)


def rights_table() -> str:
    """The whole document, Markdown; one table for each role."""
    return HEAD + "".join(map(_section, ROLES)) + _commands(CONSUME)


def _section(role: Role) -> str:
    alike = groupby(role.rights, key=lambda right: (right.operation, right.resource, right.purpose))
    rows = [
        f"| {operation} | {resource} {', '.join(f'`{_name(right)}`' for right in rights)} | {purpose} |\n"
        for (operation, resource, purpose), rights in alike
    ]
    return f"\n## {role.name}\n\n{COLUMNS}" + "".join(rows)


def _commands(role: Role) -> str:
    alike = groupby(role.rights, key=lambda right: (right.operation, right.resource))
    lines = [
        f"{TOOL} \\\n    --operation {operation} " + " ".join(f"--{resource} {_name(right)}" for right in rights)
        for (operation, resource), rights in alike
    ]
    return COMMANDS.format(name=role.name, commands="\n".join(lines))


def _name(right: Right) -> str:
    section = "topics" if right.resource == "topic" else "delivery"
    fields = Settings.model_fields[section].annotation.model_fields  # type: ignore[union-attr] # a Section
    return str(fields[right.setting].default)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the document; gives the exit code."""
    return write_or_check(
        arguments,
        text=rights_table(),
        path=TABLE,
        source="the rights",
        module=__spec__.name,
        description=__doc__,
    )


if __name__ == "__main__":
    sys.exit(main())
