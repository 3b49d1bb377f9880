"""Random tensors: what a seed promises, and that the distributions are those that the names say."""

from __future__ import annotations

import copy
import inspect
import pickle

import keras
import pytest
import torch

import ramify
from ramify import random, registry
from ramify.errors import ArgumentError, ShapeError

N = 20_000
SIZE = (N,)
# Each draw: how it is made, and the mean and the variance that it must have.
DRAWS = {
    "normal": (lambda **o: random.normal(SIZE, 1.0, 2.0, **o), 1, 4),
    "uniform": (lambda **o: random.uniform(SIZE, -1.0, 3.0, **o), 1, 16 / 12),
    "truncated_normal": (lambda **o: random.truncated_normal(SIZE, 1.0, 2.0, **o), 1, 4 * 0.773741),
    "gamma": (lambda **o: random.gamma(SIZE, 3.0, **o), 3, 3),
    "small gamma": (lambda **o: random.gamma(SIZE, 0.1, **o), 0.1, 0.1),
    "beta": (lambda **o: random.beta(SIZE, 2.0, 3.0, **o), 0.4, 0.04),
    "binomial": (lambda **o: random.binomial(SIZE, 10, 0.3, **o), 3, 2.1),
    "randint": (lambda **o: random.randint(SIZE, 2, 7, **o), 4, 2),
    "categorical": (lambda **o: random.categorical(torch.log(torch.tensor([[0.5, 0.3, 0.2]])), N, **o), 0.7, 0.61),
    "dropout": (lambda **o: random.dropout(torch.ones(SIZE), 0.2, **o), 1, 0.25),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("seed", [None, 3])
def test_mean_and_variance(name, seed):
    draw, mean, variance = DRAWS[name]
    x = draw(seed=seed).double()
    assert torch.isfinite(x).all()
    # Five standard errors: one false alarm in a million.
    assert abs(x.mean().item() - mean) < 5 * (variance / N) ** 0.5
    fourth = ((x - x.mean()) ** 4).mean().item()
    assert abs(x.var().item() - variance) < 5 * ((fourth - variance**2) / N) ** 0.5


@pytest.mark.parametrize("name", DRAWS)
def test_seeds(name):
    draw = DRAWS[name][0]
    assert torch.equal(draw(seed=3), draw(seed=3))
    assert not torch.equal(draw(seed=3), draw(seed=4))
    assert not torch.equal(draw(), draw())
    torch.manual_seed(5)
    first = draw()
    torch.manual_seed(5)
    assert torch.equal(draw(), first)
    a, b = random.SeedGenerator(3), random.SeedGenerator(3)
    first, second = draw(seed=a), draw(seed=a)
    assert not torch.equal(first, second)
    assert torch.equal(draw(seed=b), first)
    assert torch.equal(draw(seed=b), second)
    state = torch.get_rng_state()
    draw(seed=7)
    assert torch.equal(torch.get_rng_state(), state)  # a seed leaves the global generator alone


def quantiles(x):
    return torch.quantile(x.double().flatten(), torch.linspace(0.05, 0.95, 10, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("normal", (1.0, 2.0)), ("uniform", (-1.0, 3.0)), ("truncated_normal", (1.0, 2.0)), ("gamma", (3.0,)),
        ("gamma", (0.5,)), ("beta", (2.0, 3.0)), ("beta", (0.3, 0.2)), ("binomial", (10.0, 0.3)),
    ],
)  # fmt: skip
def test_distributions_are_keras_s(name, args):
    ours = getattr(random, name)(SIZE, *args, seed=1)
    tensors = tuple(torch.tensor(a) for a in args) if name in ("gamma", "beta", "binomial") else args
    theirs = getattr(keras.random, name)(SIZE, *tensors, seed=2)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    # Kolmogorov and Smirnov, at one false alarm in a million.
    points = torch.cat([ours, theirs]).sort().values
    steps = [torch.searchsorted(x.sort().values, points, side="right") / N for x in (ours, theirs)]
    assert (steps[0] - steps[1]).abs().max() < 2.7 * (2 / N) ** 0.5


def test_ranges():
    assert random.truncated_normal(SIZE).abs().max() <= 2
    x = random.uniform(SIZE, 2.0, 3.0)
    assert x.min() >= 2
    assert x.max() < 3
    assert set(random.randint(SIZE, -1, 2).tolist()) == {-1, 0, 1}
    assert set(random.dropout(torch.ones(100), 0.5, seed=1).tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(
    "draw",
    [
        lambda **o: random.normal((2, 3), **o),
        lambda **o: random.uniform((2, 3), **o),
        lambda **o: random.truncated_normal((2, 3), **o),
        lambda **o: random.gamma((2, 3), 2.0, **o),
        lambda **o: random.beta((2, 3), 2.0, 3.0, **o),
        lambda **o: random.binomial((2, 3), 10, 0.5, **o),
    ],
    ids="normal uniform truncated_normal gamma beta binomial".split(),
)
def test_dtypes_and_shapes(draw, dtype):
    assert draw(dtype=dtype).dtype == getattr(torch, dtype)
    assert draw(dtype=dtype).shape == (2, 3)
    assert draw().dtype == torch.float32
    with pytest.raises(ArgumentError, match="float dtype"):
        draw(dtype="int32")


def test_parameters_may_be_tensors():
    means = torch.tensor([0.0, 100.0])
    for draw in (
        random.normal((500, 2), means, torch.tensor([1.0, 2.0])),
        random.uniform((500, 2), means, means + 1),
        random.truncated_normal((500, 2), means),
        random.gamma((500, 2), means + 1),
        random.binomial((500, 2), means + 1, 0.9),
    ):
        assert draw.shape == (500, 2)
        assert draw[:, 1].min() > draw[:, 0].max()
    assert random.beta((500, 2), means + 1, 1.0).mean(0)[1] > 0.9


def test_dropping_with_a_noise_shape():
    x = random.dropout(torch.ones(50, 4), 0.5, noise_shape=(None, 1), seed=1)
    assert torch.equal(x, x[:, :1].expand(50, 4))
    assert 0 < x[:, 0].count_nonzero() < 50
    assert (random.dropout(torch.ones(3), 1.0, seed=1) == 0).all()
    assert (random.dropout(torch.ones(3), 0.0, seed=1) == 1).all()


def test_shuffling():
    x = torch.arange(12).reshape(3, 4)
    for axis in (0, 1, -1):
        y = random.shuffle(x, axis, seed=1)
        assert torch.equal(y.sort(axis).values, x)
        assert torch.equal(y, random.shuffle(x, axis, seed=1))
    assert not torch.equal(random.shuffle(torch.arange(100), seed=1), torch.arange(100))


def test_models_draw_anew_in_every_run():
    x = ramify.Input((3,))
    batch = ramify.ops.shape(x)[0]
    noise = random.normal((batch, 3), seed=random.SeedGenerator(1))
    model = ramify.Model(x, [x + noise, random.dropout(x, 0.5), random.shuffle(x, axis=1), random.categorical(x, 5)])
    assert [tuple(out.shape) for out in model.outputs] == [(None, 3), (None, 3), (None, 3), (None, 5)]
    assert model.outputs[3].dtype == torch.int32
    value = torch.zeros(4, 3)
    first, second = model(value), model(value)
    assert first[0].shape == (4, 3)
    assert not torch.equal(first[0], second[0])


def test_a_generator_counts_and_is_kept_in_configs():
    a = random.SeedGenerator(7, name="mine")
    assert [a.next().tolist(), a.next().tolist()] == [[7, 0], [7, 1]]
    assert a.state.tolist() == [7, 2]
    assert a.get_config() == keras.random.SeedGenerator(7, name="mine").get_config()
    config = registry.serialize(a)
    assert config == keras.saving.serialize_keras_object(keras.random.SeedGenerator(7, name="mine"))
    again = registry.deserialize(config, "keras.random", what="seed")
    assert again.next().tolist() == [7, 0]
    for kept in (copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        assert kept.next().tolist() == [7, 2]
    assert a.next().tolist() == [7, 2]
    assert random.SeedGenerator().seed != random.SeedGenerator().seed


def test_initializers_and_layers_take_generators():
    def made():
        seed = random.SeedGenerator(5)
        initializer = ramify.initializers.RandomNormal(seed=seed)
        layer = ramify.layers.Dropout(0.5, seed=seed)
        return [initializer((3, 4)), initializer((3, 4)), layer(torch.ones(3, 4), training=True)]

    first, second = made(), made()
    assert not torch.equal(first[0], first[1])
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: random.normal((2,), seed="a"), ArgumentError, "seed='a'"),
        (lambda: random.SeedGenerator("a"), ArgumentError, "'a'"),
        (lambda: random.SeedGenerator(2**70), ArgumentError, "63 bits"),
        (lambda: random.SeedGenerator(1, state=2), ArgumentError, "state"),
        (lambda: random.randint((2,), 0, 5, "float32"), ArgumentError, "integer dtype"),
        (lambda: random.categorical(torch.zeros(3), 2), ShapeError, "batch, classes"),
        (lambda: random.dropout(torch.ones(2), 1.5), ArgumentError, "rate"),
    ],
)
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("name", random.__all__)
def test_signatures_are_keras_s(name):
    ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (random, keras.random))
    assert list(ours) == list(theirs)
    for mine, other in zip(ours.values(), theirs.values(), strict=True):
        assert mine.default == other.default
