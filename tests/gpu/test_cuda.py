"""On one CUDA device: recorded graphs give the scores of float32, whatever the batch. Skipped where there is none."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from checkpoints import save_tiny_vit
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.operations.settings import ModelSettings

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

FLOAT16 = 0.01
SAME = 1e-3
"""Of one frame in batches of different sizes, in float16."""
MAX_BATCH = 32


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return save_tiny_vit(tmp_path_factory.mktemp("vit"), ("gore", "nude", "calm"))


@pytest.fixture(scope="module")
def classifier(directory):
    loaded = load_classifier(ModelSettings(name=str(directory), device="cuda"), max_batch=MAX_BATCH)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def frames(photographs):
    images = [Image.open(path).convert("RGB").resize((64, 64)) for path in photographs.values()]
    return [np.asarray(image.rotate(angle)) for image in images for angle in range(0, 360, 30)]


def test_graphs_are_what_runs(classifier):
    assert ("cuda:0", "torch", "float16", 2) == (
        classifier.card.device,
        classifier.card.runtime,
        classifier.card.precision,
        classifier.card.lanes,
    )


def test_scores_are_those_of_float32(classifier, directory, frames):
    settings = ModelSettings(name=str(directory), device="cpu", runtime="torch", precision="float32")
    exact = load_classifier(settings, max_batch=MAX_BATCH).classify(frames)
    assert np.abs(exact - classifier.classify(frames)).max() <= FLOAT16


def test_scores_depend_on_no_size_and_no_place(classifier, frames):
    alone = np.concatenate([classifier.classify([frame]) for frame in frames])
    for size in (2, 8, 9, 31, 32, len(frames)):
        assert np.abs(alone[:size] - classifier.classify(frames[:size])).max() <= SAME


def test_two_threads_get_their_own_scores(classifier, frames):
    expected = classifier.classify(frames)
    with ThreadPoolExecutor(2) as pool:
        for scores in pool.map(lambda _: classifier.classify(frames), range(50)):
            assert np.abs(expected - scores).max() <= SAME


def test_overflow_comes_back_as_not_a_number(directory, tmp_path, frames):
    transformers = pytest.importorskip("transformers")
    model = transformers.ViTForImageClassification.from_pretrained(directory)
    with torch.no_grad():
        model.classifier.weight.mul_(1e6)
    save_tiny_vit(tmp_path, ("gore", "nude", "calm"))
    model.save_pretrained(tmp_path)
    from sluicegate_consumer.models.cuda_classifier import CudaClassifier  # noqa: PLC0415 - needs torch
    from sluicegate_consumer.models.find import find_checkpoint  # noqa: PLC0415 - beside it

    loaded = CudaClassifier(find_checkpoint(str(tmp_path)), device="cuda:0", max_batch=8)
    assert np.isnan(loaded.classify(frames[:3])).all()
