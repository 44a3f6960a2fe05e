"""Every engine gives the scores of float32 in the weights' own runtime, as nearly as its precision allows."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from checkpoints import save_tiny_vit
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.precision import cpu_has_bfloat16
from sluicegate_consumer.models.rescoring import RescoringClassifier
from sluicegate_consumer.moderation.second_look import second_look
from sluicegate_consumer.operations.cores import usable_cores
from sluicegate_consumer.operations.settings import ModelSettings
from sluicegate_consumer.policy.load import load_policy

pytestmark = pytest.mark.integration

FLOAT32 = 1e-4
BFLOAT16_MAX, BFLOAT16_P99 = 0.08, 0.03
MAX_BATCH = 8
EDGE = 0.5

needs_bfloat16 = pytest.mark.skipif(not cpu_has_bfloat16(), reason="this CPU has no bfloat16")


def near_half(card, margin):
    del card
    return lambda scores: any(abs(score - EDGE) <= margin for score in scores)


def load(name, runtime="auto", precision="auto", near=None):
    settings = ModelSettings(name=name, device="cpu", runtime=runtime, precision=precision)
    return load_classifier(settings, max_batch=MAX_BATCH, near=near)


@pytest.fixture(scope="module")
def images(photographs):
    """Photographs, brighter, darker and turned: enough of them that some score near every edge."""
    pictures = [Image.open(path).convert("RGB") for path in photographs.values()]
    turned = [picture.rotate(angle) for picture in pictures for angle in (0, 90, 180)]
    return [ImageEnhance.Brightness(picture).enhance(light) for picture in turned for light in (0.3, 0.7, 1.0, 1.6)]


def frames_for(classifier, images):
    geometry = classifier.card.geometry
    return [np.asarray(image.resize((geometry.width, geometry.height))) for image in images]


@pytest.fixture(scope="module", params=["embedded", pytest.param("torch", marks=pytest.mark.torch)])
def model(request, tmp_path_factory):
    """A model's name, and the runtime that its weights are made for."""
    if request.param == "embedded":
        return "embedded", "onnxruntime"
    pytest.importorskip("torch")
    return str(save_tiny_vit(tmp_path_factory.mktemp("vit"), ("normal", "nsfw"))), "torch"


@pytest.fixture(scope="module")
def exact(model, images):
    classifier = load(model[0], model[1], "float32")
    return classifier.classify(frames_for(classifier, images))


def test_openvino_is_chosen_where_there_is_no_gpu(model):
    assert "openvino" == load(model[0]).card.runtime


def test_without_edges_all_is_float32(model):
    assert "float32" == load(model[0]).card.precision


def test_openvino_in_float32_gives_the_same_scores(model, exact, images):
    classifier = load(model[0], "openvino", "float32")
    assert np.abs(exact - classifier.classify(frames_for(classifier, images))).max() <= FLOAT32


@pytest.mark.parametrize("lanes", [1, 2])
def test_openvino_computes_as_many_batches_side_by_side_as_are_asked_for_and_mixes_none_up(model, exact, images, lanes):
    settings = ModelSettings(name=model[0], device="cpu", runtime="openvino", precision="float32", lanes=lanes)
    classifier = load_classifier(settings, max_batch=MAX_BATCH)
    assert (lanes, lanes) == (classifier.card.lanes, classifier.card.side_by_side)
    frames = frames_for(classifier, images)
    with ThreadPoolExecutor(lanes) as threads:
        scores = np.concatenate(list(threads.map(lambda frame: classifier.classify([frame]), frames)))
    assert np.abs(exact - scores).max() <= FLOAT32


@pytest.mark.parametrize(("large", "lanes"), [(10**9, min(2, usable_cores())), (5_000_000, 1)])
def test_a_large_model_has_all_cores_for_one_batch(large, lanes, monkeypatch):
    monkeypatch.setattr("sluicegate_consumer.models.openvino_classifier.LARGE", large)
    assert lanes == load("embedded", "openvino").card.lanes


@needs_bfloat16
@pytest.mark.parametrize("runtime", ["openvino", pytest.param("torch", marks=pytest.mark.torch)])
def test_bfloat16_is_close_and_changes_no_decision_after_rescoring(model, exact, images, runtime):
    name, own = model
    if runtime not in {own, "openvino"}:
        pytest.skip("these weights are not torch's")
    fast = load(name, runtime, "bfloat16")
    frames = frames_for(fast, images)
    fast_scores = fast.classify(frames)
    off = np.abs(exact - fast_scores)
    assert 0 < off.max() <= BFLOAT16_MAX
    assert np.quantile(off, 0.99) <= BFLOAT16_P99

    both = load(name, runtime, "auto", near_half)
    assert isinstance(both, RescoringClassifier)
    assert "bfloat16" == both.card.precision
    scores = both.classify(frames)
    assert np.array_equal(scores >= EDGE, exact >= EDGE)
    near = (np.abs(exact - EDGE) <= BFLOAT16_MAX / 2).any(axis=1)
    assert np.abs(scores - exact)[near].max(initial=0.0) <= FLOAT32
    assert (scores == fast_scores).all(axis=1).any()  # these were not computed again


@needs_bfloat16
def test_the_policys_edges_tell_what_is_computed_again(images):
    looks = list[bool]()
    near = partial(second_look, load_policy(None), counted=lambda: looks.append(True))
    classifier = load("embedded", near=near)
    looks.clear()  # those of its warm-up
    # Plain grey scores 0.116 for NSFW, right beside the edge below which avatars are approved.
    frames = [*frames_for(classifier, images), np.full((224, 224, 3), 128, np.uint8)]
    exact = load("embedded", "openvino", "float32").classify(frames)
    fast = classifier.classify(frames)
    for edge in (0.12, 0.15, 0.60, 0.85):
        assert np.array_equal(fast[:, :2] >= edge, exact[:, :2] >= edge)
    assert 0 < len(looks) < len(frames)
    assert np.abs(fast[-1] - exact[-1]).max() <= FLOAT32


def test_a_runtime_that_cannot_read_the_weights_is_refused():
    with pytest.raises(
        ConfigurationError, match=r"model\.runtime: is 'torch'.*should be auto, onnxruntime or openvino"
    ):
        load("embedded", "torch")


def test_openvino_does_not_claim_a_gpu():
    with pytest.raises(ConfigurationError, match=r"model\.device: is 'cuda'"):
        load_classifier(ModelSettings(name="embedded", device="cuda", runtime="openvino"), max_batch=1)


def test_onnxruntime_refuses_bfloat16():
    with pytest.raises(ConfigurationError, match=r"model\.precision"):
        load("embedded", "onnxruntime", "bfloat16")
