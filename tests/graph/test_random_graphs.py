"""Random graphs: what the graph says is what running it gives; lowering equals calling one by one; order is Keras's."""

import keras
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ramify
from ramify.graph import lower
from ramify.graph.structure import flatten
from ramify.models.replay import run_graph

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
STEPS = ["dense", "relu", "add", "concat", "mul", "mean", "shared", "nested", "slice", "skip_add", "scale", "split"]


def grow(api, draw_step, draw_pick, count):
    """Grow a graph by random steps on tensors of shape (None, n); the same draws give the same graph in either API."""
    inputs = [api.Input((n,), name=f"in{n}") for n in (3, 4)]
    pool = list(inputs)
    shared = {}
    for i in range(count):
        step, x, y = draw_step(), pool[draw_pick(len(pool))], pool[draw_pick(len(pool))]
        if step == "dense":
            out = api.layers.Dense(4, activation="tanh", name=f"d{i}")(x)
        elif step in ("add", "skip_add"):
            x, y = (api.layers.Dense(4, name=f"p{i}_{k}")(t) for k, t in enumerate((x, y)))
            out = api.layers.Add(name=f"add{i}")([x, y])
        elif step == "concat":
            out = api.layers.Concatenate(name=f"c{i}")([x, y])
            out = api.layers.Dense(5, name=f"r{i}")(out)
        elif step == "shared":
            layer = shared.setdefault(x.shape[-1], api.layers.Dense(4, name=f"s{x.shape[-1]}"))
            out = layer(x)
        elif step == "nested":
            inner = api.Input((x.shape[-1],), name=f"ni{i}")
            block = api.Model(inner, api.layers.Dense(3, name=f"n{i}")(inner), name=f"m{i}")
            out = block(x)
        else:
            out = api.layers.Activation("relu", name=f"a{i}")(x)
        pool.append(out)
    return inputs, pool[len(inputs) :] or [api.layers.Dense(2)(inputs[0])]


def torch_steps(pool, draw_step, draw_pick, count):
    """Steps that only this library has: torch functions and operators between the layers."""
    for _ in range(count):
        step, x, y = draw_step(), pool[draw_pick(len(pool))], pool[draw_pick(len(pool))]
        if step == "mul" and x.shape == y.shape:
            pool.append(x * y)
        elif step == "mean":
            pool.append(x - x.mean(-1, keepdim=True))
        elif step == "slice":
            pool.append(x[:, :2])
        elif step == "scale":
            pool.append(torch.sigmoid(x) * 2 + 1)
        elif step == "split":
            pool.append(torch.cat([x, y], dim=-1).chunk(2, dim=-1)[0])
    return pool


@SETTINGS
@given(data=st.data())
def test_shapes_dtypes_and_values(data):
    def step():
        return data.draw(st.sampled_from(STEPS))

    def pick(n):
        return data.draw(st.integers(0, n - 1))

    inputs, pool = grow(ramify, step, pick, data.draw(st.integers(1, 6)))
    pool = torch_steps(pool, step, pick, data.draw(st.integers(0, 4)))
    model = ramify.Model(inputs, pool)
    batch = data.draw(st.integers(1, 5))
    values = [torch.randn(batch, t.shape[-1]) for t in inputs]
    got = flatten(model(values))
    for symbolic, real in zip(pool, got, strict=True):
        assert symbolic.dtype is real.dtype
        assert symbolic.shape[0] is None
        assert symbolic.shape[1:] == real.shape[1:]
        assert real.shape[0] == batch
    torch.testing.assert_close(flatten(run_graph(model.graph, values)), got)
    torch.testing.assert_close(flatten(lower(model.graph)(*values)), got)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_layers_and_weights_stand_in_keras_s_order(data):
    count = data.draw(st.integers(1, 7))
    steps = [data.draw(st.sampled_from(STEPS)) for _ in range(count)]
    picks = [data.draw(st.integers(0, 10**6)) for _ in range(2 * count)]

    def build(api):
        step, pick = iter(steps), iter(picks)
        inputs, pool = grow(api, lambda: next(step), lambda n: next(pick) % n, count)
        return api.Model(inputs, pool[-2:])

    ours, theirs = build(ramify), build(keras)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [tuple(w.shape) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    values = [torch.randn(3, t.shape[-1]) for t in ours.inputs]
    for a, b in zip(flatten(ours(values)), flatten(theirs(values)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(None, 3), (5, None), (None, None), (4, 3)])
def test_unknown_and_known_sizes(shape):
    x = ramify.Input(shape)
    out = torch.softmax(x * 2, -1).transpose(1, 2)
    model = ramify.Model(x, out)
    real = model(torch.randn(2, *(s or 7 for s in shape)))
    for symbolic, size in zip(out.shape, real.shape, strict=True):
        assert symbolic in (None, size)
    assert (None in out.shape[1:]) == (None in shape)
