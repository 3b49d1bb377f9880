"""Embedding against the real Keras on equal tables."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, InputError
from ramify.layers.core.embedding import Embedding

IDS = [[1, 0, 4], [3, 3, 2]]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "float32", "bool"])
def test_as_keras(dtype):
    ids = np.array(IDS if dtype != "bool" else [[1, 0, 1], [0, 0, 1]], dtype)
    ours, theirs = Embedding(5, 3, name="e"), keras.layers.Embedding(5, 3, name="e")
    theirs(ids)
    given = torch.tensor(ids)
    ours(given)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(ours(given).detach().numpy(), theirs(ids).detach().numpy())
    (grad,) = torch.autograd.grad(ours(given).square().sum(), ours.weights)
    (want,) = torch.autograd.grad(theirs(ids).square().sum(), [theirs.embeddings.value])
    torch.testing.assert_close(grad, want)
    assert ours(ramify.Input(shape=(None,), dtype=dtype)).shape == (None, None, 3)
    assert ours(ramify.Input(shape=(2, 7), dtype=dtype)).shape == (None, 2, 7, 3)


@pytest.mark.parametrize("options", [{}, {"mask_zero": True}, {"embeddings_initializer": "ones", "dtype": "float64"}])
def test_configs(options):
    layer = Embedding(5, 3, **options)
    assert layer.get_config() == keras.layers.Embedding(5, 3, **options, name=layer.name).get_config()
    assert Embedding.from_config(layer.get_config()).get_config() == layer.get_config()


def test_masks():
    ids = torch.tensor(IDS)
    assert Embedding(5, 3, mask_zero=True).compute_mask(ids).tolist() == [[True, False, True], [True, True, True]]
    assert Embedding(5, 3).compute_mask(ids) is None
    inputs = ramify.Input(shape=(3,), dtype="int64")
    assert Embedding(5, 3)(inputs).mask is None
    mask = Embedding(5, 3, mask_zero=True)(inputs).mask
    assert mask.shape == (None, 3)
    assert mask.dtype is torch.bool


@pytest.mark.parametrize("wrap", [list, lambda x: x[0]])
def test_weights_may_be_given(wrap):
    table = np.random.randn(5, 3).astype("float32")
    layer = Embedding(5, 3, weights=wrap([table]))
    np.testing.assert_array_equal(layer(torch.tensor([2])).detach().numpy(), table[2:3])
    assert "weights" not in layer.get_config()


def test_a_low_rank_update():
    ids = torch.tensor(IDS)
    layer = Embedding(5, 3, lora_rank=2, lora_alpha=4)
    table = layer(ids)
    assert [tuple(w.shape) for w in layer.trainable_weights] == [(5, 2), (2, 3)]
    with torch.no_grad():
        layer.lora_embeddings_b.fill_(1.0)
    update = layer.lora_embeddings_a[ids].sum(-1, keepdim=True) * 2.0
    torch.testing.assert_close(layer(ids), table + update)
    assert layer.get_config()["lora_rank"] == 2
    with pytest.raises(ArgumentError, match="has one already"):
        layer.enable_lora(2)


def test_what_is_wrong_is_told():
    with pytest.raises(ArgumentError, match="input_dim=0"):
        Embedding(0, 3)
    with pytest.raises(ArgumentError, match="output_dim=-1"):
        Embedding(3, -1)
    layer = Embedding(5, 3)
    for ids in ([5], [-1]):
        with pytest.raises(InputError, match=r"rows 0 to 4.*Raise `input_dim`"):
            layer(torch.tensor(ids))
