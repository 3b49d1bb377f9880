"""One way to write each function that passes look for: ``x.permute(0, 2, 1)`` and ``torch.permute(x, (0, 2, 1))``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
_T = torch.Tensor

RENAMED: dict[Any, Callable[..., Any]] = {
    _T.add: torch.add, _T.__add__: torch.add, _T.__radd__: torch.add,
    _T.mul: torch.mul, _T.__mul__: torch.mul, _T.__rmul__: torch.mul,
    _T.sub: torch.sub, _T.__sub__: torch.sub, _T.div: torch.div, _T.__truediv__: torch.div,
    _T.maximum: torch.maximum, _T.minimum: torch.minimum,
    _T.relu: torch.relu, _T.sigmoid: torch.sigmoid, _T.tanh: torch.tanh, _T.exp: torch.exp, _T.abs: torch.abs,
    _T.neg: torch.neg, _T.__neg__: torch.neg, _T.square: torch.square, _T.sqrt: torch.sqrt, _T.rsqrt: torch.rsqrt,
    F.sigmoid: torch.sigmoid, F.tanh: torch.tanh,
    _T.mean: torch.mean, _T.sum: torch.sum, _T.amax: torch.amax,
    _T.matmul: torch.matmul, _T.__matmul__: torch.matmul, _T.view: torch.reshape, _T.reshape: torch.reshape,
    _T.softmax: torch.softmax, _T.t: torch.t, _T.transpose: torch.transpose, _T.unsqueeze: torch.unsqueeze,
    _T.flatten: torch.flatten, _T.squeeze: torch.squeeze,
}  # fmt: skip
"""Functions that take the same arguments under another name."""

SYMMETRIC = {torch.add, torch.mul}


def canonical(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """The call as passes expect it; unchanged where there is no agreed form.

    >>> x = torch.ones(2, 3)
    >>> canonical(torch.Tensor.permute, (x, 1, 0), {})[0] is torch.permute
    True
    """
    special = _SPECIAL.get(func)
    if special is not None:
        return special(func, args, kwargs)
    found = RENAMED.get(func, func)
    if found is torch.reshape:
        return _sizes(found, args, kwargs)
    return found, args, kwargs


def _sizes(func: Any, args: Any, kwargs: Any) -> Call:
    """Sizes one by one, or as one tuple: as one tuple."""
    if kwargs or len(args) < 2 or isinstance(args[1], torch.dtype):
        return _T.view if isinstance(args[-1], torch.dtype) else func, args, kwargs
    return func, (args[0], tuple(args[1] if len(args) == 2 and not isinstance(args[1], int) else args[1:])), {}


def _permute(_: Any, args: Any, kwargs: Any) -> Call:
    dims = kwargs.get("dims", args[1] if len(args) == 2 and not isinstance(args[1], int) else args[1:])
    return torch.permute, (args[0], tuple(d % len(dims) for d in dims)), {}


def _embedding(func: Any, args: Any, kwargs: Any) -> Call:
    if kwargs or len(args) != 2:
        return func, args, kwargs
    return torch.embedding, (args[1], args[0]), {}


def _pad(func: Any, args: Any, kwargs: Any) -> Call:
    given = dict(zip(("input", "pad", "mode", "value"), args, strict=False)) | kwargs
    if given.get("mode", "constant") != "constant":
        return func, args, kwargs
    return torch.constant_pad_nd, (given["input"], tuple(given["pad"]), given.get("value") or 0), {}


def _unflatten(func: Any, args: Any, kwargs: Any) -> Call:
    x = args[0]
    if kwargs or not isinstance(args[1], int):
        return func, args, kwargs
    axis = args[1] % x.ndim
    sizes = list(args[2])
    if -1 in sizes:
        return func, args, kwargs
    return torch.reshape, (x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :])), {}


def _relu(func: Any, args: Any, kwargs: Any) -> Call:
    return (
        (torch.relu, args[:1], {}) if args and not any(args[1:]) and not any(kwargs.values()) else (func, args, kwargs)
    )


_SPECIAL: dict[Any, Callable[..., Call]] = {
    _T.permute: _permute, torch.permute: _permute, F.embedding: _embedding, F.pad: _pad,
    _T.unflatten: _unflatten, F.relu: _relu,
}  # fmt: skip
