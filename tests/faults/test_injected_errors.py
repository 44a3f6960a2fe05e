"""Error codes that a real broker seldom gives: what passes is waited out, what does not ends a service."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import errors
from installation import installation
from load import uploads
from play import require
from stage import Stage
from world import COMMANDS, IN_FLIGHT, World

from fake_ollama import ollama_server
from mock_kafka import Request, mock_kafka

UPLOADS = 120

PASSING = {
    Request.PRODUCE: (
        errors.NotLeaderForPartitionError,
        errors.NotEnoughReplicasError,
        errors.NotEnoughReplicasAfterAppendError,
        errors.RequestTimedOutError,
        errors.LeaderNotAvailableError,
        errors.UnknownTopicOrPartitionError,
        errors.KafkaStorageError,
    ),
    Request.FETCH: (
        errors.NotLeaderForPartitionError,
        errors.UnknownTopicOrPartitionError,
        errors.LeaderNotAvailableError,
        errors.KafkaStorageError,
        errors.RequestTimedOutError,
    ),
    Request.OFFSET_COMMIT: (
        errors.GroupCoordinatorNotAvailableError,
        errors.GroupLoadInProgressError,
        errors.NotCoordinatorForGroupError,
        errors.RequestTimedOutError,
        errors.RebalanceInProgressError,
        errors.IllegalGenerationError,
        errors.UnknownMemberIdError,
    ),
    Request.HEARTBEAT: (
        errors.NotCoordinatorForGroupError,
        errors.RebalanceInProgressError,
        errors.IllegalGenerationError,
        errors.UnknownMemberIdError,
    ),
    Request.JOIN_GROUP: (
        errors.GroupLoadInProgressError,
        errors.NotCoordinatorForGroupError,
        errors.UnknownMemberIdError,
    ),
    Request.SYNC_GROUP: (errors.RebalanceInProgressError, errors.NotCoordinatorForGroupError),
    Request.FIND_COORDINATOR: (errors.GroupCoordinatorNotAvailableError,),
    Request.INIT_PRODUCER_ID: (errors.CoordinatorLoadInProgressError, errors.NotCoordinatorError),
    Request.OFFSET_FETCH: (errors.GroupLoadInProgressError, errors.NotCoordinatorForGroupError),
    Request.LIST_OFFSETS: (errors.NotLeaderForPartitionError, errors.UnknownTopicOrPartitionError),
}
"""What an orderly restart, an election or a rebalance brings: nobody need notice."""

FINAL = {
    Request.PRODUCE: (
        errors.MessageSizeTooLargeError,
        errors.RecordListTooLargeError,
        errors.InvalidTopicError,
        errors.TopicAuthorizationFailedError,
        errors.ClusterAuthorizationFailedError,
        errors.OutOfOrderSequenceNumber,
        errors.UnknownProducerId,
        errors.InvalidProducerEpoch,
        errors.UnknownError,
    ),
    Request.OFFSET_COMMIT: (errors.GroupAuthorizationFailedError, errors.TopicAuthorizationFailedError),
    Request.JOIN_GROUP: (errors.GroupAuthorizationFailedError,),
    Request.FETCH: (errors.TopicAuthorizationFailedError,),
    Request.INIT_PRODUCER_ID: (errors.ClusterAuthorizationFailedError,),
}
"""What no retry mends: the service says so, and ends without a commit."""

ALWAYS = {Request.PRODUCE, Request.FETCH, Request.OFFSET_COMMIT}
"""Those of the passing ones that every run of the tests takes; the rest are `long`."""

SHORT = {
    (Request.PRODUCE, errors.MessageSizeTooLargeError),
    (Request.PRODUCE, errors.TopicAuthorizationFailedError),
    (Request.OFFSET_COMMIT, errors.GroupAuthorizationFailedError),
}
"""The same of the final ones."""

SAID_AS = {errors.InvalidProducerEpoch: "ProducerFenced"}
"""The client has another word for it."""

REPEATED = 2
"""So often each passing error comes."""


@pytest.fixture(scope="session")
def mock_stage() -> Iterator[Stage]:
    with mock_kafka() as mock, ollama_server(decision="approve") as ollama:
        yield Stage(mock.bootstrap_servers, mock.bootstrap_servers, ollama, mock=mock)


@asynccontextmanager
async def loaded(stage: Stage, directory: Path) -> AsyncIterator[World]:
    """A world whose uploads are there before its services are, so that what is injected meets the services alone."""
    async with installation(stage, directory) as made:
        await made.publish(uploads(7, UPLOADS))
        assert set() == made.unknown
        yield made


def start_both(made: World) -> None:
    for command in ("consume", "escalate"):
        made.start(command)


@pytest.mark.parametrize(
    "request_kind",
    [pytest.param(kind, marks=() if kind in ALWAYS else pytest.mark.long) for kind in PASSING],
    ids=lambda kind: kind.name.lower(),
)
async def test_what_passes_is_waited_out(mock_stage: Stage, tmp_path: Path, request_kind: Request):
    async with loaded(mock_stage, tmp_path) as made:
        injected = PASSING[request_kind] * REPEATED
        made.allowed_copies.update(dict.fromkeys(COMMANDS, len(injected) * IN_FLIGHT))
        mock_stage.mock.answer(request_kind, *injected)
        start_both(made)
        if request_kind in {Request.PRODUCE, Request.OFFSET_COMMIT}:
            async with made.watched():
                await all_met(made, mock_stage, request_kind)
        else:
            await all_met(made, mock_stage, request_kind)
        await require(made)
        assert [] == made.exits
        assert [0, 0] == [each.wait(0) for each in made.services]


async def all_met(made: World, stage: Stage, request_kind: Request) -> None:
    """Wait until no error is left to be given."""
    deadline = time.monotonic() + 40
    while (left := stage.mock.left(request_kind)) > 0:
        assert time.monotonic() < deadline, f"{left} errors were never met\n{made.logs()}"
        await asyncio.sleep(0.05)


def final_cases() -> Iterator[object]:
    for request_kind, codes in FINAL.items():
        for code in codes:
            marks = () if (request_kind, code) in SHORT else pytest.mark.long
            yield pytest.param(request_kind, code, marks=marks, id=f"{request_kind.name.lower()}-{code.__name__}")


@pytest.mark.parametrize(("request_kind", "code"), list(final_cases()))
async def test_what_does_not_pass_ends_the_service_without_a_commit(
    mock_stage: Stage, tmp_path: Path, request_kind: Request, code: type[errors.KafkaError]
):
    async with loaded(mock_stage, tmp_path) as made:
        mock_stage.mock.answer(request_kind, code)
        service = made.start("consume")
        exit_code = await asyncio.to_thread(service.wait, 30)
        refused = code.__name__.endswith("AuthorizationFailedError")
        assert (2 if refused else 1) == exit_code, service.tail()
        assert SAID_AS.get(code, code.__name__) in service.tail(20)
        assert 0 == mock_stage.mock.left(request_kind)
        made.fault("it has ended")
        service.start()
        made.start("escalate")
        async with made.watched():
            await require(made)
        assert [] == made.exits
