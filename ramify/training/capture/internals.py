"""The parts of torch without a public name that recording and replaying need, in one place."""

from __future__ import annotations

from typing import Any

import torch

HOMES: tuple[Any, ...] = (torch._C.TensorBase, torch._C._VariableFunctions, torch._C._nn)  # noqa: SLF001 - as above
"""Where torch keeps the functions that it generated for Python."""

below_autograd = torch._C._AutoDispatchBelowAutograd  # noqa: SLF001 - as above
"""A context in which operations skip autograd's kernels, as they do within those."""

set_grad_enabled = torch._C._set_grad_enabled  # noqa: SLF001 - the public one is a context of ten times the cost


def schema_of(func: Any) -> Any:
    """The schema of an overload: name, arguments, which of these it writes to."""
    return func._schema  # noqa: SLF001 - torch's own tools read it, too


def overload_of(func: Any) -> str:
    """The name of an overload, such as ``"Tensor"``."""
    name: str = func._overloadname  # noqa: SLF001 - as above
    return name


def memory_of(tensor: torch.Tensor) -> int:
    """A number that tensors on the same memory share while they live."""
    number: int = tensor.untyped_storage()._cdata  # noqa: SLF001 - a data pointer would not do: it is 0 without data
    return number


def lean(func: Any) -> Any:
    """What an overload calls, without the method in Python before it (a fifth of the time of a small operation)."""
    return func._op  # noqa: SLF001 - as above
