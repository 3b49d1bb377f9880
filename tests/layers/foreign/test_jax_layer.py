"""JaxLayer: its weights, gradients, state and config; most tests run with JAX and with a stand-in for it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError
from ramify.layers import JaxLayer
from ramify.registry import register_keras_serializable

RNG = np.random.default_rng(0)
PARAMS = {"bias": RNG.normal(size=2).astype("float32"), "inner": [RNG.normal(size=(3, 2)).astype("float32")]}


@register_keras_serializable("foreign")
def affine(params, inputs):
    out = inputs @ params["inner"][0] + params["bias"]
    return out * out


@register_keras_serializable("foreign")
def ones(rng, inputs):
    width = inputs.shape[-1]
    return {"bias": inputs[0, :1] * 0 + 2, "inner": [inputs[:1].T @ inputs[:1, :1] * width]}


def counting(params, state, inputs, training):
    if not training:
        return inputs * params * state["seen"], state
    return inputs * params * state["seen"], {"seen": state["seen"] + inputs.sum(), "steps": state["steps"] + 1}


def counter(**kwargs):
    state = {"seen": np.float32(1), "steps": np.int32(0)}
    return JaxLayer(counting, params=np.float32(3), state=state, **kwargs)


def test_output_and_gradients_are_those_of_the_function(jax):
    layer, x = JaxLayer(affine, params=PARAMS), torch.randn(4, 3, requires_grad=True)
    out = layer(x)
    bias, kernel = layer.weights
    want = (x @ kernel + bias) ** 2
    torch.testing.assert_close(out, want)
    got = torch.autograd.grad(out.sin().sum(), [x, kernel, bias])
    torch.testing.assert_close(got, torch.autograd.grad(want.sin().sum(), [x, kernel, bias]))


def test_weights_stand_in_the_order_of_the_pytree_and_are_named_by_it(jax):
    layer = JaxLayer(affine, params=PARAMS, name="it")
    layer.build((None, 3))
    assert [w.path for w in layer.weights] == ["it/params_bias", "it/params_inner_0"]
    assert all(w.requires_grad for w in layer.weights)
    np.testing.assert_array_equal(layer.get_weights()[1], PARAMS["inner"][0])


def test_init_fn_sees_the_shape_and_the_dtype_of_the_input(jax):
    seen = []

    def init(rng, inputs, training):
        seen.append((tuple(inputs.shape), str(inputs.dtype).removeprefix("torch."), training))
        return ()

    JaxLayer(lambda params, inputs: inputs, init)(ramify.Input((None, 5)))
    JaxLayer(lambda params, inputs: inputs, init)(ramify.Input((7,), dtype="int32"))
    JaxLayer(lambda params, inputs: inputs, init).build((2, 3))
    assert seen == [((1, 1, 5), "float32", True), ((1, 7), "int32", True), ((2, 3), "float32", True)]


def test_symbolic_shapes_come_from_the_function(jax):
    def both(inputs):
        a, b = inputs["a"], inputs["b"]
        return {"sum": a.sum(-1), "product": a @ b}

    out = JaxLayer(both)({"a": ramify.Input((None, 3)), "b": ramify.Input((3, 5))})
    assert (out["sum"].shape, out["product"].shape) == ((None, None), (None, None, 5))


def test_state_is_written_back_as_the_function_returns_it(jax):
    layer, x = counter(), torch.ones(2, 2)
    assert layer(x, training=False).sum().item() == 12
    assert layer.get_weights()[1:] == [1, 0]
    layer(x, training=True)
    layer(x, training=True)
    assert layer.get_weights() == [3, 9, 2]
    assert [w.dtype for w in layer.non_trainable_weights] == [torch.float32, torch.int32]


def test_gradients_use_the_state_from_before_the_call(jax):
    layer = counter()
    layer(torch.ones(2, 2), training=True).sum().backward()
    assert layer.trainable_weights[0].grad.item() == 4
    assert layer.non_trainable_weights[0].item() == 5


def test_going_back_after_a_weight_was_changed_is_refused(jax):
    layer = JaxLayer(affine, params=PARAMS)
    out = layer(torch.ones(1, 3)).sum()
    with torch.no_grad():
        layer.weights[0].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward()


def test_outputs_do_not_share_memory_with_what_jax_holds(jax):
    x = torch.ones(2, 3)
    JaxLayer(lambda inputs: inputs)(x).mul_(5)
    assert x.eq(1).all()


def test_frozen_layers_give_gradients_to_their_input_only(jax):
    layer, x = JaxLayer(affine, params=PARAMS, trainable=False), torch.ones(1, 3, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.trainable_weights == []
    assert all(w.grad is None for w in layer.weights)


def test_whole_numbers_among_the_outputs_have_no_gradient(jax):
    layer, x = JaxLayer(lambda params, inputs: (inputs * params, inputs > 0), params=np.float32(2)), torch.ones(2, 3)
    out, positive = layer(x)
    out.sum().backward()
    assert (positive.dtype, positive.requires_grad) == (torch.bool, False)
    assert layer.weights[0].grad.item() == 6


def test_a_seed_gives_a_sequence_of_keys_of_its_own(jax):
    def keys(**kwargs):
        layer = JaxLayer(lambda rng, inputs: rng, **kwargs)
        return [layer(torch.ones(1)).tolist() for _ in range(3)]

    assert keys(seed=1) == keys(seed=1) != keys(seed=2)
    assert keys(seed=1)[0] != keys(seed=1)[1]
    torch.manual_seed(0)
    first = keys()
    torch.manual_seed(0)
    assert keys() == first


def test_training_in_a_model_moves_the_weights(jax):
    inputs = ramify.Input((3,))
    layer = JaxLayer(affine, params=PARAMS)
    model = ramify.Model(inputs, layer(inputs))
    model.compile(ramify.optimizers.SGD(0.01), "mse")
    history = model.fit(np.ones((16, 3), "float32"), np.ones((16, 2), "float32"), epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]
    assert not np.array_equal(layer.get_weights()[0], PARAMS["bias"])


def test_copies_have_weights_of_their_own(jax):
    layer = JaxLayer(affine, params=PARAMS)
    x = torch.ones(1, 3)
    out = layer(x)
    made = copy.deepcopy(layer)
    torch.testing.assert_close(made(x), out)
    assert made.weights[0] is not layer.weights[0]


def test_a_saved_model_comes_back_with_its_functions_and_weights(jax, tmp_path):
    inputs = ramify.Input((3,))
    model = ramify.Model(inputs, JaxLayer(affine, ones, seed=3, name="it")(inputs))
    model.get_layer("it").set_weights([PARAMS["bias"][:1], PARAMS["inner"][0][:, :1]])
    model.save(tmp_path / "m.keras")
    back = ramify.saving.load_model(tmp_path / "m.keras")
    x = torch.randn(2, 3)
    torch.testing.assert_close(back(x), model(x))
    config = back.get_layer("it").get_config()
    assert (config["call_fn"]["config"], config["init_fn"]["config"], config["seed"]) == (
        "foreign>affine",
        "foreign>ones",
        3,
    )
    assert "params" not in config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JaxLayer(lambda params: params), "lacks the argument 'inputs'"),
        (lambda: JaxLayer(lambda inputs, other: inputs), "unknown argument 'other'"),
        (lambda: JaxLayer(affine, lambda rng: rng), "`init_fn` lacks the argument 'inputs'"),
        (lambda: JaxLayer(affine), "nowhere to take its weights from"),
        (lambda: JaxLayer(affine, params=PARAMS, state=1), "takes none"),
        (lambda: JaxLayer(3), "is a function"),
        (lambda: JaxLayer(counting, lambda rng, inputs: 1)(torch.ones(1)), "Return a tuple \\(params, state\\)"),
        (
            lambda: JaxLayer(lambda state, inputs: inputs, state=np.float32(1))(torch.ones(1)),
            "\\(outputs, new_state\\)",
        ),
        (lambda: JaxLayer(lambda state, inputs: (inputs, {}), state=np.float32(1))(torch.ones(1)), "structure"),
        (lambda: JaxLayer(affine, params={"w": object()})(torch.ones(1)), "cannot make a weight"),
    ],
)
def test_wrong_functions_are_refused(jax, make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_jax_that_is_not_installed(without):
    without("jax")
    with pytest.raises(ImportError, match=r"JaxLayer needs the package jax.*pip install jax"):
        JaxLayer(affine, params=PARAMS)


# ---- with JAX alone ----


def test_the_function_is_traced_once_for_each_shape():
    pytest.importorskip("jax")
    traced = []

    def call(inputs):
        traced.append(inputs.shape)
        return inputs * 2

    layer = JaxLayer(call)
    for _ in range(3):
        layer(torch.ones(2, 3))
    layer(torch.ones(4, 3))
    assert traced == [(2, 3), (4, 3)]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_dtype_policies_reach_the_function(policy):
    jnp = pytest.importorskip("jax").numpy
    layer = JaxLayer(lambda params, inputs: jnp.tanh(inputs @ params), params=np.ones((3, 2), "float32"), dtype=policy)
    out = layer(torch.ones(1, 3, requires_grad=True))
    out.sum().backward()
    assert str(out.dtype).removeprefix("torch.") == layer.compute_dtype
    assert layer.weights[0].grad.dtype == layer.weights[0].dtype
