"""`Pipeline` against Keras."""

from __future__ import annotations

import keras
import pytest
import torch

import ramify
from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image import CenterCrop, RandomFlip
from ramify.layers.preprocessing.pipeline import Pipeline


def test_all_layers_in_order():
    x = torch.rand(2, 6, 6, 3)
    pipeline = Pipeline([CenterCrop(4, 4), RandomFlip("horizontal", seed=1)])
    theirs = keras.layers.Pipeline([keras.layers.CenterCrop(4, 4)])
    torch.testing.assert_close(pipeline(x, training=False), theirs(x, training=False))
    assert any(not torch.equal(pipeline(x), pipeline(x, training=False)) for _ in range(20))
    assert [layer.name for layer in pipeline.layers] == [pipeline.layers[0].name, pipeline.layers[1].name]


def test_config_and_symbols():
    pipeline = Pipeline([CenterCrop(4, 5), RandomFlip()], name="prepare")
    again = Pipeline.from_config(pipeline.get_config())
    assert again.get_config() == pipeline.get_config()
    assert set(pipeline.get_config()) == set(keras.layers.Pipeline([]).get_config())
    assert again(ramify.Input((None, None, 3))).shape == (None, 4, 5, 3)


def test_only_layers():
    with pytest.raises(ArgumentError, match="Pipeline"):
        Pipeline([3])
