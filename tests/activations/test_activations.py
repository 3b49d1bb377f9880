"""Values and gradients equal Keras's; exact and finite where numbers get large."""

from __future__ import annotations

import copy
import inspect
import math

import keras
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ramify import activations, graph

ELEMENTWISE = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh",
    "tanh_shrink",
]
ALONG_AN_AXIS = ("softmax", "log_softmax", "sparsemax", "glu")

# Away from the kinks, where any slope between the two sides is right; the kinks have their own test.
GRID = torch.linspace(-12.03, 12.05, 601, dtype=torch.float64)
KINKS = torch.tensor([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0], dtype=torch.float64)
LARGE = torch.tensor([-1e30, -1e10, -1e4, -700.0, -89.0, -30.0, 30.0, 89.0, 700.0, 1e4, 1e10, 1e30])


def with_grad(function, x, *args, **kwargs):
    """The values of a function and the gradient of a weighted sum of them."""
    x = x.detach().clone().requires_grad_()
    y = function(x, *args, **kwargs)
    weights = torch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype).reshape(y.shape)
    (grad,) = torch.autograd.grad((weights * y).sum(), x)
    return y.detach(), grad


def assert_same(name, x, *args, rtol=1e-6, atol=1e-6, **kwargs):
    ours = with_grad(getattr(activations, name), x, *args, **kwargs)
    theirs = with_grad(getattr(keras.activations, name), x, *args, **kwargs)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=rtol, atol=atol)


def test_the_lists_above_are_complete():
    public = {n for n in dir(keras.activations) if not n.startswith("_")} - {"get", "serialize", "deserialize"}
    assert public == {*ELEMENTWISE, *ALONG_AN_AXIS, "threshold", "swish", "hard_swish"}
    assert public <= set(activations.__all__)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_values_and_gradients_equal_keras(name, dtype):
    assert_same(name, GRID.to(dtype))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_kinks_equal_keras(name):
    assert_same(name, KINKS)


@pytest.mark.parametrize("name", sorted({*ELEMENTWISE, *ALONG_AN_AXIS} - {"exponential"}))
def test_large_numbers_stay_finite(name):
    for row in (LARGE, LARGE.flip(0)):
        y, grad = with_grad(getattr(activations, name), row)
        assert torch.isfinite(y).all()
        assert torch.isfinite(grad).all()


@pytest.mark.parametrize("name", sorted(set(ELEMENTWISE) - {"squareplus", "exponential"}))
def test_large_numbers_equal_keras(name):
    assert_same(name, LARGE)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("celu", (0.3,)),
        ("elu", (2.5,)),
        ("gelu", (True,)),
        ("hard_shrink", (1.5,)),
        ("soft_shrink", (0.1,)),
        ("leaky_relu", (0.03,)),
        ("squareplus", (0.7,)),
        ("threshold", (2.0, -7.0)),
    ],
)
def test_arguments_equal_keras(name, args):
    assert_same(name, GRID, *args)


@settings(deadline=None, max_examples=60)
@given(
    slope=st.sampled_from([0.0, 0.1, -0.5, 2.0]),
    ceiling=st.sampled_from([None, 0.0, 2.0, 6.0, 6]),
    threshold=st.sampled_from([0.0, 0, 1.01, -1.51]),
)
def test_relu_with_any_options_equals_keras(slope, ceiling, threshold):
    assert_same("relu", GRID, slope, ceiling, threshold)


@settings(deadline=None, max_examples=40)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    data=st.data(),
    name=st.sampled_from(["softmax", "log_softmax"]),
)
def test_softmax_over_several_axes_is_that_over_one_flattened(shape, data, name):
    axes = st.integers(-len(shape), len(shape) - 1)
    several = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(lambda a: tuple(sorted(a)))
    axis = data.draw(st.one_of(axes, several))
    x = torch.randn(shape, dtype=torch.float64) * 5
    ours = with_grad(getattr(activations, name), x, axis)
    mine = torch.softmax if name == "softmax" else torch.log_softmax
    if isinstance(axis, int):
        theirs = with_grad(mine, x, axis)
    else:
        rest = [d for d in range(len(shape)) if d not in axis]
        order = [*rest, *axis]
        back = [order.index(d) for d in range(len(shape))]

        def flat(t):
            moved = t.permute(order)
            return mine(moved.reshape(*moved.shape[: len(rest)], -1), -1).reshape(moved.shape).permute(back)

        theirs = with_grad(flat, x)
    for got, want in zip(ours, theirs, strict=True):
        torch.testing.assert_close(got, want)


@pytest.mark.parametrize(
    ("name", "axis"),
    [("softmax", (1, 2)), ("softmax", -2), ("log_softmax", (0, 1)), ("log_softmax", None), ("glu", 1), ("glu", -1)],
)
def test_functions_along_axes_equal_keras(name, axis):
    assert_same(name, torch.randn(3, 4, 6, dtype=torch.float64), axis=axis)


def test_softmax_over_all_axes():
    x = torch.randn(3, 4)
    torch.testing.assert_close(activations.softmax(x, axis=None), torch.softmax(x.flatten(), 0).reshape(3, 4))


