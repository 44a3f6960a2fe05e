"""`sluicegate topics`: make the topics that the services need."""

from typing import Annotated

import orjson
import typer

from sluicegate_consumer.commands.endings import ExitCode
from sluicegate_consumer.commands.terminal import print_json_line, run, terminal_settings
from sluicegate_consumer.delivery.kafka_admin import broker_count, kafka_admin
from sluicegate_consumer.delivery.provision import TopicState, create_topics, inspect_topics, topic_plans
from sluicegate_consumer.operations.settings import Settings

app = typer.Typer(help="Make the topics that the services need.", no_args_is_help=True)

MOST_REPLICAS = 3

Partitions = Annotated[
    int, typer.Option(min=1, help="Of each new topic: the most members that a group can share it among.")
]
Replication = Annotated[
    int | None,
    typer.Option(min=1, help=f"Copies of each new topic; not given: one on each broker, at most {MOST_REPLICAS}."),
]


@app.command()
def create(
    partitions: Partitions = 6,
    replication: Replication = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, for programs.")] = False,
) -> None:
    """Create what is missing; say where an existing topic is not as needed, and leave it alone.

    Exit code 1 where a topic that exists differs from what is needed.
    """
    states = run(_create(terminal_settings(), partitions, replication, dry_run))
    for state in states:
        _print(state, as_json)
    if any(state.differences for state in states):
        raise typer.Exit(ExitCode.FAILED)


async def _create(
    settings: Settings, partitions: int, replication: int | None, dry_run: bool
) -> tuple[TopicState, ...]:
    async with kafka_admin(settings.kafka) as admin:
        plans = topic_plans(
            settings.topics.names(),
            settings.kafka.max_record_bytes,
            partitions=partitions,
            replication=replication or min(MOST_REPLICAS, await broker_count(admin)),
        )
        return await (inspect_topics(admin, plans) if dry_run else create_topics(admin, plans))


def _print(state: TopicState, as_json: bool) -> None:
    if as_json:
        print_json_line(orjson.dumps(state))
        return
    typer.echo(f"{state.state:<8} {state.name}")
    for difference in state.differences:
        typer.echo(f"         differs: {difference}")
