"""From a server's reply to an answer that counts. Pure."""

from sluicegate_consumer.second_opinion.answer import GivenAnswer, InvalidAnswer, parse_answer
from sluicegate_consumer.second_opinion.client import Reply
from sluicegate_consumer.second_opinion.criteria import Criteria
from sluicegate_consumer.second_opinion.failures import AskFailed, Consequence
from sluicegate_consumer.second_opinion.opinion import Question
from sluicegate_consumer.second_opinion.prompt_budget import PromptBudget


def read_reply(reply: Reply, question: Question, criteria: Criteria, budget: PromptBudget) -> GivenAnswer:
    """What a reply with HTTP status 200 says about the image.

    Raises:
        AskFailed: it is no answer. What the model would repeat, word for word, is not worth another attempt.
    """
    if not budget.holds(question.width, question.height, reply.prompt_tokens):
        raise AskFailed(Consequence.SUSPECT, "prompt_not_whole", f"{reply.prompt_tokens} tokens")
    if reply.done_reason == "length":
        raise AskFailed(Consequence.NO_OPINION, "cut_off")
    if not reply.text and reply.thought:
        raise AskFailed(Consequence.NO_OPINION, "answer_in_thinking")
    if not reply.text:
        raise AskFailed(Consequence.RETRY, "empty")
    if reply.done_reason != "stop":
        raise AskFailed(Consequence.RETRY, "not_finished")
    try:
        return parse_answer(reply.text, criteria)
    except InvalidAnswer as invalid:
        raise AskFailed(Consequence.RETRY, str(invalid)) from invalid
