"""From a policy file to a `PolicyDocument`: everything wrong with it is found at once."""

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BeforeValidator, Field, StringConstraints

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.extends import resolve_extends
from sluicegate_consumer.policy.faults import validated
from sluicegate_consumer.policy.located import Located, Problem, read_yaml
from sluicegate_consumer.policy.rules import Policy, PolicySection, SecondOpinion, Section
from sluicegate_schemas.events import Name


def load_policy(path: Path | None = None) -> PolicyDocument:
    """Read a policy file; None: the one that the package carries.

    Raises:
        ConfigurationError: it cannot be read, or something in it is wrong; the message lists it all.
    """
    if path is None:
        with as_file(files(__package__) / "default.yaml") as default:
            return load_policy(default)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"policy file {path}: {error}") from error
    return parse_policy(text, path)


def parse_policy(text: str, path: Path) -> PolicyDocument:
    """The document in `text`.

    Args:
        text: YAML.
        path: where it was read, for messages; relative prompts start at its directory.

    Raises:
        ConfigurationError: something is wrong; the message lists it all.
    """
    problems: list[Problem] = []
    try:
        root = _short_models(read_yaml(text, problems))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"policy file {path}: {error}") from error
    head = validated(_Head, root, problems)
    policies = _policies(root, head.version if head else "", path.parent, problems)
    problems += _unjudged(root, policies)
    if problems or head is None:
        lines = sorted(set(problems))
        raise ConfigurationError("\n".join([f"policy file {path}:", *(f"  {line}" for line in lines)]))
    return PolicyDocument(head.version, _digest(root), head.models, policies)


def _version(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be text: put it in quotes, such as "2026-11-01"')  # noqa: TRY004 - pydantic's way
    return value


class _Head(Section):
    version: Annotated[str, BeforeValidator(_version), StringConstraints(min_length=1, max_length=128)]
    models: Annotated[Mapping[str, Annotated[Mapping[str, Name | None], Field(min_length=1)]], Field(min_length=1)]
    policies: Annotated[Mapping[Name, object], Field(min_length=1)]


def _short_models(root: Located) -> Located:
    """The document with every `model: {labels: {...}}` in its short form, `model: {...}`."""
    models = root.get("models")
    if root.entries is None or models is None or models.entries is None:
        return root
    short = {name: _labels(node) for name, node in models.entries.items()}
    return Located(None, {**root.entries, "models": Located(None, short, models.path, models.line)}, (), root.line)


def _labels(model: Located) -> Located:
    labels = model.get("labels")
    only = model.entries is not None and len(model.entries) == 1
    return labels if only and labels is not None and labels.entries is not None else model


def _policies(root: Located, version: str, directory: Path, problems: list[Problem]) -> dict[str, Policy]:
    """Those policies that are right in themselves."""
    written = root.get("policies")
    policies = {}
    for name, node in resolve_extends(written.entries or {} if written else {}, problems).items():
        section = validated(PolicySection, node, problems)
        if section is not None:
            second_opinion = _with_prompt(section.second_opinion, node, directory, problems)
            policies[name] = _policy(name, version, section, second_opinion)
    return policies


def _policy(name: str, version: str, section: PolicySection, second_opinion: SecondOpinion | None) -> Policy:
    return Policy(
        name=name,
        version=version,
        categories={name: category for name, category in section.categories.items() if category},
        ignored=frozenset(name for name, category in section.categories.items() if category is None),
        second_opinion=second_opinion,
        disagreement=section.disagreement,
        degenerate=section.degenerate,
    )


def _with_prompt(
    second_opinion: SecondOpinion | None, policy: Located, directory: Path, problems: list[Problem]
) -> SecondOpinion | None:
    """The same, with the path of its prompt made absolute."""
    if second_opinion is None or second_opinion.prompt is None:
        return second_opinion
    prompt = (directory / second_opinion.prompt).resolve()
    if not prompt.is_file():
        problems.append(policy.nearest(("second_opinion", "prompt")).problem(f"there is no file {prompt}"))
    return second_opinion.model_copy(update={"prompt": prompt})


def _unjudged(root: Located, policies: Mapping[str, Policy]) -> list[Problem]:
    """Labels whose category some policy neither has bands for nor sets to null; models that map none."""
    models = root.get("models")
    problems = []
    for model in (models.entries or {}).values() if models else ():
        labels = [label for label in (model.entries or {}).values() if isinstance(label.value, str)]
        if model.entries and not labels:
            problems.append(
                model.problem("every label is null, so everything would be approved: map one to a category")
            )
        problems += [
            label.problem(
                f"is {category}, for which the policy {policy.name} has no bands: give "
                f"policies.{policy.name}.categories.{category} approve_below and reject_above, or make it "
                "null to say that this policy does not judge it"
            )
            for label in labels
            for policy in policies.values()
            if not _provides_for(policy, category := str(label.value))
        ]
    return problems


def _provides_for(policy: Policy, category: str) -> bool:
    if category in policy.categories:
        return policy.categories[category].bands is not None
    return category in policy.ignored


def _digest(root: Located) -> str:
    canonical = json.dumps(root.plain(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
