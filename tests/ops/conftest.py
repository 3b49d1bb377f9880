"""One check for every operation: values, dtypes and gradients are Keras's, and a symbolic call is the same call."""

from __future__ import annotations

import warnings
from functools import reduce

import keras
import pytest
import torch

import ramify
from ramify.graph import Graph, is_symbolic, lower


def _leaves(value):
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def _mapped(function, value):
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(function, item) for item in value)
    return function(value)


def _tensors(value):
    return [leaf for leaf in _leaves(value) if isinstance(leaf, torch.Tensor)]


def _find(module, path):
    return reduce(getattr, path.split("."), module)


def _gradients(function, args, options):
    copies = _mapped(
        lambda a: a.clone().requires_grad_() if isinstance(a, torch.Tensor) and a.is_floating_point() else a, args
    )
    total = 0
    for out in _leaves(function(*copies, **options)):
        if isinstance(out, torch.Tensor) and out.requires_grad:
            real = torch.view_as_real(out) if out.is_complex() else out
            total = total + (real * torch.linspace(1, 2, real.numel(), dtype=real.dtype).reshape(real.shape)).sum()
    total.backward()
    return [a.grad for a in _tensors(copies) if a.is_floating_point()]


def _check_real(name, args, options, grad, tol, expected=None):
    ours = _find(ramify.ops, name)
    real = _leaves(ours(*args, **options))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _find(keras.ops, name)
        copies = _mapped(lambda a: a.clone() if isinstance(a, torch.Tensor) else a, args)  # some change theirs
        wanted = _leaves(theirs(*copies, **options)) if expected is None else _leaves(expected)
        assert len(real) == len(wanted)
        for a, e in zip(real, wanted, strict=True):
            torch.testing.assert_close(a, torch.as_tensor(e).detach(), rtol=tol, atol=tol, equal_nan=True)
        if grad:
            pairs = zip(_gradients(ours, args, options), _gradients(theirs, args, options), strict=True)
            for a, e in pairs:
                torch.testing.assert_close(a, e, rtol=10 * tol, atol=10 * tol)
    return real


def _check_symbolic(name, args, options, real, unknown, tol):
    """With sizes unknown along some axes of the first tensor (and the batch of the others), nothing else changes."""
    ours, inputs = _find(ramify.ops, name), []
    batch = _tensors(args)[0].shape[:1]

    def to_input(leaf):
        if not isinstance(leaf, torch.Tensor) or leaf.ndim == 0:
            return leaf
        hidden = unknown if not inputs else (0,) if 0 in unknown and leaf.shape[:1] == batch else ()
        shape = tuple(None if axis in hidden else size for axis, size in enumerate(leaf.shape))
        inputs.append((ramify.Input(batch_shape=shape, dtype=leaf.dtype), leaf))
        return inputs[-1][0]

    outputs = _leaves(ours(*_mapped(to_input, args), **options))
    for made, got in zip(outputs, real, strict=True):
        assert is_symbolic(made)
        assert made.dtype == got.dtype
        assert len(made.shape) == got.ndim
        assert all(size in (None, actual) for size, actual in zip(made.shape, got.shape, strict=True))
        assert unknown or made.shape == tuple(got.shape)
    run = lower(Graph([made for made, _ in inputs], outputs))(*[value for _, value in inputs])
    for a, e in zip(_leaves(run), real, strict=True):
        torch.testing.assert_close(a, e, rtol=tol, atol=tol, equal_nan=True)


@pytest.fixture
def against_keras():
    """``check(name, args, options, grad=, symbolic=, tol=, expected=)``; `symbolic` lists the axes to hide in turn."""

    def check(name, args, options=None, grad=False, symbolic=((), (0,)), tol=1e-5, expected=None):
        options = options or {}
        real = _check_real(name, args, options, grad, tol, expected)
        for unknown in symbolic:
            _check_symbolic(name, args, options, real, unknown, tol)

    return check
