"""Names, configs and what else may stand for an initializer, as Keras takes it."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import torch

from ramify import initializers, registry
from ramify.errors import ArgumentError

NAMES = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "one",
    "orthogonal",
    "random_normal",
    "normal",
    "random_uniform",
    "uniform",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
    "zero",
]

BUILT = [
    ("Zeros", {}),
    ("Ones", {}),
    ("Constant", {"value": 2.5}),
    ("Constant", {"value": [1.0, 2.0]}),
    ("Identity", {}),
    ("STFT", {"side": "imag", "window": "hamming", "scaling": None, "periodic": True}),
    ("Orthogonal", {"gain": 2.0, "seed": 5}),
    ("RandomNormal", {"mean": 1.0, "stddev": 2.0, "seed": 5}),
    ("RandomUniform", {"minval": 1.0, "maxval": 2.0, "seed": 5}),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 2.0, "seed": 5}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform", "seed": 5, "input_axes": [0]}),
    ("VarianceScaling", {"distribution": "normal"}),
    ("GlorotNormal", {"seed": 5}),
    ("GlorotUniform", {"input_axes": [0], "output_axes": [1]}),
    ("HeNormal", {}),
    ("HeUniform", {}),
    ("LecunNormal", {}),
    ("LecunUniform", {}),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_mean_what_keras_means(name):
    ours = initializers.get(name)
    if name.lower() == "constant":  # Keras asks for a value here
        assert ours.value == 0
    else:
        assert type(ours).__name__ == type(keras.initializers.get(name)).__name__


def test_attributes_mean_what_keras_means():
    public = {n for n in dir(keras.initializers) if not n.startswith("_")}
    assert public <= set(initializers.__all__)
    for name in public - {"get", "serialize", "deserialize"}:
        assert getattr(initializers, name).__name__ == getattr(keras.initializers, name).__name__


@pytest.mark.parametrize(("name", "arguments"), BUILT)
def test_configs_travel_both_ways(name, arguments):
    ours = getattr(initializers, name)(**arguments)
    theirs = getattr(keras.initializers, name)(**arguments)
    mine, other = initializers.serialize(ours), keras.initializers.serialize(theirs)
    json.dumps(mine)
    # Keras leaves the gain out, and so forgets it.
    assert mine == other or (name, mine["config"]) == ("Identity", {"gain": 1.0})
    assert initializers.deserialize(mine).get_config() == ours.get_config()
    assert initializers.deserialize(other).get_config() == ours.get_config()
    assert keras.initializers.deserialize(mine).get_config() == theirs.get_config()
    assert ours.clone().get_config() == ours.get_config()


def test_arrays_as_keras_files_hold_them():
    config = keras.initializers.serialize(keras.initializers.Constant(np.array([1.0, 2.0], dtype="float32")))
    assert initializers.deserialize(config)((2,)).tolist() == [1, 2]


def test_own_arrays_survive_a_config():
    ours = initializers.get(np.array([[1.0, 2.0]]))
    config = json.loads(json.dumps(initializers.serialize(ours)))
    assert initializers.deserialize(config)((1, 2)).tolist() == [[1, 2]]
    assert initializers.get(torch.ones(2))((2,)).tolist() == [1, 1]


def test_a_seed_generator_survives_a_config():
    @registry.serializable("keras.random")
    class SeedGeneratorOfThisTest:
        def __init__(self, seed=None):
            self.seed = seed

        def next(self, ordered=True):
            return self.seed

        def get_config(self):
            return {"seed": self.seed}

    ours = initializers.HeNormal(seed=SeedGeneratorOfThisTest(9))
    again = initializers.deserialize(json.loads(json.dumps(initializers.serialize(ours))))
    assert torch.equal(again((3, 3)), ours((3, 3)))


def test_get():
    def own(shape, dtype=None):
        return torch.full(shape, 3.0)

    instance = initializers.Ones()
    assert initializers.get(None) is None
    assert initializers.get(own) is own
    assert initializers.get(instance) is instance
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)
    assert initializers.get({"class_name": "Constant", "config": {"value": 2.0}})((1,)).item() == 2


def test_own_classes():
    class Own(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return torch.full(shape, 3.0)

    config = initializers.serialize(Own())
    assert isinstance(initializers.deserialize(config, custom_objects={"Own": Own}), Own)
    with pytest.raises(NotImplementedError, match="Bare has no `__call__"):
        type("Bare", (initializers.Initializer,), {})()((2,))


@pytest.mark.parametrize(
    ("wrong", "close"), [("glorot_unifrom", "glorot_uniform"), ("he_nomal", "he_normal"), ("zeroes", "zeros")]
)
def test_unknown_names_list_close_ones(wrong, close):
    with pytest.raises(ArgumentError, match=f"'{wrong}'.*'{close}'"):
        initializers.get(wrong)


@pytest.mark.parametrize("wrong", [3, 0.5, [1.0, 2.0]])
def test_what_is_no_initializer(wrong):
    with pytest.raises(ArgumentError, match=r"Constant\(...\)"):
        initializers.get(wrong)
