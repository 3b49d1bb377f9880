"""Symbolic tensors: what they record, what they know, what they refuse."""

import operator

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import ramify
from ramify.errors import InputError, ShapeError, SymbolicValueError, UnknownSizeError
from ramify.graph import Graph, SymbolicSize, SymbolicTensor, calls_of, lower


def run(inputs, outputs, *values):
    return lower(Graph(inputs, outputs))(*values)


BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.floordiv, operator.mod]
COMPARE = [operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("op", BINARY + COMPARE, ids=lambda op: op.__name__)
def test_operators_do_what_they_do_on_tensors(op):
    a, b = ramify.Input((3,), name="a"), ramify.Input((3,), name="b")
    x, y = torch.rand(2, 3) + 0.5, torch.rand(2, 3) + 0.5
    for symbolic, real in ((op(a, b), op(x, y)), (op(a, 2), op(x, 2))):
        assert symbolic.dtype is real.dtype
        torch.testing.assert_close(
            run([a, b], symbolic, x, y) if symbolic.node.inputs[-1] is b else run(a, symbolic, x), real
        )


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_operators_with_a_number_on_the_left(op):
    a, x = ramify.Input((3,)), torch.rand(2, 3) + 0.5
    torch.testing.assert_close(run(a, op(2, a), x), op(2, x))


def test_matmul_logic_and_unary():
    a, x = ramify.Input((3, 3)), torch.randn(2, 3, 3)
    torch.testing.assert_close(run(a, a @ a, x), x @ x)
    torch.testing.assert_close(run(a, -abs(a), x), -abs(x))
    torch.testing.assert_close(
        run(a, ~(a > 0) | (a > 1) & (a < 2) ^ (a > 0), x), ~(x > 0) | (x > 1) & (x < 2) ^ (x > 0)
    )


INDICES = [
    np.s_[:, 0],
    np.s_[..., -1],
    np.s_[:, 1:3, None],
    np.s_[:, ::2],
    np.s_[:, [0, 2]],
    np.s_[0],
    np.s_[:, torch.tensor([1, 0])],
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing(index):
    a, x = ramify.Input((4, 5)), torch.randn(3, 4, 5)
    out = a[index]
    real = x[index]
    assert out.ndim == real.ndim
    torch.testing.assert_close(run(a, out, x), real)


METHODS = [
    lambda t: t.mean(-1),
    lambda t: t.sum(dim=(1, 2), keepdim=True),
    lambda t: t.permute(0, 2, 1),
    lambda t: t.transpose(1, 2).contiguous().flatten(1),
    lambda t: t.max(dim=1).values,
    lambda t: t.softmax(-1).argmax(-1),
    lambda t: t.to(torch.float64),
    lambda t: t.mT,
    lambda t: t.unsqueeze(1).squeeze(1).clamp(-1, 1),
    lambda t: t.chunk(2, dim=1)[1],
    lambda t: t.reshape(t.size(0), -1),
]


@pytest.mark.parametrize("method", METHODS, ids=range(len(METHODS)))
def test_tensor_methods(method):
    a, x = ramify.Input((4, 6)), torch.randn(3, 4, 6)
    out, real = method(a), method(x)
    assert out.dtype is real.dtype
    assert tuple(out.shape)[1:] == tuple(real.shape)[1:]
    torch.testing.assert_close(run(a, out, x), real)


FUNCTIONS = [
    torch.relu,
    F.gelu,
    torch.tanh,
    lambda t: torch.cat([t, t * 2], dim=-1),
    lambda t: torch.stack([t, t], dim=1),
    lambda t: torch.einsum("bij,bkj->bik", t, t),
    lambda t: torch.where(t > 0, t, torch.zeros_like(t)),
    lambda t: F.layer_norm(t, (6,)),
    lambda t: torch.split(t, 2, dim=1)[0],
    lambda t: F.pad(t, (1, 1)),
    lambda t: torch.matmul(t, torch.ones(6, 2)),
    lambda t: F.max_pool1d(t, 2),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=range(len(FUNCTIONS)))
def test_torch_functions(function):
    a, x = ramify.Input((4, 6)), torch.randn(3, 4, 6)
    out, real = function(a), function(x)
    assert tuple(out.shape)[1:] == tuple(real.shape)[1:]
    torch.testing.assert_close(run(a, out, x), real)


def test_unknown_sizes_stay_unknown_and_fit_together():
    image = ramify.Input((None, None, 3))
    down = F.avg_pool2d(image.permute(0, 3, 1, 2), 2)
    up = F.interpolate(down, scale_factor=2.0)
    both = torch.cat([up, image.permute(0, 3, 1, 2)], dim=1)
    assert both.shape == (None, 6, None, None)
    assert run(image, both, torch.randn(2, 8, 10, 3)).shape == (2, 6, 8, 10)


def test_a_size_that_only_looks_fixed_is_unknown():
    text = ramify.Input((None, 4))
    assert text[:, :100].shape == (None, None, 4)
    assert text[:, : text.size(1) // 2].shape == (None, None, 4)


def test_symbolic_sizes_can_be_calculated_with():
    text = ramify.Input((None, 4))
    size = text.size(1)
    assert isinstance(size, SymbolicSize)
    out = text.reshape(text.size(0), size * 2, 2)
    assert out.shape == (None, None, 2)
    assert run(text, out, torch.randn(2, 5, 4)).shape == (2, 10, 2)
    assert text.size(2) == 4


@pytest.mark.parametrize("use", [bool, int, lambda s: s > 3, lambda s: s == 3, range])
def test_python_cannot_branch_on_an_unknown_size(use):
    with pytest.raises(UnknownSizeError, match="unknown until data arrives"):
        use(ramify.Input((None, 4)).size(1))


def test_an_unknown_length_meets_a_known_one():
    out = ramify.layers.Add()([ramify.Input((None, 8)), ramify.Input((10, 8))])
    assert out.shape == (None, 10, 8)


REFUSED = [
    (bool, "Branching"),
    (float, "number"),
    (int, "number"),
    (np.asarray, "NumPy"),
    (len, "len"),
    (list, "len"),
    (lambda t: t.add_(1), "in-place"),
    (lambda t: t.item(), "`item`"),
    (lambda t: t.numpy(), "`numpy`"),
    (lambda t: operator.setitem(t, 0, 1), "Assigning"),
    (lambda t: 3 in t, "`in`"),
]


@pytest.mark.parametrize(("use", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_needs_numbers_is_refused_with_a_mend(use, words):
    with pytest.raises(SymbolicValueError, match=words):
        use(ramify.Input((3,)))


def test_an_unknown_attribute_is_an_attribute_error():
    assert not hasattr(ramify.Input((3,)), "nonsense")


def test_shapes_that_do_not_fit_name_the_call_the_shapes_and_their_makers():
    a = ramify.Input((7,), name="seven")
    with pytest.raises(ShapeError, match=r"operation 'matmul', called on shape \(None, 7\).*from InputLayer 'seven'"):
        torch.matmul(a, torch.ones(3, 3))


def test_a_parameter_of_somebody_else_is_refused():
    with pytest.raises(InputError, match="TorchModuleWrapper"):
        torch.nn.Linear(3, 4)(ramify.Input((3,)))


def test_data_dependent_shapes_are_refused_with_a_mend():
    with pytest.raises(SymbolicValueError, match="compute_output_shape"):
        torch.nonzero(ramify.Input((3,)))


def test_recording_changes_no_layer_and_does_not_keep_graphs_alive():
    layer = ramify.layers.Dense(3)
    layer.build((None, 2))
    before = dict(layer.__dict__)
    out = layer(ramify.Input((2,)))
    changed = {k for k, v in layer.__dict__.items() if before.get(k) is not v}
    assert changed <= {"_fast", "_last_call"}
    assert len(calls_of(layer)) == 1
    del out
    import gc

    gc.collect()
    assert calls_of(layer) == []


def test_multiple_results_and_constants():
    a, x = ramify.Input((6,)), torch.randn(2, 6)
    values, indices = torch.topk(a, 2)
    assert indices.dtype is torch.int64
    constant = torch.randn(6)
    got = run(a, {"v": values, "i": indices, "c": a + constant}, x)
    torch.testing.assert_close(got["v"], torch.topk(x, 2).values)
    torch.testing.assert_close(got["c"], x + constant)


def test_arrays_on_either_side():
    a, x, array = ramify.Input((3,)), torch.randn(2, 3), np.array([1.0, 2.0, 3.0], "float32")
    for out, real in ((a + array, x + torch.tensor(array)), (array - a, torch.tensor(array) - x)):
        assert out.shape == (None, 3)
        torch.testing.assert_close(run(a, out, x), real)


def test_repr_says_shape_and_dtype():
    assert repr(ramify.Input((3,), name="q")) == "<SymbolicTensor shape=(None, 3), dtype=float32, name=q>"
    assert isinstance(ramify.Input((3,)), SymbolicTensor)


def test_a_list_that_grows_after_a_call_does_not_change_the_call():
    a, b = ramify.Input((3,)), ramify.Input((3,))
    features = [a, b]
    both = ramify.layers.Concatenate()(features)
    features.append(both)
    assert both.node.args == ([a, b],)
    assert run([a, b], both, torch.ones(1, 3), torch.zeros(1, 3)).tolist() == [[1, 1, 1, 0, 0, 0]]
