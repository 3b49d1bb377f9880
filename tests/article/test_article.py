"""Every code block of the article runs through ``ramify run`` exactly as it is printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TITLES = [
    "3 philosophy",
    "5.1 first model",
    "7.1 two outputs",
    "8.1 skip connection",
    "9.1 shared layer",
    "10 branches",
    "12 picture",
    "14.1 submodel",
    "6.1 with Flatten",
    "6.1 with GlobalAveragePooling2D",
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("article")
    out = folder / "results.json"
    command = [sys.executable, "-m", "ramify", "run", str(HERE / "driver.py"), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


@pytest.mark.parametrize("title", TITLES)
def test_chapter(results, title):
    assert results[title]["error"] is None, results[title].get("trace")


def test_what_cannot_be_merged_names_both_branches_and_the_mends(results):
    failed = results["6.1 two inputs"]
    assert failed["error"] == "ShapeError"
    for words in ("(None, 64)", "(None, 64, 64, 64)", "Dense 'dense", "Flatten", "GlobalAveragePooling2D"):
        assert words in failed["message"]
    assert failed["message"].count("Dense 'dense") >= 2
