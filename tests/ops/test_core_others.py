"""What does not fit into the table: where Keras on torch fails or is wrong, errors, gradients of one's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ramify
from ramify import ops
from ramify.errors import ArgumentError, ShapeError, UnknownSizeError

few = settings(max_examples=20, deadline=None, database=None, derandomize=True)


def test_shape_knows_what_is_known_and_calculates_with_the_rest():
    x = ramify.Input((None, 6))
    batch, steps, features = ops.shape(x)
    assert features == 6
    with pytest.raises(UnknownSizeError):
        int(steps)
    y = ops.reshape(x, (batch, steps * 2, 3))
    assert y.shape == (None, None, 3)
    assert ramify.Model(x, y)(torch.ones(2, 5, 6)).shape == (2, 10, 3)
    assert ops.shape(torch.ones(2, 3)) == ops.shape(np.ones((2, 3))) == (2, 3)


def test_conversion_there_and_back():
    assert ops.convert_to_numpy([1, 2]).tolist() == [1, 2]
    assert ops.convert_to_numpy(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    assert ops.convert_to_numpy(torch.ones(2, requires_grad=True)).tolist() == [1, 1]
    assert ops.dtype(ramify.Input((3,), dtype="int32")) == "int32"
    assert [ops.is_tensor(x) for x in (torch.ones(1), [1], ramify.Input((3,)))] == [True, False, False]
    with pytest.raises(ArgumentError, match="symbolic"):
        ops.convert_to_numpy(ramify.Input((3,)))
    with pytest.raises(ArgumentError, match="dense"):
        ops.convert_to_tensor([1], sparse=True)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_saturated_numbers_end_at_the_end(dtype):
    x = torch.tensor([float("inf"), 1e30, 3.7, -3.7, -1e30, -float("inf"), float("nan")])
    ends = np.iinfo(dtype)
    low = max(ends.min, -3)
    assert ops.saturate_cast(x, dtype).tolist() == [ends.max, ends.max, 3, low, ends.min, ends.min, 0]


def test_a_slice_up_to_the_end():
    x = torch.arange(12).reshape(3, 4)
    assert torch.equal(ops.slice(x, (1, 1), (2, -1)), x[1:3, 1:])
    assert ops.slice(ramify.Input((4,)), (0, 1), (-1, -1)).shape == (None, 3)


def test_scatter_update_takes_places_from_the_end():
    x, places, new = torch.zeros(3, 2), torch.tensor([[-1], [0]]), torch.ones(2, 2)
    for reduction in (None, "add", "max"):
        assert ops.scatter_update(x, places, new, reduction)[:, 0].tolist() == [1, 0, 1]


def test_ids_outside_count_nowhere():
    ids = torch.tensor([0, -1, 5, 1])
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert ops.segment_sum(x, ids, 2).tolist() == [1, 4]
    assert ops.segment_max(x, ids, 3).tolist() == [1, 4, -float("inf")]


def test_cond_runs_one_branch_and_records_both():
    assert ops.cond(torch.tensor(True), lambda: 1, lambda: 1 / 0) == 1
    x = ramify.Input((3,))
    y = ops.cond(torch.sum(x) > 0, lambda: (x + 1, [x]), lambda: (x - 1, [x * 2]))
    model = ramify.Model(x, [y[0], y[1][0]])
    for sign in (1.0, -1.0):
        value = sign * torch.ones(2, 3)
        first, second = model(value)
        assert torch.equal(first, value + sign)
        assert torch.equal(second, value if sign > 0 else value * 2)


def test_loops_take_symbolic_sizes_and_are_part_of_models():
    x = ramify.Input((None, 2))
    total, sums = ops.scan(lambda c, row: (c + row, c + row), torch.zeros(2), ops.slice(x, (0, 0, 0), (1, -1, 2))[0])
    assert total.shape == (2,)
    assert sums.shape == (None, 2)
    value = torch.rand(1, 7, 2)
    found = ramify.Model(x, [total, sums])(value)
    torch.testing.assert_close(found[0], value[0].sum(0))
    torch.testing.assert_close(found[1], value[0].cumsum(0))


@few
@given(st.integers(1, 9), st.integers(0, 1), st.booleans())
def test_an_associative_scan_is_a_cumulative_sum(size, axis, reverse):
    x = torch.rand((size, 3) if axis == 0 else (3, size))
    expected = x.flip(axis).cumsum(axis).flip(axis) if reverse else x.cumsum(axis)
    torch.testing.assert_close(ops.associative_scan(torch.add, x, reverse=reverse, axis=axis), expected)


@few
@given(st.integers(1, 6), st.booleans(), st.none() | st.integers(1, 3))
def test_a_scan_is_a_loop(size, reverse, length):
    x = torch.rand(size, 2)
    if length is not None and length > size:
        length = size
    count = length or size
    carry, ys = torch.zeros(2), [None] * count
    for k in reversed(range(count)) if reverse else range(count):
        carry, ys[k] = carry * 0.5 + x[k], carry * x[k]
    found = ops.scan(lambda c, v: (c * 0.5 + v, c * v), torch.zeros(2), x, length, reverse)
    torch.testing.assert_close(found[0], carry)
    torch.testing.assert_close(found[1], torch.stack(ys))


def test_scan_without_inputs_or_outputs():
    assert ops.scan(lambda c, _: (c + 1, None), torch.tensor(0), None, length=3) == (torch.tensor(3), None)


def test_a_gradient_of_ones_own():
    @ops.custom_gradient
    def doubled(x, y):
        return x * y, lambda upstream: (2 * upstream * y, None)

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    doubled(x, torch.tensor([3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [6, 8]
    a = ramify.Input((2,))
    model = ramify.Model(a, doubled(a, torch.tensor([3.0, 4.0])))
    x = torch.ones(1, 2, requires_grad=True)
    model(x).sum().backward()
    assert x.grad.tolist() == [[6, 8]]

    @ops.custom_gradient
    def wrong(x, y):
        return x + y, lambda upstream: (upstream,)

    with pytest.raises(ArgumentError, match="1 tensors for 2"):
        wrong(x, x).sum().backward()


@few
@given(st.sampled_from([("a b c -> c b a", {}), ("a b c -> (a b) c", {}), ("a (b d) c -> a b c d", {"d": 2}),
                        ("... c -> c ...", {}), ("a ... -> (... a)", {}), ("a b c -> a 1 c b", {}),
                        ("(e a) ... c -> a (c e) ...", {"e": 2})]), st.data())  # fmt: skip
def test_rearranging_moves_every_number_to_its_place(case, data):
    pattern, sizes = case
    x = torch.arange(2 * data.draw(st.integers(1, 3)) * 4 * 3).reshape(-1, 4, 3)
    y = ops.rearrange(x, pattern, **sizes)
    a, b, c = x.shape
    expected = {
        "a b c -> c b a": lambda: x.permute(2, 1, 0),
        "a b c -> (a b) c": lambda: x.reshape(a * b, c),
        "a (b d) c -> a b c d": lambda: x.reshape(a, b // 2, 2, c).transpose(2, 3),
        "... c -> c ...": lambda: x.permute(2, 0, 1),
        "a ... -> (... a)": lambda: x.permute(1, 2, 0).reshape(-1),
        "a b c -> a 1 c b": lambda: x.transpose(1, 2).unsqueeze(1),
        "(e a) ... c -> a (c e) ...": lambda: x.reshape(2, a // 2, b, c).permute(1, 3, 0, 2).reshape(a // 2, c * 2, b),
    }[pattern]()
    assert torch.equal(y, expected)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.unstack(torch.ones(3, 2), num=2), ShapeError, "num=2"),
        (lambda: ops.unstack(ramify.Input((2,))), ShapeError, "different sizes"),
        (lambda: ops.scatter_update([1.0], [[0]], [1.0], "mean"), ArgumentError, "'mean'"),
        (lambda: ops.scan(lambda c, x: (c, x), 0, (torch.ones(2), torch.ones(3))), ArgumentError, "one length"),
        (lambda: ops.map(lambda x: x, torch.ones(0)), ArgumentError, "at least one"),
        (lambda: ops.associative_scan(torch.add, [torch.ones(2), torch.ones(3)]), ArgumentError, "equal sizes"),
        (lambda: ops.rearrange(torch.ones(2, 3), "a b"), ArgumentError, "left -> right"),
        (lambda: ops.rearrange(torch.ones(2, 3), "a b -> a"), ArgumentError, "same names"),
        (lambda: ops.rearrange(torch.ones(2, 3), "a (b c -> a b c"), ArgumentError, "stays open"),
        (lambda: ops.rearrange(torch.ones(2, 3), "a b c -> a b c"), ShapeError, "3 axes"),
        (lambda: ops.rearrange(torch.ones(2, 3), "a (b c) -> a b c"), ShapeError, "all sizes"),
        (lambda: ops.rearrange(torch.ones(2, 3), "a + b -> b a"), ArgumentError, "cannot read"),
        (lambda: ops.cholesky(torch.ones(2, 3)), ShapeError, "square"),
        (lambda: ops.cholesky(-torch.eye(2)), ArgumentError, "positive-definite"),
        (lambda: ops.qr(torch.eye(2), "r"), ArgumentError, "mode"),
        (lambda: ops.fft(torch.ones(2)), ArgumentError, "pair"),
        (lambda: ops.fft((torch.ones(2), torch.ones(3))), ArgumentError, "one shape"),
        (lambda: ops.stft(torch.ones(9), 4, 2, 2), ArgumentError, "fft_length"),
        (lambda: ops.stft(torch.ones(9), 4, 2, 4, window="box"), ArgumentError, "'box'"),
        (lambda: ops.stft(torch.ones(9), 4, 2, 4, window=torch.ones(3)), ArgumentError, r"\(4,\)"),
        (lambda: ops.view_as_complex(torch.ones(3)), ShapeError, "pairs"),
    ],
)
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()
