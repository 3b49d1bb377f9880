"""The kernel in the order that channels-last convolution kernels read it in.

Weights have Keras's shape ``(k..., in, out)``; what reads them asks for ``(out, k..., in)`` in memory. A view has the
right shape but not the order, and torch puts it in order by a slow copy, once forward and once backward. Measured on a
core (3x3, batch of one, milliseconds; the view / a plain transposition before / a copy that was kept): 512 channels 7x7
14.7 / 10.3 / 5.0, 256 channels 8x8 2.45 / 1.43 / 1.04, 64 channels 8x8 0.10 / 0.11 / 0.07. So large kernels are
transposed first; and where no gradient is wanted and the image is small, the transposed copy is kept.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from ramify.variables import Parameter

LARGE = 2**16  # values in a kernel from which on transposing first pays
_SMALLEST = 2**11  # values in a kernel from which on a kept copy pays
_POSITIONS = 2**12  # most pixels in a batch for which it does


def packed(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel ``(k..., in, out)`` as ``(out, in, k...)``, channels last in memory.

    One two-dimensional transposition does it, which torch does blockwise; differentiable.
    """
    *spatial, size, out = kernel.shape
    rank = len(spatial)
    matrix = kernel.reshape(-1, out)
    rows = _Transposed.apply(matrix) if torch.is_grad_enabled() else matrix.t().contiguous()
    return rows.view(out, *spatial, size).permute(0, rank + 1, *range(1, rank + 1))


class _Transposed(torch.autograd.Function):
    """A transposed copy of a matrix, whose gradient is a copy as well.

    As a view it would be copied into the order of the weight the slow way. Measured for 512 channels, a step takes 1.16
    times as long as `nn.Conv2d` with the view, 1.09 times with the copy.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(matrix: torch.Tensor) -> torch.Tensor:
        return matrix.t().contiguous()

    @staticmethod
    def setup_context(*_: Any) -> None:
        """Nothing to remember."""

    @staticmethod
    def backward(_: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient.t().contiguous()


class KeptCopy:
    """A packed copy of one weight, for inference on the CPU, thrown away as soon as the weight is another.

    torch counts every change of a tensor in `_version` (optimizers, `assign`, `load_state_dict`), and another memory
    means another weight. What escapes the count (``weight.data``, NumPy arrays on the same memory, other processes) is
    looked for in a sample that meets every filter and every input channel.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: tuple[Any, ...] | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Copies and files of a layer begin without."""
        return KeptCopy, ()

    def clear(self) -> None:
        """Free the memory."""
        self._kept = None

    def of(self, weight: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor | None:
        """The packed copy, or ``None`` where keeping one is not safe or does not pay.

        Args:
            weight: kernel ``(k..., in, out)``.
            inputs: what it will be convolved with.
        """
        if torch.is_grad_enabled() or type(weight) is not Parameter or weight.numel() < _SMALLEST:
            return None
        if not inputs.is_cpu or inputs.numel() > _POSITIONS * weight.shape[-2] or _is_recording():
            return None
        kept = self._kept
        if kept is not None:
            version, address, sample, expected, copy = kept
            if weight.data_ptr() == address and _version(weight) == version and torch.equal(sample, expected):
                found: torch.Tensor = copy
                return found
        return self._keep(weight) if weight.is_cpu and not weight.is_inference() else None

    def _keep(self, weight: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(False), torch.no_grad():
            # The sample is a view: it keeps the memory alive, so that its address cannot become another weight's.
            sample = weight.detach().reshape(-1)[:: _stride(weight.numel() // weight.shape[-1], weight.shape[-1])]
            expected, version = sample.clone(), _version(weight)
            copy = packed(weight.detach())
        self._kept = (version, weight.data_ptr(), sample, expected, copy)
        return copy


def _version(weight: torch.Tensor) -> int:
    return weight._version  # noqa: SLF001 - the only count of changes there is


def _is_recording() -> bool:
    """Whether what runs is being written down (compiled, traced), so that a copy would become a constant."""
    watched = torch._C._len_torch_function_stack() > 0  # noqa: SLF001 - what TorchFunctionMode itself counts by
    return watched or torch.compiler.is_compiling() or is_in_torch_dispatch_mode() or torch.jit.is_tracing()


def _stride(rows: int, columns: int) -> int:
    """The step through a matrix, row by row, that comes by every row and every column.

    >>> _stride(9, 4), _stride(4, 9)
    (3, 4)
    """
    step = max(min(rows, columns - 1), 1)
    while math.gcd(step, columns) > 1:
        step -= 1
    return step
