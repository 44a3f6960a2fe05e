"""The one place that downloads a model. Nothing else in sluicegate ever does."""

from pathlib import Path

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.checkpoint import HUB_PATTERNS
from sluicegate_consumer.operations.telemetry import silence


def pull(name: str, cache_dir: Path | None = None, revision: str | None = None) -> Path:
    """Bring a checkpoint's configuration and safetensors to this disk, and nothing else of it.

    Endpoint, token and proxies are those of Hugging Face's own tools (`HF_ENDPOINT`, `HF_TOKEN`, ...).

    Args:
        name: `owner/name` on the hub.
        cache_dir: Hugging Face's own cache if not given.
        revision: A branch, tag or commit; the default branch if not given.

    Returns:
        The directory that holds the files.

    Raises:
        ConfigurationError: there is no such checkpoint or revision, or the hub cannot be reached.
    """
    silence()
    try:
        import huggingface_hub  # noqa: PLC0415 - heavy, and an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError("model pull needs the extra torch: pip install 'sluicegate[torch]'") from error
    try:
        # Asked first, because snapshot_download is content with an old copy when the hub is away.
        huggingface_hub.HfApi().model_info(name, revision=revision)
        found = huggingface_hub.snapshot_download(
            name, revision=revision, cache_dir=cache_dir, allow_patterns=list(HUB_PATTERNS)
        )
    except Exception as error:
        # HTTP, validation and connection errors of several libraries; each names what is wrong.
        raise ConfigurationError(f"cannot pull {name!r}: {error}") from error
    return Path(found)
