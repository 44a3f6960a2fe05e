"""From the setting `model.name` to a checkpoint on this disk."""

import re
from pathlib import Path

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.checkpoint import HUB_PATTERNS, Checkpoint, read_checkpoint
from sluicegate_consumer.models.embedded import embedded_checkpoint
from sluicegate_consumer.models.offline import go_offline

EMBEDDED = "embedded"
HUB_ID = re.compile(r"(?P<repository>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>[\w./-]+))?")


def find_checkpoint(name: str, cache_dir: Path | None = None) -> Checkpoint:
    """The checkpoint that `name` stands for.

    In this order: `embedded`; a directory, called by its own last name in verdicts and policy; the id of a
    checkpoint in Hugging Face's cache, `owner/name`, or `owner/name@revision` (a branch, tag or commit as it
    was pulled), called by its id without the revision.

    Args:
        name: The setting.
        cache_dir: Hugging Face's own cache if not given.

    Raises:
        ConfigurationError: it is not on this disk, not complete, or not supported.
    """
    if name == EMBEDDED:
        return embedded_checkpoint()
    directory = Path(name).expanduser()
    if directory.is_dir():
        return read_checkpoint(directory.resolve().name, directory)
    match = HUB_ID.fullmatch(name)
    if match is None:
        raise ConfigurationError(
            f"model.name: {name!r} is no directory on this disk, "
            "should be one, a Hugging Face id such as Falconsai/nsfw_image_detection, or embedded"
        )
    repository, revision = match["repository"], match["revision"]
    return read_checkpoint(repository, _snapshot(repository, revision, cache_dir))


def _snapshot(repository: str, revision: str | None, cache_dir: Path | None) -> Path:
    go_offline()
    try:
        import huggingface_hub  # noqa: PLC0415 - heavy, and must come after go_offline
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"model.name: {repository!r} is a Hugging Face id, which needs: pip install 'sluicegate[torch]'"
        ) from error
    try:
        found = huggingface_hub.snapshot_download(
            repository,
            revision=revision,
            cache_dir=cache_dir,
            allow_patterns=list(HUB_PATTERNS),
            local_files_only=True,
        )
    except (FileNotFoundError, ValueError) as error:
        where = cache_dir or "Hugging Face's cache"
        option = f" --revision {revision}" if revision else ""
        raise ConfigurationError(
            f"model.name: {repository!r} is not, or not whole, in {where}; "
            f"bring it there with: sluicegate model pull {repository}{option}"
        ) from error
    return Path(found)
