"""What is drawn has the distribution that it should have, and the seed that it was given.

Tolerances on sample moments are five standard errors: with fixed seeds, no test here is left to chance.
"""

from __future__ import annotations

import math
import time

import keras
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ramify import initializers
from ramify.errors import ArgumentError, ShapeError

PRESETS = ["GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"]
RANDOM = ["RandomUniform", "RandomNormal", "TruncatedNormal", "Orthogonal", "VarianceScaling", *PRESETS]
N = 400_000


def kolmogorov_distance(sample, distribution):
    """The largest gap between the empirical and the given distribution function."""
    ordered = sample.double().flatten().sort().values
    steps = torch.arange(1, len(ordered) + 1, dtype=torch.float64) / len(ordered)
    return float((distribution(ordered) - steps).abs().max()) + 1 / len(ordered)


def normal_cdf(x):
    return torch.special.ndtr(x)


def truncated_cdf(x):
    low = normal_cdf(torch.tensor(-2.0, dtype=torch.float64))
    return (normal_cdf(x) - low) / (1 - 2 * low)


# One in a thousand samples of that size would be further off.
CRITICAL = 1.95 / math.sqrt(N)


def test_uniform():
    x = initializers.RandomUniform(-3.0, 1.0)((N,))
    assert x.min() >= -3
    assert x.max() < 1
    assert kolmogorov_distance(x, lambda v: (v + 3) / 4) < CRITICAL


def test_normal():
    x = initializers.RandomNormal(2.0, 0.5)((N,))
    assert kolmogorov_distance((x.double() - 2) / 0.5, normal_cdf) < CRITICAL


def test_truncated_normal():
    x = initializers.TruncatedNormal(2.0, 0.5)((N,))
    assert x.min() >= 1
    assert x.max() <= 3
    assert x.max() > 2.99
    assert kolmogorov_distance((x.double() - 2) / 0.5, truncated_cdf) < CRITICAL


@pytest.mark.parametrize("name", ["RandomUniform", "RandomNormal", "TruncatedNormal", *PRESETS])
def test_mean_and_deviation_equal_keras(name):
    shape = (500, 800)
    ours = getattr(initializers, name)()(shape)
    theirs = getattr(keras.initializers, name)(seed=3)(shape)
    stddev = float(theirs.std())
    assert abs(float(ours.mean())) < 5 * stddev / math.sqrt(N)
    assert float(ours.std()) == pytest.approx(stddev, rel=5 * 1.5 / math.sqrt(N))
    if "Uniform" in name:  # Keras's truncated numbers on torch are not all within their bounds
        assert float(ours.abs().max()) == pytest.approx(float(theirs.abs().max()), rel=1e-3)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((60_000,), {}),
        ((200, 300), {}),
        ((3, 40, 500), {}),
        ((3, 3, 40, 160), {}),
        ((3, 3, 2, 40, 80), {}),
        ((30, 40, 50), {"input_axes": (0,), "output_axes": (1, 2)}),
        ((30, 40, 50), {"input_axes": [0, 1], "output_axes": [-1]}),
        ((30, 40, 50), {"input_axes": (0,)}),
        ((30, 40, 50), {"output_axes": (0,)}),
    ],
)
def test_fans_equal_keras(shape, axes, mode):
    """The end of a uniform distribution tells n: with as many draws, to 1 part in 1000."""
    arguments = {"mode": mode, "distribution": "uniform", "scale": 2.0, **axes}
    ours = initializers.VarianceScaling(**arguments, seed=1)(shape).abs().max()
    theirs = keras.initializers.VarianceScaling(**arguments, seed=1)(shape).abs().max()
    assert float(ours) == pytest.approx(float(theirs), rel=1e-3)


@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform", "normal"])
def test_variance_is_scale_over_n_whatever_the_distribution(distribution):
    x = initializers.VarianceScaling(3.0, "fan_out", distribution)((500, 800))
    assert float(x.var()) == pytest.approx(3 / 800, rel=0.02)


def test_fans_by_hand():
    assert initializers.compute_fans(()) == (1, 1)
    assert initializers.compute_fans(7) == (7, 7)
    assert initializers.compute_fans((4, 5)) == (4, 5)
    assert initializers.compute_fans((3, 3, 4, 5)) == (36, 45)
    assert initializers.compute_fans((4, 5, 6), 0, (1, 2)) == (4, 30)
    with pytest.raises(ShapeError, match="does not have"):
        initializers.compute_fans((4, 5), (2,), (0,))


