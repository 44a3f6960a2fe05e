"""What every `Classifier` promises, asked of the twin and of both runtimes with real weights and real pixels."""

import numpy as np
import pytest
from PIL import Image

from checkpoints import save_tiny_vit
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.memory import MemoryClassifier
from sluicegate_consumer.models.precision import cpu_has_bfloat16
from sluicegate_consumer.operations.settings import ModelSettings

MAX_BATCH = 4
TOLERANCE = 1e-5
"""Kernels differ with the size of a batch, in the last bits of a float32."""


@pytest.fixture(
    scope="module",
    params=[
        "memory",
        "onnxruntime",
        "openvino",
        "openvino bfloat16",
        pytest.param("openvino torch sigmoid", marks=pytest.mark.torch),
        pytest.param("torch softmax", marks=pytest.mark.torch),
        pytest.param("torch sigmoid", marks=pytest.mark.torch),
        pytest.param("torch bfloat16", marks=pytest.mark.torch),
    ],
)
def classifier(request, tmp_path_factory):
    if request.param == "memory":
        yield MemoryClassifier()
        return
    runtime, *rest = request.param.split()
    name = "embedded"
    if "torch" in request.param:
        pytest.importorskip("torch")
        problem = "multi_label_classification" if "sigmoid" in rest else None
        name = str(save_tiny_vit(tmp_path_factory.mktemp("vit"), ("gore", "nude", "calm"), problem))
    precision = "bfloat16" if "bfloat16" in rest else "float32"
    if precision == "bfloat16" and not cpu_has_bfloat16():
        pytest.skip("this CPU has no bfloat16")
    settings = ModelSettings(name=name, device="cpu", runtime=runtime, precision=precision)
    loaded = load_classifier(settings, max_batch=MAX_BATCH)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def frames(classifier, photographs):
    geometry = classifier.card.geometry
    size = (geometry.width, geometry.height)
    return [np.asarray(Image.open(path).convert("RGB").resize(size)) for path in photographs.values()]


def flat(classifier, value):
    return np.full((classifier.card.geometry.height, classifier.card.geometry.width, 3), value, np.uint8)


def test_every_frame_gets_one_float32_score_per_label_between_0_and_1(classifier, frames):
    scores = classifier.classify(frames)

    assert (len(frames), len(classifier.card.labels)) == scores.shape
    assert np.float32 == scores.dtype
    assert scores.min() >= 0
    assert scores.max() <= 1 + 1e-6


def test_exclusive_scores_add_up_to_1_and_independent_ones_do_not(classifier, frames):
    sums = classifier.classify(frames).sum(axis=1)

    assert classifier.card.exclusive == bool(np.allclose(sums, 1, atol=TOLERANCE))


def test_different_images_get_different_scores(classifier, frames):
    assert np.ptp(classifier.classify(frames), axis=0).max() > 100 * TOLERANCE


def test_a_frames_scores_depend_neither_on_its_place_nor_on_its_neighbours(classifier, frames):
    alone = np.concatenate([classifier.classify([frame]) for frame in frames])

    for order in (range(len(frames)), reversed(range(len(frames)))):
        shuffled = list(order)
        together = classifier.classify([frames[index] for index in shuffled])
        assert np.abs(alone[shuffled] - together).max() <= TOLERANCE

    for place in range(MAX_BATCH):
        batch = [flat(classifier, 255)] * MAX_BATCH
        batch[place] = frames[0]
        assert np.abs(alone[0] - classifier.classify(batch)[place]).max() <= TOLERANCE


def test_more_frames_than_a_batch_holds_are_scored_in_order(classifier, frames):
    many = (frames * 3)[: 3 * MAX_BATCH + 1]
    alone = {id(frame): classifier.classify([frame])[0] for frame in frames}

    scores = classifier.classify(many)

    assert np.abs(scores - np.stack([alone[id(frame)] for frame in many])).max() <= TOLERANCE


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_frames_get_finite_scores(classifier, value):
    assert np.isfinite(classifier.classify([flat(classifier, value)])).all()


def test_frames_may_be_read_only_and_are_left_as_they_are(classifier, frames):
    frame = frames[0].copy()
    frame.setflags(write=False)
    before = frame.copy()

    classifier.classify([frame, frame])

    assert np.array_equal(before, frame)


def test_earlier_scores_stay_as_they_are(classifier, frames):
    scores = classifier.classify(frames[:1])
    before = scores.copy()

    classifier.classify([flat(classifier, 255)])

    assert np.array_equal(before, scores)


def test_a_frame_of_the_wrong_size_raises_and_the_next_batch_is_scored_as_ever(classifier, frames):
    before = classifier.classify(frames[:2])
    single_pixel = np.zeros((1, 1, 3), np.uint8)

    with pytest.raises(ValueError, match=r"."):
        classifier.classify([frames[0], single_pixel])
    with pytest.raises(ValueError, match=r"."):
        classifier.classify([single_pixel])

    assert np.array_equal(before, classifier.classify(frames[:2]))


def test_the_card_tells_where_scores_come_from(classifier):
    card = classifier.card

    assert card.digest.startswith("sha256:")
    assert 7 + 64 == len(card.digest)
    assert "cpu" == card.device
    assert card.runtime in {"memory", "torch", "onnxruntime", "openvino"}
    assert card.precision in {"float32", "bfloat16"}


@pytest.mark.parametrize(
    "runtime", ["memory", "onnxruntime", "openvino", pytest.param("torch", marks=pytest.mark.torch)]
)
def test_a_closed_classifier_raises_and_may_be_closed_again(runtime, tmp_path):
    if runtime == "memory":
        classifier = MemoryClassifier()
    else:
        name = "embedded"
        if runtime == "torch":
            pytest.importorskip("torch")
            name = str(save_tiny_vit(tmp_path))
        classifier = load_classifier(ModelSettings(name=name, device="cpu", runtime=runtime), max_batch=1)

    classifier.close()
    classifier.close()

    with pytest.raises(RuntimeError, match="closed"):
        classifier.classify([flat(classifier, 0)])


def test_what_is_on_disk_and_what_is_loaded_have_the_same_digest():
    loaded = load_classifier(ModelSettings(name="embedded"), max_batch=1)

    assert find_checkpoint("embedded").digest == loaded.card.digest
