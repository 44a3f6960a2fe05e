"""The torch path against transformers' own: the same photographs, the same scores."""

import json

import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from checkpoints import PREPROCESSOR, save_tiny_vit
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.preprocessing import FAMILIES, read_geometry, read_normalisation
from sluicegate_consumer.operations.settings import ModelSettings
from sluicegate_consumer.pixels import Frame, Geometry

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.integration, pytest.mark.torch]

MODULES = {
    "ViT": "vit",
    "Siglip": "siglip",
    "Beit": "beit",
    "CLIP": "clip",
    "Bit": "bit",
    "ConvNext": "convnext",
}


def prepared(image: Image.Image, geometry: Geometry) -> Frame:
    """Resized and cropped by Pillow as the geometry says."""
    resample = Image.Resampling[geometry.resample.upper()]
    width, height = geometry.width, geometry.height
    if geometry.mode == "exact":
        return np.asarray(image.resize((width, height), resample))
    short, long = sorted(image.size)
    edge = geometry.shortest_edge
    longer = int(edge * long / short)
    image = image.resize((edge, longer) if image.width <= image.height else (longer, edge), resample)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return np.asarray(image.crop((left, top, left + width, top + height)))


def processor_of(family):
    module = f"transformers.models.{MODULES[family]}.image_processing_pil_{MODULES[family]}"
    return getattr(pytest.importorskip(module), f"{family}ImageProcessorPil")


@pytest.fixture(scope="module")
def images(photographs):
    return [Image.open(path).convert("RGB") for path in photographs.values()]


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
@pytest.mark.parametrize("problem_type", [None, "multi_label_classification"])
def test_scores_equal_those_of_transformers_own_pipeline(tmp_path, images, problem_type, runtime):
    directory = save_tiny_vit(tmp_path, ("gore", "nude", "calm"), problem_type)
    processor = transformers.AutoImageProcessor.from_pretrained(directory, backend="pil")
    pipe = transformers.pipeline("image-classification", model=str(directory), image_processor=processor, top_k=None)
    expected = [{row["label"]: row["score"] for row in pipe(image)} for image in images]

    classifier = load_classifier(ModelSettings(name=str(directory), device="cpu", runtime=runtime), max_batch=4)
    card = classifier.card
    scores = classifier.classify([prepared(image, card.geometry) for image in images])

    wanted = np.array([[row[label] for label in card.labels] for row in expected])
    assert np.ptp(wanted, axis=0).max() > 0.1, "the photographs must differ, or this test shows nothing"
    assert np.abs(wanted - scores).max() <= 1e-4


@pytest.mark.parametrize(
    ("family", "options"),
    [
        *((family, {}) for family in sorted(FAMILIES)),
        ("ViT", {"size": 192}),
        ("Beit", {"size": 192}),
        ("CLIP", {"size": 192, "crop_size": 160}),
        ("Bit", {"size": 192, "crop_size": {"height": 128, "width": 160}}),
        ("Siglip", {"size": 192, "do_center_crop": True, "crop_size": 161}),
        ("ConvNext", {"size": 192}),
        ("ConvNext", {"size": 160, "crop_pct": 0.95}),
    ],
)
def test_pixels_equal_those_of_transformers_own_processors(family, options, images):
    own = processor_of(family)(**options)
    config = json.loads(own.to_json_string())
    geometry, normalisation = read_geometry(config), read_normalisation(config)

    for image in images:
        theirs = np.asarray(own(image, return_tensors="np")["pixel_values"][0])
        values = prepared(image, geometry).transpose(2, 0, 1)
        scale, shift = (np.reshape(channels, (3, 1, 1)) for channels in (normalisation.scale, normalisation.shift))
        assert np.abs(theirs - (values * scale + shift)).max() <= 1e-5


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_what_a_file_leaves_out_is_what_transformers_own_class_has(family):
    written = json.loads(processor_of(family)().to_json_string())
    silent = {"image_processor_type": f"{family}ImageProcessor"}

    assert read_geometry(written) == read_geometry(silent)
    assert read_normalisation(written) == read_normalisation(silent)


