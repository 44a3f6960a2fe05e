import json

import pytest

from checkpoints import PREPROCESSOR, save_files
from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.checkpoint import read_checkpoint
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.pixels import Geometry

CONFIG = {"model_type": "vit", "id2label": {"0": "normal", "1": "nsfw"}}


@pytest.fixture
def directory(tmp_path):
    return save_files(tmp_path / "nsfw", CONFIG, PREPROCESSOR)


def test_a_directory_is_called_by_its_own_name_and_says_what_goes_in_and_out(directory):
    checkpoint = find_checkpoint(str(directory))

    assert "nsfw" == checkpoint.name
    assert "torch" == checkpoint.runtime
    assert ("normal", "nsfw") == checkpoint.spec.labels
    assert Geometry(64, 64, "bilinear") == checkpoint.spec.geometry
    assert checkpoint.spec.exclusive


@pytest.mark.parametrize(
    ("change", "exclusive"),
    [
        ({"problem_type": "single_label_classification"}, True),
        ({"problem_type": "multi_label_classification"}, False),
        ({"id2label": {"0": "nsfw"}}, False),
    ],
)
def test_sigmoid_or_softmax_is_read_from_the_configuration(tmp_path, change, exclusive):
    directory = save_files(tmp_path, CONFIG | change, PREPROCESSOR)

    assert exclusive == find_checkpoint(str(directory)).spec.exclusive


def test_a_regression_is_refused(tmp_path):
    directory = save_files(tmp_path, CONFIG | {"problem_type": "regression"}, PREPROCESSOR)

    with pytest.raises(ConfigurationError, match="problem_type"):
        find_checkpoint(str(directory))


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_file_that_is_missing_or_broken_is_named(directory, name, content):
    (directory / name).unlink() if content is None else (directory / name).write_text(content)

    with pytest.raises(ConfigurationError, match=rf"model 'nsfw': .*{name}"):
        find_checkpoint(str(directory))


def test_pickled_weights_are_not_taken_for_weights(directory):
    (directory / "model.safetensors").rename(directory / "pytorch_model.bin")

    with pytest.raises(ConfigurationError, match="never read"):
        find_checkpoint(str(directory))


def test_the_digest_covers_what_determines_scores_and_nothing_else(directory):
    digest = find_checkpoint(str(directory)).digest
    (directory / "README.md").write_text("new")
    (directory / "optimizer.pt").write_bytes(b"new")
    assert digest == find_checkpoint(str(directory)).digest

    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        path = directory / name
        before = path.read_bytes()
        path.write_bytes(before + b" ")
        assert digest != find_checkpoint(str(directory)).digest, name
        path.write_bytes(before)


def test_every_shard_must_be_there_and_counts(directory):
    (directory / "model.safetensors").unlink()
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    (directory / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": shards[0], "b": shards[1], "c": shards[1]}})
    )
    (directory / shards[0]).write_bytes(b"1")
    with pytest.raises(ConfigurationError, match=shards[1]):
        find_checkpoint(str(directory))

    (directory / shards[1]).write_bytes(b"2")
    digest = find_checkpoint(str(directory)).digest
    (directory / shards[1]).write_bytes(b"3")
    assert digest != find_checkpoint(str(directory)).digest


def test_an_export_to_onnx_is_read_by_the_other_runtime_with_its_external_weights(directory):
    (directory / "model.onnx").write_bytes(b"graph")
    (directory / "model.onnx_data").write_bytes(b"weights")
    checkpoint = read_checkpoint("export", directory)

    assert "onnxruntime" == checkpoint.runtime
    assert directory / "model.onnx" == checkpoint.weights
    (directory / "model.onnx_data").write_bytes(b"others")
    assert checkpoint.digest != read_checkpoint("export", directory).digest


def test_what_is_neither_a_directory_nor_an_id_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="is no directory on this disk"):
        find_checkpoint(str(tmp_path / "missing"))
