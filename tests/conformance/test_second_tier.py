"""What every second tier promises: one opinion, or one of two clear reasons for having none."""

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from PIL import Image

from fake_ollama import ollama_server
from fake_ollama_answers import Raw
from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.breaker import State
from sluicegate_consumer.second_opinion.criteria import Criteria, CriteriaCategory
from sluicegate_consumer.second_opinion.memory import APPROVAL, MemoryTier
from sluicegate_consumer.second_opinion.ollama_tier import OllamaTier
from sluicegate_consumer.second_opinion.opinion import NoOpinion, Question, SecondTier, SecondTierAway

pytestmark = pytest.mark.integration

CRITERIA = {"default": Criteria("default", (CriteriaCategory("sexual", "Nudity.", {"nudity": "bare skin"}),))}


def question() -> Question:
    file = io.BytesIO()
    Image.new("RGB", (320, 320), (9, 99, 9)).save(file, "JPEG")
    return Question("default", file.getvalue(), 320, 320)


@dataclass(frozen=True)
class Run:
    """A tier, and how to have it fail."""

    tier: SecondTier
    answer_nonsense: Callable[[], None]
    leave: Callable[[], None]
    come_back: Callable[[], None]


@pytest.fixture(params=["memory", "ollama"])
async def run(request: pytest.FixtureRequest) -> AsyncIterator[Run]:
    if request.param == "memory":
        memory = MemoryTier()
        async with memory:
            yield Run(memory, lambda: memory.script.append(NoOpinion("nonsense")), memory.leave, memory.come_back)
        return
    with ollama_server(decision="approve") as server:
        settings = OllamaSettings(urls=(server.url,), breaker_probe_s=0.05, breaker_failures=1, deadline_s=5)
        async with OllamaTier(settings, CRITERIA, first_pause_s=0.01) as tier:
            yield Run(tier, lambda: server.script.append(Raw(b"{}", status=400)), server.stop, server.start)


async def test_an_opinion_names_who_gave_it(run: Run):
    opinion = await run.tier.ask(question())
    assert ("approve", None, None) == (opinion.answer, opinion.category, opinion.sign)
    assert 0.0 <= opinion.score < 0.1
    assert opinion.digest.startswith("sha256:")
    assert APPROVAL.answer == opinion.answer


async def test_an_answer_that_is_none_costs_the_image_its_opinion_and_not_the_next_one(run: Run):
    run.answer_nonsense()
    with pytest.raises(NoOpinion):
        await run.tier.ask(question())
    assert run.tier.available
    assert "approve" == (await run.tier.ask(question())).answer


async def test_a_tier_that_is_away_says_so_and_comes_back(run: Run):
    assert run.tier.available
    assert [State.CLOSED] == list(run.tier.breakers.values())
    run.leave()
    with pytest.raises(SecondTierAway):
        await run.tier.ask(question())
    assert not run.tier.available
    assert State.CLOSED not in run.tier.breakers.values()
    run.come_back()
    await run.tier.wait_available()
    assert "approve" == (await run.tier.ask(question())).answer
