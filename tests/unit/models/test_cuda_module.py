"""What the GPU's graph is made of, on the CPU: normalising inside the model, and doing without a compiler."""

import numpy as np
import pytest
from structlog.testing import capture_logs

from checkpoints import save_tiny_vit
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.scores import probabilities
from sluicegate_consumer.operations.settings import ModelSettings

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return save_tiny_vit(tmp_path_factory.mktemp("vit"))


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(7).integers(0, 256, (5, 64, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("float16", 0.01)])
def test_frames_are_normalised_inside_the_model(directory, frames, precision, tolerance):
    from sluicegate_consumer.models.cuda_classifier import Normalised  # noqa: PLC0415 - needs torch
    from sluicegate_consumer.models.torch_weights import load_weights  # noqa: PLC0415 - same

    settings = ModelSettings(name=str(directory), device="cpu", runtime="torch", precision="float32")
    expected = load_classifier(settings, max_batch=8).classify(list(frames))
    checkpoint = find_checkpoint(str(directory))
    module = Normalised(load_weights(checkpoint.weights), checkpoint.spec.normalisation, getattr(torch, precision))
    with torch.inference_mode():
        logits = module.eval()(torch.from_numpy(frames))
    assert torch.float32 == logits.dtype
    assert np.abs(expected - probabilities(logits.numpy(), exclusive=True)).max() <= tolerance


def test_without_a_compiler_the_module_runs_as_it_is(monkeypatch):
    from sluicegate_consumer.models.cuda_classifier import compiled  # noqa: PLC0415 - needs torch

    def broken(*_, **__):
        def call(_):
            raise RuntimeError("no C compiler")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    module = torch.nn.Identity()
    with capture_logs() as logs:
        assert module is compiled(module, torch.zeros(1))
    assert ["model.not_compiled"] == [entry["event"] for entry in logs]
