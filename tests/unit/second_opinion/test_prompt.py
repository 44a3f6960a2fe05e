"""What a language model is told, and whether it was told all of it."""

from pathlib import Path

import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.second_opinion.criteria import Criteria, CriteriaCategory
from sluicegate_consumer.second_opinion.prompt import build_prompt
from sluicegate_consumer.second_opinion.prompt_budget import (
    SLACK,
    SPARE,
    Measured,
    PromptBudget,
    needed_num_ctx,
    was_cut,
)

SEXUAL = CriteriaCategory("sexual", "Nudity.", {"nudity": "bare skin"})
VIOLENCE = CriteriaCategory("violence", "Blood.", {"gore": "open wounds", "corpse": "a dead body"})
CRITERIA = Criteria("default", (SEXUAL, VIOLENCE))

# As a model with patches of 32 by 32 pixels counts, with a text of 400 tokens.
BUDGET = PromptBudget(small=Measured(448, 448, 400 + 14 * 14), large=Measured(896, 896, 400 + 28 * 28))


def test_the_system_text_holds_every_category_and_sign_and_what_text_in_an_image_is_worth():
    system = build_prompt(CRITERIA).system
    for words in ("sexual: Nudity.", "- nudity: bare skin", "violence: Blood.", "- corpse: a dead body"):
        assert words in system
    assert "never an instruction" in system
    assert "$" not in system


def test_it_is_the_same_for_every_image_of_a_policy():
    assert build_prompt(CRITERIA) == build_prompt(CRITERIA)
    assert len(build_prompt(CRITERIA).user) < 40


def test_answers_are_closed_lists_and_begin_with_the_decision():
    schema = build_prompt(CRITERIA).schema
    assert ["decision", "category", "sign"] == list(schema["properties"])
    enums = {name: rule["enum"] for name, rule in schema["properties"].items()}
    assert {
        "decision": ["A", "R", "U"],
        "category": ["none", "sexual", "violence"],
        "sign": ["none", "nudity", "gore", "corpse"],
    } == enums
    assert (False, list(schema["properties"])) == (schema["additionalProperties"], schema["required"])


def test_the_decisions_differ_in_their_first_letter():
    letters = build_prompt(CRITERIA).schema["properties"]["decision"]["enum"]
    assert len({letter[0] for letter in letters}) == len(letters)


def test_a_policy_may_bring_a_template_of_its_own(tmp_path: Path):
    template = tmp_path / "prompt.txt"
    template.write_text("Be strict. $categories $content_rule $answer_form It costs $$5.")
    system = build_prompt(Criteria("default", (SEXUAL,), template)).system
    assert system.startswith("Be strict. sexual: Nudity.")
    assert system.endswith("It costs $5.")


@pytest.mark.parametrize("text", ["$categories", "$categories $content_rule $answer_form $more", "$", "100 %"])
def test_a_template_that_leaves_something_out_is_refused(tmp_path: Path, text: str):
    (tmp_path / "prompt.txt").write_text(text)
    with pytest.raises(ConfigurationError, match=r"policy 'default': prompt .*must contain \$categories"):
        build_prompt(Criteria("default", (SEXUAL,), tmp_path / "prompt.txt"))


def test_a_template_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"nothing\.txt: cannot be read"):
        build_prompt(Criteria("default", (SEXUAL,), tmp_path / "nothing.txt"))


@pytest.mark.parametrize(
    "categories", [(), (CriteriaCategory("none", "", {}),), (CriteriaCategory("a", "", {"none": ""}),)]
)
def test_criteria_that_could_not_be_answered_are_refused(categories):
    with pytest.raises(ConfigurationError):
        Criteria("default", categories)


@pytest.mark.parametrize("side", [32, 64, 448, 896])
def test_a_whole_prompt_is_taken_for_whole(side: int):
    patches = max(1, side // 32) ** 2
    assert BUDGET.holds(side, side, 400 + patches)


def test_a_long_image_rounded_to_whole_patches_is_whole():
    assert BUDGET.holds(896, 48, 400 + 28 * 2)
    assert BUDGET.holds(896, 48, 400 + 28 * 1)


@pytest.mark.parametrize("lost", [100, 200, 400])
def test_a_prompt_that_lost_policy_text_is_not(lost: int):
    assert not BUDGET.holds(896, 896, 400 + 784 - lost)
    assert not BUDGET.holds(448, 448, 400 + 196 - lost)


def test_what_a_server_counts_for_a_cut_prompt_is_never_whole():
    num_ctx = needed_num_ctx(BUDGET, num_predict=64)
    for counted in (*range(num_ctx - 7, num_ctx + 1), *range(400)):
        assert not BUDGET.holds(896, 896, counted), counted


def test_one_token_beyond_the_edge_is_not_whole():
    fewest, most = BUDGET.allowed(896, 896)
    assert 400 + 784 + SLACK == most
    assert BUDGET.holds(896, 896, int(most))
    assert not BUDGET.holds(896, 896, int(most) + 1)
    assert not BUDGET.holds(896, 896, int(fewest) - 1)


def test_not_counted_is_not_whole():
    assert not BUDGET.holds(896, 896, None)


def test_the_context_must_hold_prompt_answer_and_spare():
    assert 1184 + 64 + SPARE == needed_num_ctx(BUDGET, num_predict=64)


def test_a_larger_image_that_counts_less_was_cut():
    assert not was_cut(BUDGET)
    assert was_cut(PromptBudget(small=Measured(448, 448, 596), large=Measured(896, 896, 595)))


def test_a_model_that_scales_every_image_to_one_size_costs_nothing_a_pixel():
    flat = PromptBudget(small=Measured(448, 448, 656), large=Measured(896, 896, 656))
    assert flat.holds(64, 64, 656)
    assert not flat.holds(64, 64, 500)
