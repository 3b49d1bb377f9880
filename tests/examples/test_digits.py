"""The main job keeps its promise: at least 97 % of unseen digits right, whatever the seed; and it runs as a script."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ramify

SCRIPT = Path(__file__).parents[2] / "examples" / "digits.py"


@pytest.fixture(scope="module")
def digits():
    spec = importlib.util.spec_from_file_location("digits", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_three_seeds_out_of_three(digits, seed):
    ramify.utils.set_random_seed(seed)
    training, watched, held_out = digits.load(seed)
    model = digits.build()
    digits.train(model, training, watched, epochs=6, verbose=0)
    scores = model.evaluate(*held_out, batch_size=500, verbose=0, return_dict=True)
    assert scores["digits_accuracy"] >= 0.97
    assert scores["even_accuracy"] >= 0.95


def test_no_image_is_in_two_sets(digits):
    sets = [{image.tobytes() for side in x.values() for image in side} for x, _ in digits.load(0)]
    assert len(set.union(*sets)) == sum(map(len, sets))


def test_the_script_runs_and_leaves_a_picture_and_a_model(tmp_path):
    command = [sys.executable, str(SCRIPT), "--epochs", "1", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the predictions are equal" in done.stdout
    assert "digits  9" in done.stdout
    assert "\x1b" not in done.stdout
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {".svg", ".keras"}
    summary = done.stdout.split("188/188")[0]
    assert "two_digits" in summary
    assert max(map(len, summary.splitlines())) <= 80
