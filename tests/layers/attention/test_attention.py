"""Attention layers against the real Keras on equal weights: results, weights, gradients, masks, axes, configs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, InputError, ShapeError
from ramify.layers import attention as A
from ramify.layers.core.embedding import Embedding

MHA = {
    "plain": {},
    "value_dim": {"value_dim": 5},
    "no_bias": {"use_bias": False},
    "output": {"output_shape": 7},
    "outputs": {"output_shape": (4, 5)},
    "gate": {"use_gate": True},
    "gate_value_dim": {"use_gate": True, "value_dim": 3},
    "window": {"sliding_window": 2},
}
GQA = {"plain": {}, "no_bias": {"use_bias": False}, "gate": {"use_gate": True}, "window": {"sliding_window": 2}}
LAYERS = [("MultiHeadAttention", (2, 4), o) for o in MHA.values()] + [
    ("GroupQueryAttention", (4, 6, 2), o) for o in GQA.values()
]
VALUE_MASK = torch.tensor([[1, 0, 1, 1, 0], [1, 1, 0, 0, 0]]).bool()
PAIRS = torch.tensor(np.random.default_rng(0).random((2, 4, 5)) > 0.4) | torch.eye(4, 5).bool()
CALLS = {
    "plain": {},
    "value_mask": {"value_mask": VALUE_MASK},
    "key_mask": {"key_mask": VALUE_MASK},
    "attention_mask": {"attention_mask": PAIRS},
    "attention_mask_ints": {"attention_mask": PAIRS.int()},
    "shared_mask": {"attention_mask": PAIRS[0]},
    "head_mask": {"attention_mask": PAIRS[:, None]},
    "causal": {"use_causal_mask": True},
    "all": {"use_causal_mask": True, "value_mask": VALUE_MASK, "attention_mask": PAIRS | torch.eye(4, 5)[:, :1].bool()},
}


def _close(ours, theirs, tolerance=1e-5):
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def _random(*shape):
    return np.random.randn(*shape, 1)[..., 0].astype("float32")


def _equal_weights(ours, theirs):
    assert [(w.path.split("/")[1:], tuple(w.shape)) for w in ours.weights] == [
        (w.path.split("/")[1:], tuple(w.shape)) for w in theirs.weights
    ]
    values = [_random(*w.shape) * 0.5 for w in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)


def _run(layer, weights, inputs, **call):
    inputs = [torch.tensor(x, requires_grad=True) for x in inputs]
    result = layer(*inputs, **call)
    output = result[0] if isinstance(result, tuple) else result
    loss = (output * torch.linspace(0.5, 1.5, output.numel()).reshape(output.shape)).sum()
    return result, torch.autograd.grad(loss, [*inputs, *weights])


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(("name", "sizes", "options"), LAYERS, ids=lambda v: v if isinstance(v, str) else None)
def test_as_keras(name, sizes, options, count):
    ours, theirs = getattr(A, name)(*sizes, **options), getattr(keras.layers, name)(*sizes, **options)
    given = [_random(2, 4, 6), _random(2, 5, 3), _random(2, 5, 7)][:count]
    theirs(*given)
    ours(*(torch.tensor(x) for x in given))
    _equal_weights(ours, theirs)
    for call in CALLS if count == 2 else ["all"]:
        got, grads = _run(ours, ours.weights, given, **CALLS[call])
        want, expected = _run(theirs, [w.value for w in theirs.weights], given, **CALLS[call])
        _close(got, want)
        for a, b in zip(grads, expected, strict=True):
            _close(a, b, 1e-4)
        got, grads = _run(ours, ours.weights, given, return_attention_scores=True, **CALLS[call])
        want = theirs(*given, return_attention_scores=True, **CALLS[call])
        for a, b in zip(got, want, strict=True):
            _close(a, b)
        if "sliding_window" not in options:  # a query without any key gets the mean here, zero there
            for a, b in zip(grads, expected, strict=True):
                _close(a, b, 1e-4)


@pytest.mark.parametrize("axes", [None, (1,), 2, (2,), (1, 2), (2, 3), (3, 2), -2])
def test_axes(axes):
    x, v = _random(2, 3, 4, 5, 6), _random(2, 3, 4, 5, 6)
    ours = A.MultiHeadAttention(2, 3, attention_axes=axes)
    theirs = keras.layers.MultiHeadAttention(2, 3, attention_axes=axes)
    theirs(x, v)
    ours(torch.tensor(x), torch.tensor(v))
    _equal_weights(ours, theirs)
    got, want = ours(torch.tensor(x), torch.tensor(v)), theirs(x, v)
    _close(got, want)
    scored = ours(torch.tensor(x), torch.tensor(v), return_attention_scores=True)
    for a, b in zip(scored, theirs(x, v, return_attention_scores=True), strict=True):
        _close(a, b)
    symbolic = ours(*(ramify.Input(shape=(None, 4, 5, 6)) for _ in range(2)), return_attention_scores=True)
    for s, r in zip(symbolic, scored, strict=True):
        assert len(s.shape) == r.ndim
        assert all(a in (None, b) for a, b in zip(s.shape, r.shape, strict=True))


@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 3, 4, 4), (2, 1, 4, 4), (4, 4)])
def test_masks_along_an_axis(shape):
    x = _random(2, 3, 4, 5, 6)
    mask = torch.rand(shape) > 0.3
    mask = mask | torch.eye(4).bool()
    ours, theirs = (m.MultiHeadAttention(2, 3, attention_axes=(2,)) for m in (A, keras.layers))
    theirs(x, x)
    ours(torch.tensor(x), torch.tensor(x))
    _equal_weights(ours, theirs)
    _close(ours(*[torch.tensor(x)] * 2, attention_mask=mask), theirs(x, x, attention_mask=mask))
    scored = ours(*[torch.tensor(x)] * 2, attention_mask=mask, return_attention_scores=True)
    for a, b in zip(scored, theirs(x, x, attention_mask=mask, return_attention_scores=True), strict=True):
        _close(a, b)


@pytest.mark.parametrize(("name", "sizes", "options"), LAYERS, ids=lambda v: v if isinstance(v, str) else None)
def test_configs_and_shapes(name, sizes, options):
    layer = getattr(A, name)(*sizes, **options)
    config = layer.get_config()
    assert config == getattr(keras.layers, name)(*sizes, **options, name=layer.name).get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    query, value = ramify.Input(shape=(None, 6)), ramify.Input(shape=(5, 6))
    symbolic = again(query, value, return_attention_scores=True)
    real = again(torch.randn(2, 4, 6), torch.randn(2, 5, 6), return_attention_scores=True)
    heads = real[1].shape[1]
    assert symbolic[0].shape == (None, None, *real[0].shape[2:])
    assert symbolic[1].shape == (None, heads, None, 5)
    assert again(query, query).shape == (None, None, *real[0].shape[2:])


def test_group_query_attention_has_two_names():
    config = ramify.registry.serialize(A.GroupQueryAttention(4, 4, 2))
    assert config["class_name"] == "GroupQueryAttention"
    theirs = keras.saving.serialize_keras_object(keras.layers.GroupQueryAttention(4, 4, 2))
    assert config["class_name"] == theirs["class_name"]
    config["class_name"] = "GroupedQueryAttention"
    assert type(ramify.registry.deserialize(config)) is A.GroupQueryAttention


def test_padding_is_not_attended_to():
    inputs = ramify.Input(shape=(None,), dtype="int32")
    embedding, layer = Embedding(9, 6, mask_zero=True), A.MultiHeadAttention(2, 3)
    x = embedding(inputs)
    result = layer(x, x)
    assert result.mask is not None
    model = ramify.Model(inputs, result)
    padded, short = torch.tensor([[3, 1, 2, 0, 0]]), torch.tensor([[3, 1, 2]])
    torch.testing.assert_close(model(padded)[:, :3], model(short))
    torch.testing.assert_close(layer(embedding(padded), embedding(padded)), model(padded))
    assert bool(model(padded).isfinite().all())


def test_a_query_without_keys_gets_the_mean():
    ours, theirs = A.MultiHeadAttention(2, 3), keras.layers.MultiHeadAttention(2, 3)
    q, v = _random(1, 4, 6), _random(1, 5, 6)
    theirs(q, v)
    ours(torch.tensor(q), torch.tensor(v))
    _equal_weights(ours, theirs)
    none = torch.zeros(1, 5).bool()
    _close(ours(torch.tensor(q), torch.tensor(v), value_mask=none), theirs(q, v, value_mask=none))
    for a, b in zip(
        ours(torch.tensor(q), torch.tensor(v), value_mask=none, return_attention_scores=True),
        theirs(q, v, value_mask=none, return_attention_scores=True),
        strict=True,
    ):
        _close(a, b)


@pytest.mark.parametrize(
    "make", [lambda **o: A.MultiHeadAttention(2, 3, **o), lambda **o: A.GroupQueryAttention(3, 4, 2, **o)]
)
def test_dropping(make):
    x = torch.randn(4, 16, 6)
    layer = make(dropout=0.5)
    torch.testing.assert_close(layer(x, x), layer(x, x))
    assert not torch.allclose(layer(x, x, training=True), layer(x, x, training=True))
    first, second = make(dropout=0.5, seed=3), make(dropout=0.5, seed=3)
    first(x, x), second(x, x)
    second.set_weights(first.get_weights())
    torch.testing.assert_close(first(x, x, training=True), second(x, x, training=True))
    many = make(dropout=0.5, seed=5)
    want = many(x, x)
    mean = torch.stack([many(x, x, training=True) for _ in range(400)]).mean(0)
    assert (mean - want).abs().mean() < 0.05 * want.abs().mean() + 0.02


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_policies(policy):
    layer = A.MultiHeadAttention(2, 3, dtype=policy, use_gate=True)
    x = torch.randn(2, 4, 6)
    result = layer(x, x, value_mask=torch.ones(2, 4).bool())
    assert result.dtype is (torch.bfloat16 if policy.startswith("mixed") else torch.float64)
    result.sum().backward()
    assert all(w.grad.dtype is w.dtype for w in layer.weights)


PLAIN = [
    ("Attention", {}),
    ("Attention", {"use_scale": True}),
    ("Attention", {"score_mode": "concat"}),
    ("Attention", {"score_mode": "concat", "use_scale": True}),
    ("AdditiveAttention", {}),
    ("AdditiveAttention", {"use_scale": False}),
]
QUERY_MASK = torch.tensor([[1, 1, 0, 0], [1, 0, 1, 1]]).bool()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("mask", [None, [QUERY_MASK, VALUE_MASK], [None, VALUE_MASK], [None, torch.zeros(2, 5).bool()]])
@pytest.mark.parametrize(("name", "options"), PLAIN)
def test_attention_as_keras(name, options, mask, causal):
    ours, theirs = getattr(A, name)(**options), getattr(keras.layers, name)(**options)
    given = [_random(2, 4, 6), _random(2, 5, 3 if causal else 6), _random(2, 5, 6)]
    given = given if causal else given[:2]
    theirs(given)
    ours([torch.tensor(x) for x in given])
    _equal_weights(ours, theirs)
    call = {"mask": mask, "use_causal_mask": causal}
    got, grads = _run(lambda *x, **o: ours(list(x), **o), ours.weights, given, **call)
    weights = [w.value for w in theirs.weights]
    want, expected = _run(lambda *x, **o: theirs(list(x), **o), weights, given, **call)
    _close(got, want)
    for a, b in zip(grads, expected, strict=True):
        _close(a, b, 1e-4)
    scored = ours([torch.tensor(x) for x in given], return_attention_scores=True, **call)
    for a, b in zip(scored, theirs(given, return_attention_scores=True, **call), strict=True):
        _close(a, b)


@pytest.mark.parametrize(("name", "options"), PLAIN)
def test_attention_configs_and_shapes(name, options):
    layer = getattr(A, name)(**options, seed=1, dropout=0.2)
    config = layer.get_config()
    assert config == getattr(keras.layers, name)(**options, seed=1, dropout=0.2, name=layer.name).get_config()
    assert type(layer).from_config(config).get_config() == config
    query, value = ramify.Input(shape=(None, 6)), ramify.Input(shape=(5, 6))
    assert [s.shape for s in layer([query, value], return_attention_scores=True)] == [(None, None, 6), (None, None, 5)]
    x = torch.randn(2, 4, 6)
    assert not torch.allclose(layer([x, x], training=True), layer([x, x]))


def test_masks_of_symbolic_lists():
    inputs = ramify.Input(shape=(None,), dtype="int32")
    embedding = Embedding(9, 6, mask_zero=True)
    x = embedding(inputs)
    result = A.Attention()([x, x])
    assert result.mask is not None
    model = ramify.Model(inputs, result)
    torch.testing.assert_close(model(torch.tensor([[3, 1, 0]]))[:, :2], model(torch.tensor([[3, 1]])))


def test_bad_arguments_are_told():
    x = ramify.Input(shape=(4, 6))
    for wrong in ({"num_heads": 0}, {"key_dim": -1}, {"sliding_window": 0}, {"dropout": 2.0}):
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            A.MultiHeadAttention(**{"num_heads": 2, "key_dim": 3, **wrong})
    with pytest.raises(ArgumentError, match="multiple"):
        A.GroupQueryAttention(3, 4, 3)
    with pytest.raises(ArgumentError, match="flash"):
        A.MultiHeadAttention(2, 3, flash_attention=True, dropout=0.1)
    with pytest.raises(ShapeError, match="of one rank"):
        A.MultiHeadAttention(2, 3)(ramify.Input(shape=(6,)), ramify.Input(shape=(6,)))
    with pytest.raises(ShapeError, match="Every key belongs"):
        A.MultiHeadAttention(2, 3)(x, x, ramify.Input(shape=(5, 6)))
    with pytest.raises(ShapeError, match="last axis"):
        A.MultiHeadAttention(2, 3)(ramify.Input(shape=(4, None)), x)
    with pytest.raises(ArgumentError, match="neither the batch"):
        A.MultiHeadAttention(2, 3, attention_axes=(0,))(x, x)
    with pytest.raises(ArgumentError, match="score_mode"):
        A.Attention(score_mode="x")
    with pytest.raises(ShapeError, match="two or three tensors"):
        A.Attention()(x)
    with pytest.raises(InputError, match="list of masks"):
        A.Attention()([torch.zeros(1, 4, 6)] * 2, mask=torch.ones(1, 4).bool())


def test_flash_attention_can_be_asked_for_and_refused():
    x = torch.randn(2, 4, 16)
    free = A.MultiHeadAttention(2, 8)
    want = free(x, x)
    for flash in (True, False):
        layer = A.MultiHeadAttention(2, 8, flash_attention=flash)
        layer(x, x)
        layer.set_weights(free.get_weights())
        torch.testing.assert_close(layer(x, x), want)
