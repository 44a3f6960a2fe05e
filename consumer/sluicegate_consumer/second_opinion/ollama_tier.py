"""The second tier on Ollama: take a place at a server, ask, read the answer strictly, ask again where it helps."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import structlog

from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.breaker import Breaker, State
from sluicegate_consumer.second_opinion.client import OllamaServer
from sluicegate_consumer.second_opinion.criteria import Criteria
from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence
from sluicegate_consumer.second_opinion.observer import NobodyWatches, ServerObserver
from sluicegate_consumer.second_opinion.opinion import NoOpinion, Opinion, Question, SecondTierAway
from sluicegate_consumer.second_opinion.probes import Probes
from sluicegate_consumer.second_opinion.prompt import build_prompt
from sluicegate_consumer.second_opinion.reading import read_reply
from sluicegate_consumer.second_opinion.score import reject_score
from sluicegate_consumer.second_opinion.servers import AllOpen, Replica, Servers
from sluicegate_consumer.second_opinion.startup import refuse_cloud_name
from sluicegate_consumer.second_opinion.tries import Tries, Unsettled

FIRST_PAUSE_S = 0.5
"""Before the second attempt; doubled with each one."""

log = structlog.get_logger()


class OllamaTier:
    """A `SecondTier`: one or several Ollama servers with the same model.

    Args:
        settings: which servers and model, and what a question may take.
        criteria: of every policy that asks for second opinions, by its name.
        first_pause_s: seconds before an image is asked about again.
        observer: told of every attempt.

    Raises:
        ConfigurationError: a policy's prompt cannot be built, or the model's name is one of the cloud.
    """

    def __init__(
        self,
        settings: OllamaSettings,
        criteria: Mapping[str, Criteria],
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        observer: ServerObserver | None = None,
    ) -> None:
        refuse_cloud_name(settings.model)
        self._settings = settings
        self._first_pause_s = first_pause_s
        self._observer = observer or NobodyWatches()
        self._prompts = {policy: build_prompt(asked) for policy, asked in criteria.items()}
        self._servers = Servers(
            [
                Replica(
                    OllamaServer(str(url), settings),
                    Breaker(settings.breaker_failures, settings.breaker_probe_s, time.monotonic),
                )
                for url in settings.urls
            ],
            settings.in_flight_per_server,
        )
        self._unsettled = Unsettled()
        self._lifetime = AsyncExitStack()

    @property
    def available(self) -> bool:
        """Whether any server may be asked."""
        return self._servers.available

    @property
    def breakers(self) -> Mapping[str, State]:
        """Of every server, by host and port."""
        return {replica.server.name: replica.breaker.state for replica in self._servers.replicas}

    async def wait_available(self) -> None:
        """Return once a server may be asked."""
        await self._servers.wait_available()

    async def ask(self, question: Question) -> Opinion:
        """One opinion; see `SecondTier`."""
        now = asyncio.get_running_loop().time()
        deadline = now + self._settings.deadline_s
        tries = self._unsettled.resume(question, now)
        while True:
            replica = await self._take(question, tries, deadline)
            try:
                opinion = await self._ask_at(replica, question, deadline)
            except AskFailed as failed:
                tries.add(replica, failed)
                self._note(replica, question, tries, failed)
            else:
                replica.breaker.succeeded()
                self._observer.answered(replica.server.name, opinion.seconds)
                return opinion
            finally:
                self._servers.give_back(replica)
            if tries.over(self._settings.max_attempts):
                raise NoOpinion(f"{tries.attempts} attempts, the last at {replica.server.name}: {tries.last}")

    async def _take(self, question: Question, tries: Tries, deadline: float) -> Replica:
        """A place at a server, after the pause that earlier failures ask for.

        Raises:
            SecondTierAway: there is none before the deadline, and the image is not to blame, or may be tried again.
            NoOpinion: the image has been tried often enough.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.sleep(tries.pause(self._first_pause_s))
                return await self._servers.take(tries.failed_at)
        except AllOpen:
            why, now = "no server can be asked", asyncio.get_running_loop().time()
        except TimeoutError:
            # The loop may wake a moment early: the deadline itself, not the time.
            why, now = "no server was free or in order within ollama.deadline_s", deadline
        if tries.over_at(now, self._settings.deadline_s, self._settings.max_attempts):
            raise NoOpinion(f"{tries.attempts} attempts, the last within ollama.deadline_s: {tries.last}")
        self._unsettled.keep(question, tries)
        raise SecondTierAway(f"{why}; the last failure: {tries.last or 'not asked'}")

    async def _ask_at(self, replica: Replica, question: Question, deadline: float) -> Opinion:
        server, checked, prompt = replica.server, replica.checked, self._prompts[question.policy]
        assert checked is not None, "a breaker is closed only once its server was checked"  # noqa: S101 - says why
        began = asyncio.get_running_loop().time()
        # At least a moment, so that a place got at the last one is not taken for a server that hangs.
        remaining = max(deadline - began, 1.0)
        reply = await server.ask(prompt, question.jpeg, timeout_s=min(self._settings.timeout_s, remaining))
        given = read_reply(reply, question, prompt.criteria, checked.budgets[question.policy])
        return Opinion(
            answer=given.answer,
            category=given.category,
            sign=given.sign,
            score=reject_score(reply.tokens),
            model=self._settings.model,
            digest=checked.digest,
            seconds=asyncio.get_running_loop().time() - began,
        )

    def _note(self, replica: Replica, question: Question, tries: Tries, failed: AskFailed) -> None:
        """Let the breaker know, the observer and the log."""
        self._observer.failed(replica.server.name, failed.reason)
        match failed.consequence:
            case Consequence.NO_OPINION | Consequence.RETRY:
                replica.breaker.succeeded()
            case Consequence.SUSPECT | Consequence.AWAY:
                replica.breaker.failed()
            case Consequence.UNUSABLE:
                replica.breaker.trip()
        log.warning(
            "question_failed",
            server=replica.server.name,
            policy=question.policy,
            reason=str(failed),
            consequence=failed.consequence.value,
            attempts=tries.attempts,
            breaker=replica.breaker.state.value,
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for replica in self._servers.replicas:
                await stack.enter_async_context(replica.server)
            probes = Probes(self._servers, self._settings, tuple(self._prompts.values()))
            await probes.check_all()
            group = await stack.enter_async_context(asyncio.TaskGroup())
            for replica in self._servers.replicas:
                stack.callback(group.create_task(probes.watch(replica)).cancel)
            self._lifetime = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        # What went wrong outside is not the probes': their group would wrap it.
        await self._lifetime.aclose()
