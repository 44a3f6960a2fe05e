"""Every part of the benchmark runs, with tiny counts; what it finds says nothing about speed, and is not asserted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = [pytest.mark.integration, pytest.mark.torch, pytest.mark.timeout(600)]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "tests"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_measures_everybody_and_loses_nothing(tmp_path: Path):
    done = run("benchmarks/run.py", "--quick", "--only", "half", "losses", "overhead", "--report", str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "figures.json").read_text())
    vit, embedded = figures["full"]
    assert all(each["per_s"] > 0 for each in (vit["naive"], *vit["afternoon"], *vit["ours"], *embedded["ours"]))
    assert figures["losses"]["sluicegate"]["without_verdict"] == 0
    assert (
        figures["losses"]["afternoon peer"]["broken_without_verdict"] == figures["losses"]["afternoon peer"]["broken"]
    )
    assert all(half["unanswered"] == 0 for half in figures["half"].values())
    assert all(lag["samples"] > 0 for lag in figures["lags"].values())
    # Sampled, and so short that a stage may have no sample: only that ours are told apart.
    stages = figures["overhead"]["everything in memory"]["stages"]
    assert {"read the event", "decide", "write the verdict"} & set(stages)
    assert (tmp_path / "full-load.svg").read_text().startswith("<?xml")
    assert "| embedded model, 0.3 MP |" in (tmp_path / "full.md").read_text()


def test_precisions_are_compared_on_the_real_model(tmp_path: Path):
    done = run("benchmarks/precision.py", "--frames", "64", "--report", str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    assert "| as taken | 32 |" in (tmp_path / "precision.md").read_text()
    assert re.search(
        r"^\| 0\.08 \| [\d.]+% \| [\d.]+% \| 0 \| 0 \|$", (tmp_path / "margins.md").read_text(), re.MULTILINE
    )


def test_without_a_gpu_its_benchmark_says_what_is_missing():
    if "True" in run("-c", "import torch; print(torch.cuda.is_available())").stdout:
        pytest.skip("there is a GPU here")
    done = run("benchmarks/gpu.py")
    assert done.returncode == 1
    assert "no GPU to measure" in done.stderr
    assert "nvidia-smi" in done.stderr
