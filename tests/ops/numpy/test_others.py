"""What does not fit into a table: partitions, memory, mapping, errors, lists of names."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import ops
from ramify.errors import ArgumentError, InputError, ShapeError


@pytest.mark.parametrize("axis", [-1, 0, None])
@pytest.mark.parametrize("kth", [0, 2, -1])
def test_a_partition_has_the_value_of_its_rank_in_place(axis, kth):
    x = torch.randn(5, 6)
    places = ops.argpartition(x, kth, axis=axis)
    assert places.dtype == torch.int32
    parts = ops.take_along_axis(x, places, axis=axis)
    axis, parts = (0, parts.reshape(-1)) if axis is None else (axis, parts)
    whole = torch.sort(x.reshape(-1) if parts.ndim == 1 else x, dim=axis).values
    pivot = parts.select(axis, kth)
    torch.testing.assert_close(pivot, whole.select(axis, kth))
    kth %= parts.shape[axis]
    assert (parts.narrow(axis, 0, kth) <= pivot.unsqueeze(axis)).all()
    assert (parts.narrow(axis, kth, parts.shape[axis] - kth) >= pivot.unsqueeze(axis)).all()


def test_empty_has_a_shape_and_a_dtype():
    assert ops.empty((2, 3), "int32").shape == (2, 3)
    assert ops.empty((2, 3), "int32").dtype == torch.int32
    assert ops.empty_like(torch.ones(2, dtype=torch.int8)).dtype == torch.int8


def test_copy_owns_its_memory_and_passes_gradients():
    x = torch.ones(3, requires_grad=True)
    ops.copy(x).sum().backward()
    assert ops.copy(x).data_ptr() != x.data_ptr()
    assert x.grad is not None


@pytest.mark.parametrize(
    ("function", "options", "args"),
    [
        (lambda a, b: a * 2 + b, {}, (torch.randn(4, 3), torch.randn(3))),
        (torch.dot, {"signature": "(n),(n)->()"}, (torch.randn(4, 3), torch.randn(3))),
        (lambda a, k: a * k, {"excluded": {1}}, (torch.randn(4, 3), 3)),
        (torch.outer, {"signature": "(n),(m)->(n,m)"}, (torch.randn(2, 1, 3), torch.randn(5, 4))),
    ],
)
def test_vectorize(function, options, args):
    real = ops.vectorize(function, **options)(*args)
    torch.testing.assert_close(real, keras.ops.vectorize(function, **options)(*args))
    inputs = [ramify.Input(batch_shape=a.shape) if isinstance(a, torch.Tensor) else a for a in args]
    assert ops.vectorize(function, **options)(*inputs).shape == tuple(real.shape)


def test_vectorize_over_numbers_only():
    assert ops.vectorize(lambda a, b: a + b)(1.0, 2.0) == 3.0


@pytest.mark.parametrize("signature", ["(n)", "n->n", "(n)->m"])
def test_signatures_that_cannot_be_read(signature):
    with pytest.raises(ArgumentError, match="signature="):
        ops.vectorize(torch.sum, signature=signature)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.split(torch.ones(5), 2), ArgumentError, "array_split"),
        (lambda: ops.pad(torch.ones(5), 1, mode="mean"), ArgumentError, "mode='mean'"),
        (lambda: ops.pad(torch.ones(5, 2), ((1, 1), (1, 1), (1, 1))), ArgumentError, "2 axes"),
        (lambda: ops.pad(torch.ones(5), 1, mode="reflect", constant_values=1), ArgumentError, "constant_values"),
        (lambda: ops.where(torch.ones(2), 1), ArgumentError, "both"),
        (lambda: ops.select([], []), ArgumentError, "select"),
        (lambda: ops.clip(torch.ones(2), None, None), ArgumentError, "clip"),
        (lambda: ops.ldexp(1.0, 0.5), ArgumentError, "exp2"),
        (lambda: ops.average(torch.ones(2, 3), weights=[1, 2, 3, 4], axis=1), ShapeError, "weights"),
        (lambda: ops.correlate([1.0], [1.0], mode="half"), ArgumentError, "mode='half'"),
        (lambda: ops.quantile([1.0], 0.5, method="weibull"), ArgumentError, "weibull"),
        (lambda: ops.cross([1.0], [1.0]), ArgumentError, "components"),
        (lambda: ops.bincount([1], sparse=True), ArgumentError, "sparse"),
        (lambda: ops.searchsorted([[1.0]], [1.0]), ArgumentError, "one axis"),
        (lambda: ops.argpartition([1.0], 3), ArgumentError, "kth=3"),
        (lambda: ops.repeat(torch.ones(3), [1, 2]), ArgumentError, "2 counts"),
        (lambda: ops.vectorize(3), ArgumentError, "function"),
        (lambda: ops.add("a", 1), InputError, "str"),
    ],
)
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("name", ops.numpy.__all__)
def test_signatures_are_keras_s(name):
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (ops, keras.ops))
    assert list(ours) == list(theirs)
    for mine, other in zip(ours.values(), theirs.values(), strict=True):
        assert (mine.default, mine.kind) == (other.default, other.kind)


def test_names_are_public_twice():
    assert len(set(ops.numpy.__all__)) == len(ops.numpy.__all__)
    assert all(getattr(ops, name) is getattr(ops.numpy, name) for name in ops.numpy.__all__)


def test_dividing_by_zero_has_no_gradient_where_it_has_no_value():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.tensor([0.0, 4.0], requires_grad=True)
    ops.divide_no_nan(x, y).sum().backward()
    np.testing.assert_allclose(x.grad, [0, 0.25])
    np.testing.assert_allclose(y.grad, [0, -0.125])


def test_the_greatest_of_nothing_is_what_was_given():
    np.testing.assert_array_equal(ops.max(torch.ones(0, 3), axis=0, initial=2), np.full(3, 2.0))


def test_a_functional_model_of_operations():
    x = ramify.Input((6, 4))
    pooled = ops.concatenate([ops.mean(x, axis=1), ops.max(x, axis=1)], axis=-1)
    model = ramify.Model(x, ops.reshape(pooled / ops.sum(pooled, axis=-1, keepdims=True), (-1, 2, 4)))
    data = torch.rand(3, 6, 4)
    both = torch.cat((data.mean(1), data.amax(1)), -1)
    torch.testing.assert_close(model(data), (both / both.sum(-1, keepdim=True)).reshape(-1, 2, 4))
    assert model.output_shape == (None, 2, 4)


def test_torch_compile_takes_them_in_one_graph():
    def function(x, y):
        return ops.sum(ops.maximum(ops.add(x, y), 0.5) * ops.arctan2(x, 2), axis=-1) + ops.mean(ops.matmul(x, y))

    x, y = torch.randn(3, 3), torch.randn(3, 3)
    compiled = torch.compile(function, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, y), function(x, y))
    torch.testing.assert_close(compiled(x, y.int()), function(x, y.int()))


@pytest.mark.parametrize("wrap", [np.asarray, torch.tensor, list])
def test_sizes_and_places_may_be_arrays(wrap):
    x = ramify.Input((6, 4))
    assert ops.reshape(x, wrap([-1, 3, 8])).shape == (None, 3, 8)
    assert ops.tile(x, wrap([1, 2, 1])).shape == (None, 12, 4)
    assert ops.pad(x, wrap([[0, 0], [1, 2], [0, 0]])).shape == (None, 9, 4)
    assert ops.repeat(x, wrap([1, 0, 2, 1]), axis=-1).shape == (None, 6, 4)
    assert [part.shape for part in ops.split(x, wrap([1, 4]), axis=1)] == [(None, 1, 4), (None, 3, 4), (None, 2, 4)]
    assert ops.zeros(wrap([2, 3])).shape == (2, 3)
    assert ops.roll(x, np.int64(1), axis=1).shape == ops.take(x, wrap([0, 1, 1, 0, 0, 1]), axis=1).shape == (None, 6, 4)


def test_the_inverse_of_unique_has_the_shape_of_its_input():
    x = torch.tensor([[3, 1], [1, 1]])
    values, inverse = ops.unique(x, return_inverse=True)
    assert torch.equal(values[inverse], x)


def test_limits_of_a_wider_dtype_leave_the_dtype_alone():
    limits = torch.zeros(3), 2.5
    for library in (ops, keras.ops):
        assert library.clip(torch.ones(3, dtype=torch.float16), *limits).dtype == torch.float16


def test_exponents_that_broadcast_give_the_shape_before_the_data():
    x, y = ramify.Input(batch_shape=(4, 3)), ramify.Input(batch_shape=(1, 3), dtype="int32")
    assert ops.ldexp(y * 1.0, y).shape == (1, 3)
    assert ops.ldexp(ramify.Input(batch_shape=(1, 1)), y).shape == (1, 3)
    assert ops.ldexp(x, y).shape == (4, 3)
