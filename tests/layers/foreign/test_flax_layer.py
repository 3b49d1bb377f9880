"""FlaxLayer; but for what is said without the packages, these tests need jax and flax."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError
from ramify.layers import FlaxLayer
from ramify.registry import custom_object_scope


@pytest.fixture
def linen():
    pytest.importorskip("jax")
    return pytest.importorskip("flax.linen")


@pytest.fixture
def normed(linen):
    """A module with parameters, statistics and dropout, that a config can name."""

    class Normed(linen.Module):
        units: int = 4

        @linen.compact
        def __call__(self, inputs, training=False):
            x = linen.Dense(self.units)(inputs)
            x = linen.BatchNorm(use_running_average=not training, momentum=0.5)(x)
            self.sow("intermediates", "seen", x)
            return linen.Dropout(0.5, deterministic=not training)(x)

        def twice(self, inputs):
            return 2 * self(inputs)

        def get_config(self):
            return {"units": self.units}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

    return Normed


@pytest.mark.parametrize("package", ["jax", "flax"])
def test_packages_that_are_not_installed(package, without):
    without(package)
    without("flax.linen")
    with pytest.raises(ImportError, match=r"FlaxLayer needs the package flax.*pip install"):
        FlaxLayer(object())


def test_outputs_and_gradients_are_those_of_the_module(linen):
    import jax

    layer, x = FlaxLayer(linen.Dense(5)), torch.randn(4, 3, requires_grad=True)
    assert layer(ramify.Input((3,))).shape == (None, 5)
    out = layer(x)
    bias, kernel = layer.weights
    torch.testing.assert_close(out, x @ kernel + bias)
    out.sum().backward()
    torch.testing.assert_close(x.grad, kernel.sum(1).expand(4, 3).detach())
    given = linen.Dense(5).init(jax.random.PRNGKey(0), np.ones((1, 3)))
    np.testing.assert_array_equal(
        FlaxLayer(linen.Dense(5), variables=given)(x).detach().numpy(),
        linen.Dense(5).apply(given, x.detach().numpy()),
    )


def test_collections_beside_the_parameters_are_state(normed):
    layer, x = FlaxLayer(normed(), seed=1, name="it"), torch.randn(8, 3)
    plain = layer(x, training=False)
    assert [w.path.split("/params_")[-1] for w in layer.trainable_weights] == [
        "BatchNorm_0_bias",
        "BatchNorm_0_scale",
        "Dense_0_bias",
        "Dense_0_kernel",
    ]
    mean, variance = layer.non_trainable_weights
    assert mean.eq(0).all()
    kernel = layer.trainable_weights[3]
    dropped = layer(x, training=True)
    torch.testing.assert_close(mean, (x @ kernel).mean(0).detach() / 2)
    assert dropped.eq(0).any()
    assert not plain.eq(0).any()
    assert variance.ne(1).all()


def test_embeddings_and_convolutions(linen):
    assert FlaxLayer(linen.Embed(10, 4))(ramify.Input((5,), dtype="int32")).shape == (None, 5, 4)
    assert FlaxLayer(linen.Conv(8, (3, 3)))(ramify.Input((None, None, 3))).shape == (None, None, None, 8)


@pytest.mark.parametrize("how", ["name", "method", "function"])
def test_another_method(normed, how):
    method = {"name": "twice", "method": normed.twice, "function": lambda module, inputs: 2 * module(inputs)}[how]
    layer, x = FlaxLayer(normed(), method=method), torch.ones(1, 3)
    out = layer(x)
    plain = FlaxLayer(normed())
    plain.build((1, 3))
    plain.set_weights(layer.get_weights())
    torch.testing.assert_close(out, 2 * plain(x))
    if how != "function":
        assert layer.get_config()["method"] == "twice"


def test_a_saved_model_comes_back(normed, tmp_path):
    inputs = ramify.Input((3,))
    model = ramify.Model(inputs, FlaxLayer(normed(units=2), method="twice")(inputs))
    model.save(tmp_path / "m.keras")
    with custom_object_scope({"Normed": normed}):
        back = ramify.saving.load_model(tmp_path / "m.keras")
    x = torch.randn(2, 3)
    torch.testing.assert_close(back(x), model(x))


def test_copies_have_weights_of_their_own(linen):
    layer, x = FlaxLayer(linen.Dense(2)), torch.ones(1, 3)
    out = layer(x)
    made = copy.deepcopy(layer)
    torch.testing.assert_close(made(x), out)
    with torch.no_grad():
        made.weights[0].add_(1)
    assert not torch.equal(made(x), out)
    torch.testing.assert_close(layer(x), out)


def test_wrong_arguments_are_refused(linen):
    with pytest.raises(ArgumentError, match=r"wraps a flax\.linen\.Module"):
        FlaxLayer(torch.nn.Linear(1, 1))
    with pytest.raises(ArgumentError, match="no method 'nope'"):
        FlaxLayer(linen.Dense(1), method="nope")
    with pytest.raises(ArgumentError, match="no collection 'params'"):
        FlaxLayer(linen.Dense(1), variables={"batch_stats": {}})
    with pytest.raises(ArgumentError, match="Dense has no `get_config`"):
        FlaxLayer(linen.Dense(1)).get_config()
