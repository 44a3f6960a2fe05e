"""Every known way in which a language model's server goes wrong, over real HTTP: never an approval by accident."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from PIL import Image

from fake_ollama import OllamaServer, ollama_server
from fake_ollama_answers import Delay, Raw, Reset
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.operations.settings import OllamaSettings
from sluicegate_consumer.second_opinion.criteria import Criteria, CriteriaCategory
from sluicegate_consumer.second_opinion.ollama_tier import OllamaTier
from sluicegate_consumer.second_opinion.opinion import NoOpinion, Opinion, Question, SecondTierAway

pytestmark = pytest.mark.integration

CRITERIA = {
    "default": Criteria(
        "default",
        (
            CriteriaCategory("sexual", "Nudity.", {"nudity": "bare skin"}),
            CriteriaCategory("violence", "Blood.", {"gore": "open wounds"}),
        ),
    )
}
ANSWER = '{"decision":"A","category":"none","sign":"none"}'


def question(side: int = 320, colour: tuple[int, int, int] = (9, 99, 9)) -> Question:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "JPEG")
    return Question("default", file.getvalue(), side, side)


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with ollama_server(decision="approve") as server:
        yield server


@asynccontextmanager
async def asking(*servers: OllamaServer, **changes: Any) -> AsyncIterator[OllamaTier]:
    """A tier that has passed its check at start; the servers' records are empty."""
    fast = {"breaker_probe_s": 0.05, "timeout_s": 2, "deadline_s": 5, "urls": tuple(each.url for each in servers)}
    async with OllamaTier(OllamaSettings(**fast | changes), CRITERIA, first_pause_s=0.01) as tier:
        for each in servers:
            each.forget()
        yield tier


async def test_a_question_is_asked_the_way_that_real_servers_need(server: OllamaServer):
    async with asking(server) as tier:
        opinion = await tier.ask(question())
    (body,) = server.questions
    assert "approve" == opinion.answer
    assert pytest.approx(0.015, abs=1e-6) == opinion.score
    assert (False, True, False, -1) == (body["think"], body["logprobs"], body["stream"], body["keep_alive"])
    assert 0 == body["options"]["temperature"]
    assert ["A", "R", "U"] == body["format"]["properties"]["decision"]["enum"]
    assert "Nudity." in body["system"]
    assert "Nudity." not in body["prompt"]
    assert 1 == len(body["images"])


async def test_the_model_is_loaded_and_the_prompt_measured_before_the_first_question(server: OllamaServer):
    settings = OllamaSettings(urls=(server.url,))
    async with OllamaTier(settings, CRITERIA):
        bodies = [each.body for each in server.requests if each.path == "/api/generate"]
    assert [None, 1, 1] == [body["options"].get("num_predict") for body in bodies]
    assert {settings.num_ctx} == {body["options"]["num_ctx"] for body in bodies}


@pytest.mark.parametrize(
    ("decision", "probability", "answer", "score"),
    [("approve", 0.9, "approve", 0.05), ("reject", 0.9, "reject", 0.9), ("unsure", 0.8, "unsure", 0.1)],
)
async def test_the_score_is_the_probability_of_reject(server, decision, probability, answer, score):
    server.decision, server.probability = decision, probability
    async with asking(server) as tier:
        opinion = await tier.ask(question())
    assert (answer, pytest.approx(score)) == (opinion.answer, opinion.score)


async def test_without_log_probabilities_there_is_no_score(server: OllamaServer):
    server.logprobs = False
    async with asking(server) as tier:
        assert (await tier.ask(question())).score is None


@pytest.mark.parametrize(
    ("answer", "attempts"),
    [
        ({"response": "", "thinking": ANSWER}, 1),
        ({"response": '{"decision":"A', "done_reason": "length"}, 1),
        (Raw(b'{"error":"illegal base64 data"}', 400), 1),
        (Raw(b'{"error":"no thinking"}', 422), 1),
        ({"response": ""}, 3),
        ({"response": "I approve."}, 3),
        ({"response": '{"decision":"A"}'}, 3),
        ({"response": ANSWER.replace('"A"', '"approve"')}, 3),
        ({"response": ANSWER.replace('"A"', '"R"')}, 3),
        ({"response": ANSWER, "done_reason": "load"}, 3),
        ({"response": ANSWER, "done_reason": None}, 3),
    ],
    ids=str,
)
async def test_what_is_no_answer_ends_in_no_opinion_after_as_many_attempts_as_can_help(server, answer, attempts):
    if isinstance(answer, dict):
        server.answer = lambda _: answer
    else:
        server.always = answer
    async with asking(server, breaker_failures=100) as tier:
        with pytest.raises(NoOpinion):
            await tier.ask(question())
    assert attempts == len(server.questions)


