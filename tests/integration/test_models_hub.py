"""`sluicegate model` in processes of its own: what it downloads, and what serving finds afterwards."""

import json
import os
import subprocess
import sys

import pytest
from hub_server import COMMIT, hub

from checkpoints import save_tiny_vit

pytest.importorskip("torch")

pytestmark = [pytest.mark.integration, pytest.mark.torch]

ID = "Owner/tiny-nsfw"
COMMAND = "from sluicegate_consumer.commands.model import app; app()"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = save_tiny_vit(tmp_path_factory.mktemp("tiny"))
    files = {path.name: path.read_bytes() for path in directory.iterdir()}
    return files | {"pytorch_model.bin": b"pickle", "README.md": b"words", "own.py": b"raise SystemExit"}


@pytest.fixture
def model(tmp_path):
    """Runs `sluicegate model ...` with a cache of its own."""

    def run(*arguments, endpoint="http://127.0.0.1:9", check=True):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "SLUICEGATE_"))}
        env |= {"HF_ENDPOINT": endpoint, "SLUICEGATE_MODEL__CACHE_DIR": str(tmp_path / "cache")}
        env["SLUICEGATE_MODEL__DEVICE"] = "cpu"
        command = [sys.executable, "-c", COMMAND, *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=check, timeout=60)

    return run


@pytest.mark.parametrize("options", [(), ("--revision", "main"), ("--revision", COMMIT)])
def test_a_pulled_checkpoint_is_served_without_a_hub_under_its_id_and_the_printed_digest(model, files, options):
    with hub(ID, files) as (endpoint, downloaded):
        printed = model("pull", ID, *options, endpoint=endpoint).stdout
    rows = dict(line.split(": ", 1) for line in printed.splitlines())

    card = json.loads(model("show", rows["model.name"], "--json").stdout)

    assert {"config.json", "preprocessor_config.json", "model.safetensors"} == set(downloaded)
    assert rows["model.digest"] == card["digest"]
    assert ID == card["name"]
    assert ["normal", "nsfw"] == card["labels"]
    assert "openvino" == card["runtime"]  # the faster one on a CPU, where it is installed


def test_what_is_not_on_disk_is_refused_with_the_command_that_brings_it_and_no_request(model, files):
    with hub(ID, files) as (endpoint, downloaded):
        shown = model("show", f"{ID}@v1", endpoint=endpoint, check=False)

    assert 0 != shown.returncode
    assert f"sluicegate model pull {ID} --revision v1" in shown.stderr
    assert [] == downloaded


def test_a_pull_of_what_the_hub_does_not_have_fails(model, files):
    with hub(ID, files) as (endpoint, _):
        pulled = model("pull", "Owner/other", endpoint=endpoint, check=False)

    assert 0 != pulled.returncode
    assert "cannot pull 'Owner/other'" in pulled.stderr


def test_a_pull_without_a_hub_fails_even_if_an_old_copy_is_there(model, files):
    with hub(ID, files) as (endpoint, _):
        model("pull", ID, endpoint=endpoint)

    pulled = model("pull", ID, check=False)

    assert 0 != pulled.returncode
    assert f"cannot pull '{ID}'" in pulled.stderr


def test_a_model_is_shown_in_words(model):
    lines = model("show", "embedded").stdout.splitlines()

    assert "name: OwenElliott/image-safety-classifier-s" in lines
    assert "labels: NSFL, NSFW, SFW" in lines
    assert "input: 224x224, bilinear, to that size" in lines
    assert "runtime: openvino" in lines
