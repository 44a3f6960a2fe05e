"""Whether policy and model are there and understand each other."""

import asyncio
from collections.abc import AsyncIterator

from sluicegate_consumer.commands.checks.finding import Level, Said
from sluicegate_consumer.operations.settings import Settings
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.load import load_policy


async def check_policy(settings: Settings) -> AsyncIterator[Said]:
    """Read the policy: all that the second tier needs to judge."""
    yield _read(load_policy(settings.policy_file))


async def check_judging(settings: Settings) -> AsyncIterator[Said]:
    """Read the policy, find the model on the disk, and map its labels; the model is not loaded."""
    from sluicegate_consumer.models.find import find_checkpoint  # noqa: PLC0415 - needs the extra `consumer`

    document = load_policy(settings.policy_file)
    yield _read(document)
    # In a thread: the digest is taken over all of the model's files.
    checkpoint = await asyncio.to_thread(find_checkpoint, settings.model.name, settings.model.cache_dir)
    if settings.model.digest is None:
        pinning = f"set model.digest={checkpoint.digest} to refuse any other"
        yield Level.WARNING, f"model {checkpoint.name}: not pinned: {pinning}"
    elif settings.model.digest != checkpoint.digest:
        yield Level.PROBLEM, f"model {checkpoint.name}: is {checkpoint.digest}, not {settings.model.digest}"
    else:
        yield Level.OK, f"model {checkpoint.name}: {checkpoint.digest}"
    mapping = document.mapping_for(checkpoint.name, checkpoint.spec.labels)
    meaning = ", ".join(f"{label}: {category or 'harmless'}" for label, category in mapping.labels.items())
    yield Level.OK, f"labels as the policy's entry {mapping.entry} maps them: {meaning}"


def _read(document: PolicyDocument) -> Said:
    return Level.OK, f"policy {document.version}, {document.digest}: {', '.join(document.policies)}"