TIMEOUT_S = 1.0
"""Long enough for the check at start on a machine that has other work to do."""
FAILING = [
    Raw(b"<html>", 200),
    Raw(b"[]", 200),
    Raw(b"hello", 200, {"content-encoding": "gzip"}),
    Raw(b'{"error":"model runner has unexpectedly stopped"}', 500),
    Raw(b"<html>", 502),
    Raw(b"<html>", 504),
    Reset(),
    Delay(1.5 * TIMEOUT_S),
]
"""The image's fault or the server's."""
REFUSED = [Raw(b'{"error":"busy"}', 429), Raw(b'{"error":"busy"}', 503), Raw(b"<html>", 403)]
"""The server's fault, as long as it is not always the same image."""


@asynccontextmanager
async def others_asking(tier: OllamaTier) -> AsyncIterator[None]:
    """Questions about another image, one after the other."""

    async def ask() -> None:
        while True:
            with suppress(SecondTierAway):
                await tier.ask(question(colour=(200, 9, 9)))
            await tier.wait_available()

    task = asyncio.create_task(ask())
    yield
    task.cancel()


async def rounds_until_no_opinion(tier: OllamaTier) -> int:
    """How often the image goes back to wait before it ends."""
    for rounds in range(100):
        try:
            await tier.ask(question())
        except SecondTierAway:
            await tier.wait_available()
        except NoOpinion:
            return rounds
    raise AssertionError("it never ends")


@pytest.mark.parametrize("answer", FAILING, ids=str)
async def test_an_image_that_fails_while_others_are_answered_ends_in_no_opinion(server: OllamaServer, answer):
    server.always, server.scripted_for = answer, question().jpeg
    async with asking(server, breaker_failures=100, timeout_s=TIMEOUT_S) as tier, others_asking(tier):
        assert 0 == await asyncio.wait_for(rounds_until_no_opinion(tier), 10)
        assert tier.available


@pytest.mark.parametrize("answer", FAILING, ids=str)
async def test_an_image_that_fails_alone_ends_once_a_probe_has_shown_the_server_to_be_in_order(server, answer):
    server.always = answer
    async with asking(server, timeout_s=TIMEOUT_S) as tier:
        assert 1 == await asyncio.wait_for(rounds_until_no_opinion(tier), 10)
    assert 4 == len(server.questions)


@pytest.mark.parametrize("answer", REFUSED, ids=str)
async def test_an_image_that_is_always_refused_while_others_are_answered_ends_after_some_deadlines(server, answer):
    server.always, server.scripted_for = answer, question().jpeg
    async with asking(server, deadline_s=0.3, max_attempts=2) as tier, others_asking(tier):
        assert await asyncio.wait_for(rounds_until_no_opinion(tier), 10)


@pytest.mark.parametrize("answer", REFUSED, ids=str)
async def test_an_image_that_is_always_refused_ends_also_alone(server: OllamaServer, answer):
    server.always = answer
    async with asking(server, deadline_s=0.3, max_attempts=2) as tier:
        assert await asyncio.wait_for(rounds_until_no_opinion(tier), 10)


@pytest.mark.parametrize("failures", [1, 3, 100])
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_no_outage_of_all_servers_ends_an_image(server: OllamaServer, status: int, failures: int):
    with ollama_server() as second:
        changes = {"deadline_s": 0.2, "max_attempts": 1, "breaker_failures": failures}
        async with asking(server, second, **changes) as tier:
            assert "approve" == (await tier.ask(question(colour=(200, 9, 9)))).answer
            server.instead = second.instead = Raw(b"{}", status)
            for _ in range(3):
                with pytest.raises(SecondTierAway):
                    await tier.ask(question())
                await asyncio.sleep(0.1)
            server.instead = second.instead = None
            await asyncio.wait_for(tier.wait_available(), 5)
            assert "approve" == (await tier.ask(question())).answer


async def test_a_server_that_is_gone_behind_its_gateway_costs_no_image_its_opinion(server: OllamaServer):
    with ollama_server() as second:
        second.always = Delay(0.05)
        async with asking(server, second, max_attempts=2) as tier:
            server.instead = Raw(b"<html>", 502)
            opinions = await asyncio.gather(*(tier.ask(question(colour=(n, n, n))) for n in range(6)))
    assert {"approve"} == {opinion.answer for opinion in opinions}


async def test_an_answer_that_comes_right_the_second_time_counts(server: OllamaServer):
    server.script.extend([Raw(b'{"error":"unexpected EOF"}', 500), None])
    async with asking(server) as tier:
        assert "approve" == (await tier.ask(question())).answer
    assert 2 == len(server.questions)


