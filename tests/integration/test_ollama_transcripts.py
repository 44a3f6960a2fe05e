"""Answers as servers gave them, replayed: those that the project keeps, and a real server's where they are at hand."""

import json
from pathlib import Path

import pytest
from test_second_opinion import asking, question, rounds_until_no_opinion

from fake_ollama import ollama_server
from fake_ollama_answers import transcript
from sluicegate_consumer.second_opinion.opinion import NoOpinion, SecondTierAway
from sluicegate_consumer.second_opinion.prompt_budget import Measured, PromptBudget, needed_num_ctx

pytestmark = pytest.mark.integration

OWN = sorted((Path(__file__).parents[1] / "ollama_transcripts").glob("*.json"))
REAL = Path(__file__).parents[3] / "shared" / "ollama"


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
async def test_a_transcript_of_the_projects_own_comes_to_what_it_says(path: Path):
    recorded = json.loads(path.read_text())
    said = json.loads(recorded["response"]["body"])
    with ollama_server(answer=lambda _: {"logprobs": None} | said) as server:
        async with asking(server) as tier:
            if recorded["expect"] == "no opinion":
                await rounds_until_no_opinion(tier)
            else:
                assert recorded["expect"] == (await tier.ask(question())).answer


def answers_of_a_real_server() -> list[Path]:
    """Transcripts of questions that were answered, with whatever status."""
    return [
        path
        for path in sorted(REAL.glob("*.json"))
        if (recorded := json.loads(path.read_text()))["request"].get("path") in {"/api/generate", "/api/chat"}
        and recorded["response"].get("status")
        and path.stem != "generate-load"
    ]


@pytest.mark.skipif(not REAL.is_dir(), reason="no transcripts of a real server beside the checkout")
@pytest.mark.parametrize("path", answers_of_a_real_server(), ids=lambda path: path.stem)
async def test_nothing_that_a_real_server_said_to_other_questions_is_an_opinion(path: Path):
    with ollama_server() as server:
        async with asking(server, breaker_failures=100, deadline_s=1, timeout_s=0.5) as tier:
            server.always = transcript(json.loads(path.read_text()))
            with pytest.raises((NoOpinion, SecondTierAway)):
                await tier.ask(question())


@pytest.mark.skipif(not REAL.is_dir(), reason="no transcripts of a real server beside the checkout")
def test_what_a_real_server_counted_for_a_cut_prompt_is_refused_at_start_and_in_an_answer():
    recorded = json.loads((REAL / "tiny-generate-truncated.json").read_text())
    num_ctx = recorded["request"]["body"]["options"]["num_ctx"]
    counted = json.loads(recorded["response"]["body"])["prompt_eval_count"]
    assert num_ctx - 8 <= counted <= num_ctx
    cut = PromptBudget(small=Measured(448, 448, 700), large=Measured(896, 896, counted))
    assert needed_num_ctx(cut, num_predict=20) > num_ctx
    whole = PromptBudget(small=Measured(448, 448, 700), large=Measured(896, 896, num_ctx - 20 - 64))
    assert not whole.holds(896, 896, counted)