@settings(deadline=None, max_examples=40)
@given(
    shape=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    gain=st.sampled_from([1.0, 0.5, -2.0]),
    seed=st.integers(0, 99),
)
def test_orthogonal_is_orthogonal(shape, gain, seed):
    q = initializers.Orthogonal(gain, seed)(shape, dtype="float64")
    assert q.shape == tuple(shape)
    assert q.is_contiguous()
    flat = q.reshape(-1, shape[-1])
    product = flat @ flat.T if flat.shape[0] < flat.shape[1] else flat.T @ flat
    torch.testing.assert_close(product, gain**2 * torch.eye(len(product), dtype=torch.float64), rtol=0, atol=1e-12)


def test_orthogonal_is_uniform():
    """Without the signs from R, the diagonal would lean to one side."""
    q = torch.stack([initializers.Orthogonal()((2, 2)) for _ in range(4000)])
    for entry in (q[:, 0, 0], q[:, 0, 1], q[:, 1, 1], torch.linalg.det(q)):
        assert abs(float(entry.sign().mean())) < 5 / math.sqrt(4000)


def test_orthogonal_needs_two_sizes():
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        initializers.Orthogonal()((3,))


@pytest.mark.parametrize("name", RANDOM)
class TestSeeds:
    def test_without_one_torchs_generator_decides(self, name):
        initializer = getattr(initializers, name)()
        torch.manual_seed(7)
        first, second = initializer((4, 5)), initializer((4, 5))
        torch.manual_seed(7)
        assert torch.equal(initializer((4, 5)), first)
        assert not torch.equal(first, second)

    def test_a_number_gives_the_same_values_in_each_call(self, name):
        make = getattr(initializers, name)
        state = torch.get_rng_state()
        initializer = make(seed=11)
        first = initializer((4, 5))
        assert torch.equal(first, initializer((4, 5)))
        assert torch.equal(first, make(seed=11)((4, 5)))
        assert torch.equal(first, initializer.clone()((4, 5)))
        assert not torch.equal(first, make(seed=12)((4, 5)))
        assert torch.equal(torch.get_rng_state(), state)

    def test_a_seed_generator_gives_other_values_in_each_call(self, name):
        make = getattr(initializers, name)
        initializer = make(seed=Counter(3))
        first, second = initializer((4, 5)), initializer((4, 5))
        assert not torch.equal(first, second)
        assert torch.equal(first, make(seed=Counter(3))((4, 5)))
        assert not torch.equal(first, make(seed=Counter(4))((4, 5)))

    @pytest.mark.parametrize("seed", ["a", 1.5, True, [1]])
    def test_what_is_no_seed(self, name, seed):
        with pytest.raises(ArgumentError, match="cannot take seed"):
            getattr(initializers, name)(seed=seed)

    @pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
    def test_dtypes(self, name, dtype):
        x = getattr(initializers, name)(seed=1)((30, 20), dtype=dtype)
        assert x.dtype == getattr(torch, dtype)
        assert len(x.unique()) > 100
        torch.testing.assert_close(
            x.float().std(), getattr(initializers, name)(seed=1)((30, 20)).std(), rtol=0.1, atol=0
        )

    def test_integers_are_refused(self, name):
        with pytest.raises(ArgumentError, match="int32"):
            getattr(initializers, name)()((2, 2), dtype="int32")

    def test_empty_weights(self, name):
        assert getattr(initializers, name)()((0, 3)).shape == (0, 3)


class Counter:
    """Seeds of two words, as a SeedGenerator gives them."""

    def __init__(self, seed):
        self.state = torch.tensor([seed, 0])

    def next(self, ordered=True):
        self.state = self.state + torch.tensor([0, 1])
        return self.state


def test_a_generator_may_be_handed_out():
    class Holder:
        generator = torch.Generator().manual_seed(5)

        def next(self):
            return self.generator

    expected = torch.empty(3).uniform_(-0.05, 0.05, generator=torch.Generator().manual_seed(5))
    assert torch.equal(initializers.RandomUniform(seed=Holder())((3,)), expected)


def test_seeds_of_any_size():
    values = [initializers.RandomNormal(seed=s)((3,)) for s in (0, 1, -1, 2**40, 2**70 + 5)]
    assert len({tuple(v.tolist()) for v in values}) == len(values)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: initializers.VarianceScaling(scale=0), "above zero"),
        (lambda: initializers.VarianceScaling(mode="fan"), "fan_avg"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "untruncated_normal"),
        (lambda: initializers.RandomUniform(1.0, 0.0), "Swap"),
        (lambda: initializers.RandomNormal(stddev=-1), "negative"),
        (lambda: initializers.TruncatedNormal(stddev=-1), "negative"),
    ],
)
def test_arguments_that_cannot_be(make, word):
    with pytest.raises(ArgumentError, match=word):
        make()


def test_thousands_of_small_weights_are_quick():
    """A loop over elements would take a hundred times as long as this allows."""
    initializer = initializers.HeNormal()
    start = time.perf_counter()
    for _ in range(1000):
        initializer((64, 64))
    assert time.perf_counter() - start < 2
