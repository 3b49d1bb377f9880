"""Conversion, indexing, control flow, mathematics, Fourier transforms and linear algebra, in one table."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest
import torch

from ramify import ops


def f(*shape, low=-2.0, high=2.0):
    return torch.rand(shape) * (high - low) + low


def i(*shape, low=0, high=9, dtype=torch.int32):
    return torch.randint(low, high, shape, dtype=dtype)


def spd(*shape):
    x = f(*shape, shape[-1])
    return x @ x.mT + torch.eye(shape[-1])


def pair(*shape):
    return (f(*shape), f(*shape))


def row(name, make, grad=False, symbolic=((), (0,)), tol=1e-5, **options):
    return pytest.param(name, make, grad, symbolic, tol, options, id=f"{name}-{options}".replace(" ", ""))


NONE = ((),)
ROWS = [
    # Conversion.
    *(row("cast", lambda: (f(4, 3),), dtype=dtype) for dtype in ("int32", "float16", "bool", "float64")),
    row("cast", lambda: (f(4, 3),), grad=True, dtype="float64"),
    row("cast", lambda: (i(4, 3),), dtype="float32"),
    *(row("saturate_cast", lambda: (f(4, 3, low=-400, high=400),), dtype=d) for d in ("uint8", "int8", "int16")),
    row("saturate_cast", lambda: (i(4, 3, low=-400, high=400),), dtype="uint8"),
    row("saturate_cast", lambda: (f(4, 3),), dtype="float16"),
    row("saturate_cast", lambda: (i(4, 3),), dtype="bool"),
    row("convert_to_tensor", lambda: (f(4, 3),)),
    row("convert_to_tensor", lambda: (i(4, 3),), dtype="float32"),
    # Indexing.
    row("slice", lambda: (f(4, 5), (1, 2), (2, 3)), grad=True, symbolic=((), (0,), (1,), (0, 1))),
    row("slice", lambda: (f(4, 5), torch.tensor([1, 2]), (2, 3)), symbolic=((), (0,))),
    row("slice_update", lambda: (f(4, 5), (1, 2), f(2, 3)), grad=True, symbolic=((), (0,))),
    row("slice_update", lambda: (f(4, 5), torch.tensor([1, 2]), f(2, 3))),
    row("scatter", lambda: (torch.tensor([[0], [2], [0]]), f(3), (4,)), symbolic=((), (0,)), grad=True),
    row("scatter", lambda: (torch.tensor([[0, 1], [2, 0]]), f(2, 3), (4, 2, 3)), grad=True),
    row("scatter_update", lambda: (f(4, 2), torch.tensor([[0], [2]]), f(2, 2)), grad=True),
    row("scatter_update", lambda: (i(4, 2), torch.tensor([[0, 1], [2, 0]]), i(2))),
    *(row("scatter_update", lambda: (f(4, 2), torch.tensor([[0], [2], [0]]), f(3, 2)), reduction=r)
      for r in ("add", "max", "min", "mul")),
    row("scatter_update", lambda: (f(4, 2), torch.tensor([[0, 1], [2, 0], [0, 1]]), f(3)), reduction="max"),
    row("unstack", lambda: (f(3, 2),), symbolic=((), (1,))),
    row("unstack", lambda: (f(3, 2),), axis=1, num=2),
    # Control flow.
    row("while_loop", lambda: (lambda a, n: n < 5, lambda a, n: (a * 2, n + 1), (f(4), torch.tensor(0)))),
    row("while_loop", lambda: (lambda a: a.sum() < 50, lambda a: a * 2, f(4, low=1.0)), maximum_iterations=3),
    row("fori_loop", lambda: (1, 5, lambda k, a: a * k, f(4)), grad=False),
    row("map", lambda: (lambda x: x * x + 1, f(4, 3)), symbolic=((), (0,), (1,))),
    row("map", lambda: (lambda x: (x[0] * x[1], x[0].sum()), pair(4, 3))),
    row("vectorized_map", lambda: (lambda x: x * x.sum(), f(4, 3)), symbolic=((), (0,), (1,))),
    row("vectorized_map", lambda: (lambda x: x[0] * x[1], [f(4, 3), f(4, 3)])),
    row("scan", lambda: (lambda c, x: (c + x, c * x), f(3), f(4, 3)), symbolic=((),)),
    row("scan", lambda: (lambda c, x: (c + x, c * x), f(3), f(4, 3)), symbolic=((),), reverse=True),
    row("switch", lambda: (5, [lambda x: x + 1, lambda x: x * 2], f(4, 3))),
    row("switch", lambda: (-5, [lambda x: x + 1, lambda x: x * 2], f(4, 3))),
    *(row("associative_scan", lambda: (torch.add, f(5, 4)), axis=a, reverse=r) for a in (0, 1) for r in (False, True)),
    row("associative_scan", lambda: (lambda a, b: [a[0] + b[0], a[1] * b[1]], [f(7, 2), f(7, 2)])),
    row("associative_scan", lambda: (torch.maximum, f(1, 4))),
    row("stop_gradient", lambda: (f(4, 3),)),
    # Mathematics.
    *(row(name, lambda: (f(6, 2), i(6, high=4)), symbolic=((), (0,)), num_segments=5, grad=name == "segment_sum")
      for name in ("segment_sum", "segment_max", "segment_min")),
    row("segment_prod", lambda: (f(6, 2), i(6, high=4)), num_segments=5),
    row("segment_sum", lambda: (i(6), i(6, high=4)), num_segments=4),
    row("segment_max", lambda: (f(6), torch.tensor([0, 0, 1, 1, 3, 3])), symbolic=()),
    row("top_k", lambda: (f(4, 6), 3), grad=True, symbolic=((), (0,), (1,))),
    *(row("in_top_k", lambda k=k: (i(4, high=5), f(4, 5), k)) for k in (1, 3)),
    row("logsumexp", lambda: (f(4, 3),), grad=True),
    *(row("logsumexp", lambda: (f(4, 3, 2),), grad=True, symbolic=((), (0,), (1,)), axis=a, keepdims=k)
      for a in (1, -1, (0, 2)) for k in (False, True)),
    *(row(name, lambda: (f(4, 3),), grad=True) for name in ("erf", "erfc")),
    row("erfinv", lambda: (f(4, 3, low=-0.9, high=0.9),), grad=True),
    row("rsqrt", lambda: (f(4, 3, low=0.5),), grad=True),
    row("erf", lambda: (i(4, 3),)),
    row("cdist", lambda: (f(4, 3), f(5, 3)), grad=True),
    row("extract_sequences", lambda: (f(4, 20), 5, 3), grad=True, symbolic=((), (0,), (1,))),
    row("view_as_complex", lambda: (f(4, 3, 2),), grad=True),
    row("view_as_real", lambda: (torch.complex(f(4, 3), f(4, 3)),)),
    # Fourier transforms.
    *(row(name, lambda: (pair(4, 6, 8),), grad=True, symbolic=((), (0,))) for name in ("fft", "fft2", "ifft2")),
    *(row("rfft", lambda: (f(4, 8),), grad=True, symbolic=((), (0,), (1,)), fft_length=n) for n in (None, 5, 12)),
    *(row("irfft", lambda: (pair(4, 5),), symbolic=((), (0,)), fft_length=n) for n in (None, 7, 12)),
    # Linear algebra.
    row("cholesky", lambda: (spd(4, 3),), grad=True),
    row("cholesky", lambda: (spd(4, 3),), upper=True),
    *(row("cholesky_inverse", lambda u=u: (torch.linalg.cholesky(spd(3), upper=u),), symbolic=NONE, upper=u, tol=1e-4)
      for u in (False, True)),
    *(row(name, lambda: (spd(4, 3),), grad=True, tol=1e-4) for name in ("det", "inv", "logdet")),
    row("pinv", lambda: (f(4, 5, 3),), tol=1e-4),
    row("pinv", lambda: (f(5, 3),), rcond=0.1, symbolic=NONE, tol=1e-4),
    row("lu_factor", lambda: (f(4, 3, 3),)),
    *(row("qr", lambda: (f(4, 5, 3),), mode=mode) for mode in ("reduced", "complete")),
    row("eigh", lambda: (spd(4, 3),)),
    row("svd", lambda: (f(4, 5, 3),)),
    row("svd", lambda: (f(4, 5, 3),), full_matrices=False),
    row("svd", lambda: (f(4, 5, 3),), compute_uv=False),
    row("matrix_rank", lambda: (f(4, 5, 3),)),
    row("matrix_rank", lambda: (torch.ones(4, 3, 3),)),
    row("norm", lambda: (f(4, 3),), grad=True),
    *(row("norm", lambda: (f(4, 3, 2),), grad=True, axis=a, ord=o, keepdims=k, symbolic=((), (0,)))
      for a, o in ((-1, None), (1, 1), (2, 3), (1, float("inf")), ((1, 2), "fro"), ((1, 2), 1)) for k in (False, True)),
    row("norm", lambda: (f(4, 3, 2),), axis=(1, 2), ord="nuc"),
    row("solve", lambda: (spd(4, 3), f(4, 3, 2)), grad=True, tol=1e-4),
    row("solve", lambda: (spd(3), f(3)), symbolic=NONE, tol=1e-4),
    *(row("solve_triangular", lambda: (spd(4, 3), f(4, 3, 2)), lower=low, tol=1e-4) for low in (False, True)),
    row("solve_triangular", lambda: (spd(3), f(3)), symbolic=NONE, tol=1e-4),
    *(row("lstsq", lambda s=s, b=b: (f(*s), f(*b)), symbolic=NONE, tol=1e-4)
      for s, b in (((5, 3), (5,)), ((5, 3), (5, 2)), ((2, 3), (2, 2)))),
    row("jvp", lambda: (lambda x, y: x * y + x, (f(4), f(4)), (f(4), f(4))), symbolic=()),
    row("jvp", lambda: (lambda x: (x * x, x + 1), (f(4),), (f(4),)), symbolic=(), has_aux=True),
    # Patterns.
    row("rearrange", lambda: (f(4, 6),), grad=True, symbolic=((), (0,)), pattern="a (b c) -> (c a) b", b=2),
    row("rearrange", lambda: (f(4, 3, 2),), symbolic=((), (0,), (1,)), pattern="a b c -> c (a b)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "grad", "symbolic", "tol", "options"), ROWS)
def test_the_table(against_keras, name, make, grad, symbolic, tol, options):
    against_keras(name, make(), options, grad, symbolic, tol)


WINDOWS = ["hann", "hamming", None, np.linspace(0.1, 1, 16).astype("float32")]


@pytest.mark.parametrize("window", WINDOWS, ids=["hann", "hamming", "none", "own"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("fft_length", [16, 32, 21])
def test_short_time_transforms(against_keras, window, center, fft_length):
    options = {"window": window, "center": center}
    x = f(4, 100)
    against_keras("stft", (x, 16, 5, fft_length), options, grad=True, symbolic=((), (0,), (1,)), tol=1e-4)
    parts = ops.stft(x, 16, 5, fft_length, **options)
    for length in (None, 60):
        against_keras("istft", (parts, 16, 5, fft_length, length), options, symbolic=((), (0,)), tol=1e-4)


def test_eig_gives_eigenvectors():
    x = f(4, 3, 3)
    values, vectors = ops.eig(x)
    torch.testing.assert_close(x.to(vectors.dtype) @ vectors, vectors * values.unsqueeze(-2))


NAMES = [
    name for name, value in vars(keras.ops).items() if inspect.isfunction(value) and not hasattr(keras.ops.numpy, name)
]


@pytest.mark.parametrize("name", [*NAMES, *(f"image.{name}" for name in ops.image.__all__)])
def test_signatures_are_keras_s(name):
    ours, theirs = ops, keras.ops
    for part in name.split("."):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    ours, theirs = inspect.signature(ours).parameters, inspect.signature(theirs).parameters
    assert list(ours) == list(theirs)
    for mine, other in zip(ours.values(), theirs.values(), strict=True):
        assert (mine.default, mine.kind) == (other.default, other.kind)