@pytest.mark.parametrize("tokens", [0, 1, 4, 50, 8192 - 7, 8192, None])
async def test_an_answer_to_a_prompt_that_was_cut_never_counts(server: OllamaServer, tokens: int | None):
    server.answer = lambda _: {"prompt_eval_count": tokens}
    async with asking(server) as tier:
        # It may be the server's: one that was restarted with a smaller context. A probe finds that out.
        with pytest.raises(SecondTierAway, match="prompt_not_whole"):
            await tier.ask(question())
        await tier.wait_available()
        with pytest.raises(NoOpinion, match="prompt_not_whole"):
            await tier.ask(question())


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ({"remote_host": "https://ollama.com"}, "runs at https://ollama.com, images would leave"),
        ({"capabilities": ("completion",)}, "sees no images"),
        ({"model": "other"}, "not there: `ollama pull qwen3.5`"),
        ({"num_ctx_limit": 600}, "takes no more than 600 tokens"),
    ],
)
async def test_a_server_that_must_not_be_asked_is_refused_at_start(behaviour: Mapping[str, Any], why: str):
    with ollama_server(**behaviour) as server:
        with pytest.raises(ConfigurationError, match=why):
            async with asking(server):
                pass
        assert [] == server.questions


@pytest.mark.parametrize("model", ["qwen3.5-cloud", "qwen3.5:397b-cloud", "someone/model:cloud"])
async def test_a_model_of_the_cloud_is_refused_by_its_name(server: OllamaServer, model: str):
    with pytest.raises(ConfigurationError, match="a model of the cloud, images would leave"):
        async with asking(server, model=model):
            pass
    assert [] == server.requests


async def test_another_model_than_the_pinned_one_is_refused(server: OllamaServer):
    with pytest.raises(ConfigurationError, match=r"ollama\.digest is sha256:0000"):
        async with asking(server, digest="sha256:" + "0" * 64):
            pass
    async with asking(server, digest=server.digest) as tier:
        assert f"sha256:{server.digest}" == (await tier.ask(question())).digest


async def test_a_context_that_is_too_small_is_refused_with_the_size_that_would_do(server: OllamaServer):
    with pytest.raises(ConfigurationError, match=r"set ollama\.num_ctx to at least 640"):
        async with asking(server, num_ctx=512):
            pass


async def test_a_redirect_is_not_followed(server: OllamaServer):
    with ollama_server() as elsewhere:
        elsewhere.forget()
        server.always = Raw(b"", 307, {"location": elsewhere.url + "/api/generate"})
        async with asking(server) as tier:
            with pytest.raises(SecondTierAway):
                await tier.ask(question())
        assert [] == elsewhere.requests


async def test_questions_are_shared_out_and_none_gets_more_than_its_limit(server: OllamaServer):
    with ollama_server() as second:
        server.always = second.always = Delay(0.05)
        async with asking(server, second, in_flight_per_server=2) as tier:
            opinions = await asyncio.gather(*(tier.ask(question(colour=(n, n, n))) for n in range(12)))
    assert 12 == len(opinions)
    assert (2, 2) == (server.most_at_once, second.most_at_once)
    assert min(len(server.questions), len(second.questions)) >= 4


async def test_one_server_away_leaves_its_questions_to_the_other(server: OllamaServer):
    with ollama_server() as second:
        async with asking(server, second) as tier:
            server.stop()
            opinions = [await tier.ask(question(colour=(n, n, n))) for n in range(6)]
    assert all(isinstance(opinion, Opinion) for opinion in opinions)
    assert 6 == len(second.questions)


async def test_all_away_is_said_and_the_breaker_finds_out_when_one_is_back(server: OllamaServer):
    async with asking(server, breaker_failures=1) as tier:
        server.stop()
        with pytest.raises(SecondTierAway):
            await tier.ask(question())
        assert not tier.available
        server.start()
        await asyncio.wait_for(tier.wait_available(), 5)
        assert "approve" == (await tier.ask(question())).answer


async def test_a_server_that_was_away_at_start_is_asked_once_it_is_there(server: OllamaServer):
    server.stop()
    async with asking(server) as tier:
        assert not tier.available
        server.start()
        await asyncio.wait_for(tier.wait_available(), 5)
        assert "approve" == (await tier.ask(question())).answer


async def test_a_server_that_comes_back_with_another_model_is_not_asked(server: OllamaServer):
    async with asking(server, breaker_failures=1) as tier:
        server.stop()
        with pytest.raises(SecondTierAway):
            await tier.ask(question())
        server.remote_host = "https://ollama.com"
        server.forget()
        server.start()
        while not any(each.path == "/api/show" for each in server.requests):
            await asyncio.sleep(0.01)
        assert not tier.available
        assert [] == server.questions


async def test_an_image_that_takes_its_server_down_is_not_asked_about_for_ever(server: OllamaServer):
    server.always = Reset()
    async with asking(server, breaker_failures=1, max_attempts=2) as tier:
        with pytest.raises(SecondTierAway):
            await tier.ask(question())
        await asyncio.wait_for(tier.wait_available(), 5)
        with pytest.raises(NoOpinion, match="2 attempts"):
            await tier.ask(question())