def test_the_processor_behind_the_models_preprocessing_is_the_one_that_transformers_takes(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))

    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path, backend="pil")

    assert "ViTImageProcessorPil" == type(processor).__name__


def test_a_checkpoint_without_a_trained_head_is_refused_and_not_filled_with_random_numbers(tmp_path):
    directory = save_tiny_vit(tmp_path)
    model = transformers.ViTForImageClassification.from_pretrained(directory)
    config = (directory / "config.json").read_bytes()
    model.vit.save_pretrained(directory)
    (directory / "config.json").write_bytes(config)

    with pytest.raises(ConfigurationError, match=r"lack 2 of the model's tensors, classifier\.bias first"):
        load_classifier(ModelSettings(name=str(directory), device="cpu"), max_batch=1)


def test_a_head_of_another_size_than_the_labels_is_refused(tmp_path):
    directory = save_tiny_vit(tmp_path, ("a", "b", "c"))
    config = json.loads((directory / "config.json").read_bytes())
    config |= {"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}}
    (directory / "config.json").write_text(json.dumps(config))

    with pytest.raises(ConfigurationError, match=r"torch cannot load it.*mismatched"):
        load_classifier(ModelSettings(name=str(directory), device="cpu"), max_batch=1)


def test_code_inside_a_checkpoint_is_never_run(tmp_path):
    directory = save_tiny_vit(tmp_path)
    config = json.loads((directory / "config.json").read_bytes())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.C", "AutoModelForImageClassification": "own.M"},
    }
    (directory / "config.json").write_text(json.dumps(config))
    ran = tmp_path / "ran"
    (directory / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")

    with pytest.raises(ConfigurationError, match="torch cannot load it"):
        load_classifier(ModelSettings(name=str(directory), device="cpu"), max_batch=1)
    assert not ran.exists()


def test_overflow_comes_back_as_not_a_number_for_its_own_frame_alone(tmp_path, images):
    settings = ModelSettings(name=str(save_tiny_vit(tmp_path)), device="cpu", runtime="torch")
    classifier = load_classifier(settings, max_batch=4)
    frames = [prepared(image, classifier.card.geometry) for image in images[:3]]
    before = classifier.classify(frames)
    model = classifier._model
    hook = model.classifier.register_forward_hook(
        lambda _module, _inputs, logits: logits.index_fill(0, torch.tensor([1]), float("-inf"))
    )

    scores = classifier.classify(frames)
    hook.remove()

    assert np.isnan(scores[1]).all()
    assert np.allclose(before[[0, 2]], scores[[0, 2]], atol=1e-6)


def test_weights_that_give_no_numbers_are_refused_at_start(tmp_path):
    directory = save_tiny_vit(tmp_path)
    model = transformers.ViTForImageClassification.from_pretrained(directory)
    with torch.no_grad():
        model.classifier.bias.fill_(float("nan"))
    model.save_pretrained(directory)

    with pytest.raises(ConfigurationError, match="scores that are no numbers"):
        load_classifier(ModelSettings(name=str(directory), device="cpu"), max_batch=1)


def test_labels_that_nobody_chose_and_a_missing_gpu_are_said_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    directory = save_tiny_vit(tmp_path, ("LABEL_0", "LABEL_1", "LABEL_2"))

    with capture_logs() as logs:
        load_classifier(ModelSettings(name=str(directory), runtime="torch"), max_batch=1)

    assert ["model.labels_are_placeholders", "model.on_cpu", "model.loaded"] == [entry["event"] for entry in logs]
    assert "cpu" == logs[-1]["device"]
    assert "torch" == logs[-1]["runtime"]


def test_cuda_is_refused_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)

    with pytest.raises(ConfigurationError, match=r"model\.device: is 'cuda'"):
        load_classifier(ModelSettings(name=str(save_tiny_vit(tmp_path)), device="cuda"), max_batch=1)