def simplex_projection(row):
    """The nearest point with non-negative entries that sum to 1, by bisection on the shift."""
    low, high = float(row.min()) - 1, float(row.max())
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(row - (low + high) / 2, 0)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sparsemax_is_the_projection_onto_the_simplex(axis):
    # Keras 3.15 is no reference: its rows do not sum to 1.
    x = torch.randn(5, 6, 7, dtype=torch.float64) * 2
    y = activations.sparsemax(x, axis=axis)
    torch.testing.assert_close(y.sum(axis), torch.ones_like(y.sum(axis)))
    expected = np.apply_along_axis(simplex_projection, axis, x.numpy())
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-9)


def test_sparsemax_gradient():
    x = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(activations.sparsemax, x)


def test_sparsemax_of_half_precision_is_rounded_only_at_the_end():
    x = torch.randn(4, 100)
    y = activations.sparsemax(x.half())
    assert y.dtype == torch.float16
    torch.testing.assert_close(y, activations.sparsemax(x.half().float()).half())


def test_squareplus_keeps_its_digits():
    x = torch.tensor([-1e6, -1e3, -10.0, 0.0, 10.0, 1e3, 1e20])
    exact = [2 / (math.sqrt(v * v + 4) + abs(v)) if v < 0 else (v + math.sqrt(v * v + 4)) / 2 for v in x.tolist()]
    torch.testing.assert_close(activations.squareplus(x), torch.tensor(exact), rtol=1e-6, atol=0)
    torch.testing.assert_close(activations.squareplus(x, b=0), torch.relu(x))


@pytest.mark.parametrize("name", ["relu", "gelu", "softplus", "softmax", "squareplus", "sparse_plus", "selu"])
def test_half_precision_stays_half(name):
    for dtype in (torch.float16, torch.bfloat16):
        assert getattr(activations, name)(torch.randn(2, 4, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("name", [n for n in (*ELEMENTWISE, *ALONG_AN_AXIS) if n != "linear"])
def test_numbers_lists_and_arrays_become_tensors(name):
    function = getattr(activations, name)
    values = [-1.0, 0.5, 2.0, 3.0]
    expected = function(torch.tensor(values))
    torch.testing.assert_close(function(values), expected)
    torch.testing.assert_close(function(np.array(values)), expected.double(), rtol=1e-6, atol=1e-6)
    if name in ELEMENTWISE:
        torch.testing.assert_close(function(2.0), function(torch.tensor(2.0)))


class Recorder:
    """Answers torch functions, and nothing else, as a symbolic tensor does."""

    dtype = torch.float32
    ndim = 2

    def __init__(self):
        self.calls = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        recorder = next(a for a in args if isinstance(a, Recorder))
        recorder.calls.append(func)
        return recorder


@pytest.mark.parametrize("name", sorted(set(ELEMENTWISE) - {"linear", "squareplus", "sparse_plus", "sparse_sigmoid"}))
def test_one_torch_function_on_what_only_answers_torch_functions(name):
    recorder = Recorder()
    assert getattr(activations, name)(recorder) is recorder
    assert len(recorder.calls) == 1


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax", "log_softmax", "glu"])  # sparsemax asks for the dtype
def test_traced_by_fx_into_the_same_function(name):
    function = getattr(activations, name)
    x = torch.randn(3, 4)
    traced = torch.fx.symbolic_trace(Wrapped(function))
    torch.testing.assert_close(traced(x), function(x))


class Wrapped(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    "function",
    [getattr(activations, name) for name in (*ELEMENTWISE, *ALONG_AN_AXIS)]
    + [
        lambda x: activations.relu(x, 0.1, 4.0, 0.5),
        lambda x: activations.softmax(x, (0, 1)),
        lambda x: activations.log_softmax(x, None),
        lambda x: activations.sparsemax(x, 0),
        lambda x: activations.threshold(x, 0.1, 0.2),
    ],
)
def test_recorded_on_a_symbolic_tensor_and_lowered(function):
    x = graph.placeholder("x", (None, 6), torch.float32, "x")
    y = function(x)
    values = torch.randn(5, 6)
    expected = function(values)
    assert tuple(y.shape) == (None, *expected.shape[1:])
    assert y.dtype == torch.float32
    torch.testing.assert_close(graph.lower(graph.Graph([x], [y]))(values), [expected])


@pytest.mark.parametrize("name", [*ELEMENTWISE, *ALONG_AN_AXIS])
def test_works_on_meta_tensors_and_keeps_shapes(name):
    x = torch.empty(3, 4, device="meta")
    y = getattr(activations, name)(x)
    assert y.is_meta
    assert y.shape == ((3, 2) if name == "glu" else (3, 4))


def test_the_plain_call_is_torchs_own():
    assert activations.get("relu") is activations.relu
    assert inspect.isfunction(activations.get("relu"))
    assert copy.deepcopy(activations.relu) is activations.relu
    assert activations.swish is activations.silu
    assert activations.hard_swish is activations.hard_silu
