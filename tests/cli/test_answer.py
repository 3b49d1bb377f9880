"""`ramify run`: which imports are answered, by what, and what scripts see."""

import subprocess
import sys
from pathlib import Path

import pytest

from ramify.cli.answer import answering_name

ROOT = Path(__file__).parents[2]


def run(tmp_path, script, *arguments, flags=()):
    (tmp_path / "script.py").write_text(script)
    command = [sys.executable, "-m", "ramify", "run", *flags, *(["script.py"] if not flags else []), *arguments]
    return subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("keras", "ramify"),
        ("keras.layers", "ramify.layers"),
        ("tensorflow.keras", "ramify"),
        ("tensorflow.keras.optimizers.schedules", "ramify.optimizers.schedules"),
        ("tf_keras.models", "ramify.models"),
        ("kerastuner", None),
        ("tensorflow", None),
        ("numpy", None),
    ],
)
def test_names(name, own):
    assert answering_name(name) == own


def test_every_way_to_import_gives_the_same_objects(tmp_path):
    done = run(
        tmp_path,
        """
import sys
import keras, tensorflow as tf, tensorflow.keras as tfk, ramify
from tensorflow import keras as tk
from tensorflow.keras.layers import Dense as A
from keras.layers import Dense as B
import keras.optimizers.schedules
assert A is B is tf.keras.layers.Dense is ramify.layers.Dense
assert keras is tk is tfk is ramify
assert ramify.layers.__spec__.name == "ramify.layers"
assert keras.optimizers.schedules is ramify.optimizers.schedules
print(sys.argv, __name__)
""",
        "--epochs",
        "3",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['script.py', '--epochs', '3'] __main__"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import tensorflow as tf; tf.constant(1)", "`tensorflow.constant` is not answered"),
        ("import tensorflow.data", "only `tensorflow.keras` is"),
        ("import keras.nonsense", "ramify has no module 'ramify.nonsense'"),
    ],
)
def test_what_is_not_answered_says_so(tmp_path, line, words):
    done = run(tmp_path, line)
    assert done.returncode == 1
    assert words in done.stderr


def test_a_module_can_be_run(tmp_path):
    (tmp_path / "job.py").write_text("import keras, sys; print(keras.__name__, sys.argv[1:])")
    done = run(tmp_path, "", "job", "x", flags=("-m",))
    assert done.stdout.strip() == "ramify ['x']", done.stderr


def test_a_missing_file_is_told(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ramify", "run", "lost.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no file 'lost.py'" in done.stderr


def test_an_exception_of_the_script_is_its_own(tmp_path):
    done = run(tmp_path, "raise SystemExit(7)")
    assert done.returncode == 7
