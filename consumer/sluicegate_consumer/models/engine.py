"""Which runtime computes a model here, and how exactly. The whole order of preference stands in this file."""

from collections.abc import Callable
from importlib.util import find_spec

import structlog

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.checkpoint import Checkpoint
from sluicegate_consumer.models.classifier import Classifier
from sluicegate_consumer.models.device import choose_device
from sluicegate_consumer.models.offline import go_offline
from sluicegate_consumer.models.precision import Precision, cpu_has_bfloat16
from sluicegate_consumer.models.rescoring import BFLOAT16_MARGIN, NearEdges, RescoringClassifier
from sluicegate_consumer.operations.settings import ModelSettings

log = structlog.get_logger()

EXTRAS = {"onnxruntime": "onnx", "torch": "torch", "openvino": "openvino"}
"""What to install for a package that is missing."""


def open_engine(checkpoint: Checkpoint, settings: ModelSettings, near: NearEdges | None, max_batch: int) -> Classifier:
    """The fastest classifier that there is here for a checkpoint.

    On a GPU if there is one, else by OpenVINO if it is installed, else by what the weights are made for; and on a CPU
    that has bfloat16 in that, with frames near an edge computed again in float32.

    Raises:
        ConfigurationError: the settings name a runtime that cannot run these weights, or one that is not installed.
    """
    go_offline()  # before the first runtime is imported
    *better, last = _runtimes(checkpoint, settings)
    for runtime in better:
        try:
            return _open(runtime, checkpoint, settings, near, max_batch)
        except Exception as error:  # noqa: BLE001 - a converter raises what it likes
            log.warning("model.runtime_failed", model=checkpoint.name, runtime=runtime, error=str(error))
    return _open(last, checkpoint, settings, near, max_batch)


def _open(
    runtime: str, checkpoint: Checkpoint, settings: ModelSettings, near: NearEdges | None, max_batch: int
) -> Classifier:
    precision = settings.precision if settings.precision != "auto" else _best_precision(runtime, near)
    try:
        engine_at = _engine(checkpoint, runtime, settings, max_batch)
        engine = engine_at(precision)
        if engine.card.precision != "bfloat16" or near is None:
            return engine
        return RescoringClassifier(engine, engine_at("float32"), near(engine.card, BFLOAT16_MARGIN))
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(str(error.name), checkpoint.runtime)
        raise ConfigurationError(
            f"model {checkpoint.name!r}: needs {error.name}: pip install 'sluicegate[{extra}]'"
        ) from error


def _runtimes(checkpoint: Checkpoint, settings: ModelSettings) -> list[str]:
    """Those to try, best first; the last one's failure is the model's."""
    if settings.runtime != "auto":
        return [settings.runtime]
    cpu = settings.device == "cpu" or (settings.device == "auto" and not _gpu_is_there(checkpoint))
    return ["openvino", checkpoint.runtime] if cpu and find_spec("openvino") else [checkpoint.runtime]


def _best_precision(runtime: str, near: NearEdges | None) -> Precision:
    """Without edges there is nothing to say which errors matter, so there are none."""
    fast = near is not None and runtime != "onnxruntime" and cpu_has_bfloat16()
    return "bfloat16" if fast else "float32"


def _gpu_is_there(checkpoint: Checkpoint) -> bool:
    """Whether the runtime that the weights are made for can use one."""
    if checkpoint.runtime == "torch" and find_spec("torch"):
        import torch  # noqa: PLC0415 - an extra

        return torch.cuda.is_available()
    if checkpoint.runtime == "onnxruntime" and find_spec("onnxruntime"):
        import onnxruntime  # noqa: PLC0415 - an extra

        return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    return False


def _engine(
    checkpoint: Checkpoint, runtime: str, settings: ModelSettings, max_batch: int
) -> Callable[[Precision], Classifier]:
    """What opens the runtime's classifier at a precision. What is slow and the same for all is done once."""
    if runtime not in {checkpoint.runtime, "openvino"}:
        raise ConfigurationError(
            f"model.runtime: is {runtime!r}, but {checkpoint.name} has weights for {checkpoint.runtime}; "
            f"should be auto, {checkpoint.runtime} or openvino"
        )
    if runtime == "openvino":
        return _openvino(checkpoint, settings, max_batch)
    if runtime == "torch":
        return lambda precision: _torch(checkpoint, settings.device, precision, max_batch)
    return lambda precision: _onnx(checkpoint, settings.device, precision, max_batch)


def _openvino(checkpoint: Checkpoint, settings: ModelSettings, max_batch: int) -> Callable[[Precision], Classifier]:
    _require_cpu(settings.device)
    from sluicegate_consumer.models.openvino_classifier import OpenVinoClassifier  # noqa: PLC0415 - an extra
    from sluicegate_consumer.models.openvino_graph import openvino_graph  # noqa: PLC0415 - same

    graph = openvino_graph(checkpoint)
    return lambda precision: OpenVinoClassifier(
        checkpoint, graph, precision=precision, max_batch=max_batch, lanes=settings.lanes
    )


def _onnx(checkpoint: Checkpoint, device: str, precision: Precision, max_batch: int) -> Classifier:
    if precision != "float32":
        raise ConfigurationError(f"model.precision: is {precision!r}, but onnxruntime computes in float32 here")
    from sluicegate_consumer.models.onnx_classifier import OnnxClassifier  # noqa: PLC0415 - an extra

    return OnnxClassifier(checkpoint, device=device, max_batch=max_batch)


def _torch(checkpoint: Checkpoint, device: str, precision: Precision, max_batch: int) -> Classifier:
    """Recorded graphs on a GPU; plain torch on a CPU, and on a GPU that cannot record them."""
    import torch  # noqa: PLC0415 - an extra

    from sluicegate_consumer.models.torch_classifier import TorchClassifier  # noqa: PLC0415 - same

    on = choose_device(device, torch.cuda.device_count())
    if on != "cpu":
        from sluicegate_consumer.models.cuda_classifier import CudaClassifier  # noqa: PLC0415 - same

        try:
            return CudaClassifier(checkpoint, device=on, max_batch=max_batch)
        except RuntimeError as error:
            log.warning("model.not_recorded", model=checkpoint.name, device=on, error=str(error))
    return TorchClassifier(checkpoint, device=on, precision=precision, max_batch=max_batch)


def _require_cpu(device: str) -> None:
    if device not in {"auto", "cpu"}:
        raise ConfigurationError(
            f"model.device: is {device!r}, but model.runtime is openvino, which computes on the CPU; "
            "should be auto or cpu, or model.runtime auto"
        )
