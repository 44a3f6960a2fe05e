"""What is wanted, and everything that can be known before the first upload."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sluicegate_consumer.demo.language_model import LanguageModel, find_language_model
from sluicegate_consumer.demo.photographs import Submission, copy_photographs, submissions
from sluicegate_consumer.demo.policy import POLICY, demo_policy, label_bands
from sluicegate_consumer.demo.report import SecondTier
from sluicegate_consumer.escalate import criteria_of
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.load import load_policy, parse_policy
from sluicegate_consumer.second_opinion.prompt import build_prompt

PATIENCE_S = 120.0
"""Between two verdicts; the first one waits for the model to be loaded."""
PATIENCE_WITH_LANGUAGE_MODEL_S = 360.0
"""More than `ollama.deadline_s`, which one answer may take."""
NOWHERE = "http://127.0.0.1:9"
"""Nobody listens on the discard port: the worker finds its second tier away, as it would in an outage."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for."""

    images: Path | None
    """Folder; None: the photographs that scikit-image carries."""
    model: str
    """As in the setting `model.name`."""
    ollama: str
    """URL of a server that may be there."""
    report: Path
    """Folder that the report is left in."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run needs to know."""

    submissions: tuple[Submission, ...]
    variables: Mapping[str, str]
    """`SLUICEGATE_*` for the services, all but the broker's address."""
    bands: Mapping[str, tuple[float, float]]
    """Label to the policy's edges."""
    second_tier: SecondTier
    remarks: tuple[str, ...]
    """For the terminal."""
    patience_s: float
    """How long no verdict may come, in seconds."""


async def prepare(wishes: Wishes, scratch: Path) -> Plan:
    """Look at the folder, the model and the language model; writes the policy into `scratch`.

    Raises:
        ConfigurationError: the folder, the model or the installation is not usable.
    """
    folder = _folder(wishes.images, scratch)
    found = submissions(folder)
    checkpoint = find_checkpoint(wishes.model)
    labels = checkpoint.spec.labels
    policy = demo_policy(load_policy(), checkpoint.name, labels)
    policy_file = scratch / "policy.yaml"
    policy_file.write_text(policy.text, encoding="utf-8")
    document = parse_policy(policy.text, policy_file)
    language_model = await find_language_model(wishes.ollama)
    second_tier = _second_tier(language_model, document)
    return Plan(
        submissions=found,
        variables={
            "SLUICEGATE_FETCH__FILE_ROOTS": json.dumps([str(folder)]),
            "SLUICEGATE_MODEL__NAME": wishes.model,
            "SLUICEGATE_OBSERVABILITY__LOG_FORMAT": "pretty",
            "SLUICEGATE_POLICY_FILE": str(policy_file),
            **_ollama_variables(language_model),
        },
        bands=label_bands(document, checkpoint.name, labels),
        second_tier=second_tier,
        remarks=tuple(filter(None, (f"{len(found)} files, model {checkpoint.name}", policy.note, second_tier.line))),
        patience_s=PATIENCE_S if isinstance(language_model, str) else PATIENCE_WITH_LANGUAGE_MODEL_S,
    )


def _folder(images: Path | None, scratch: Path) -> Path:
    if images is not None:
        return images.resolve()
    folder = scratch / "photographs"
    folder.mkdir()
    copy_photographs(folder)
    return folder


def _ollama_variables(language_model: LanguageModel | str) -> Mapping[str, str]:
    if isinstance(language_model, str):
        return {"SLUICEGATE_OLLAMA__URLS": json.dumps([NOWHERE])}
    return {
        "SLUICEGATE_OLLAMA__URLS": json.dumps([language_model.url]),
        "SLUICEGATE_OLLAMA__MODEL": language_model.name,
    }


def _second_tier(language_model: LanguageModel | str, document: PolicyDocument) -> SecondTier:
    if isinstance(language_model, str):
        line = f"{language_model}: ambiguous images end in review; the report shows what would have been asked"
    else:
        line = f"ambiguous images are shown to {language_model.name} at {language_model.url}"
    criteria = criteria_of(document).get(POLICY)
    if criteria is None:
        return SecondTier(
            "this model has too many labels to ask a language model about: ambiguous images end in review"
        )
    prompt = build_prompt(criteria)
    return SecondTier(line, prompt.system, prompt.schema)
