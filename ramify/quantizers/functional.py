"""Numbers in fewer bits: the formulas, on tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError

Tensor = torch.Tensor


def abs_max_quantize(
    inputs: Any,
    axis: int | Sequence[int],
    value_range: tuple[int, int] = (-127, 127),
    dtype: str = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor]:
    """Whole numbers that stand for reals: ``round(x * scale)``, with the largest absolute value at the range's end.

    Args:
        inputs: floating tensor of any shape.
        axis: the axes that share one scale.
        value_range: the smallest and the largest whole number.
        dtype: of the whole numbers.
        epsilon: keeps the scale finite where all numbers are 0.
        to_numpy: compute on the CPU, which spares the device's memory.

    Returns:
        The whole numbers, of the input's shape, and ``scale = value_range[1] / max(abs(inputs))``, with size 1 along
        `axis`: ``numbers / scale`` is near the input.

    Example:

    >>> numbers, scale = abs_max_quantize(torch.tensor([[0.5, -1.0]]), axis=-1)
    >>> numbers, scale
    (tensor([[  63, -127]], dtype=torch.int8), tensor([[127.0000]]))
    """
    x = torch.as_tensor(inputs)
    x = x.detach().cpu() if to_numpy else x
    low, high = value_range
    axes = axis if isinstance(axis, int) else tuple(axis)
    scale = high / (x.abs().amax(axes, keepdim=True) + epsilon)
    return (x * scale).round().clamp(low, high).to(dtypes.to_torch(dtype)), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any,
    block_size: int,
    value_range: tuple[int, int] = (-8, 7),
    dtype: str = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Whole numbers for a matrix, with a scale and a zero point for every column of every group of rows.

    Args:
        inputs: floating matrix of shape ``(rows, columns)``.
        block_size: rows in a group; the last group may have fewer.
        value_range: the smallest and the largest whole number.
        dtype: of the whole numbers.
        epsilon: keeps
        to_numpy: compute on the CPU.

    Returns:
        The whole numbers, of the input's shape; scales and whole zero points, of shape ``(groups, columns)``:
        ``(numbers - zero) * scale``, each by the group of its row, is near the input.

    Raises:
        ShapeError: the input is no matrix.

    Example:

    >>> numbers, scale, zero = abs_max_quantize_grouped_with_zero_point(torch.arange(8.0).reshape(4, 2), block_size=2)
    >>> scale.shape, ((numbers - zero[[0, 0, 1, 1]]) * scale[[0, 0, 1, 1]]).round()[0]
    (torch.Size([2, 2]), tensor([0., 1.]))
    """
    x = torch.as_tensor(inputs)
    if x.ndim != 2:
        raise ShapeError(f"Groups of rows need a matrix, but received shape {tuple(x.shape)}. Reshape it to 2 axes.")
    x = x.detach().cpu() if to_numpy else x
    low, high = value_range
    kind = dtypes.to_torch(dtype)
    block_size = min(block_size, x.shape[0])
    groups = -(-x.shape[0] // block_size)
    padded = torch.nn.functional.pad(x, (0, 0, 0, groups * block_size - x.shape[0]))
    blocks = padded.reshape(groups, block_size, x.shape[1])
    least, most = blocks.amin(1), blocks.amax(1)
    flat = (least == most).to(x.dtype)
    least, most = least - flat, most + flat
    scale = (most - least + epsilon) / (high - low)
    zero = (low - least / scale).round().clamp(low, high)
    numbers = ((blocks / scale[:, None]).round() + zero[:, None]).clamp(low, high)
    numbers = numbers.reshape(padded.shape)[: x.shape[0]].to(kind)
    return numbers, scale, zero.to(kind)


def quantize_and_dequantize(inputs: Tensor, scale: Tensor, quantized_dtype: Any, compute_dtype: Any) -> Tensor:
    """What is left of numbers after a way through a dtype of 8-bit floats: ``float8(x / scale) * scale``.

    Args:
        inputs: floating tensor.
        scale: scalar tensor.
        quantized_dtype: such as ``"float8_e4m3fn"``; larger numbers become its largest.
        compute_dtype: dtype of the result.

    Example:

    >>> quantize_and_dequantize(torch.tensor([0.1, 30.0]), torch.tensor(1.0), "float8_e4m3fn", "float32")
    tensor([ 0.1016, 30.0000])
    """
    kind = _float8(quantized_dtype)
    compute = dtypes.to_torch(compute_dtype)
    most = torch.finfo(kind).max
    scaled = (inputs / scale.to(inputs.dtype)).clamp(-most, most)
    return scaled.to(kind).to(compute) * scale.to(compute)


def _float8(kind: Any) -> torch.dtype:
    found = kind if isinstance(kind, torch.dtype) else getattr(torch, str(kind), None)
    if not isinstance(found, torch.dtype) or not str(found).startswith("torch.float8"):
        raise ArgumentError(f"{kind!r} is no dtype of 8-bit floats. Use 'float8_e4m3fn' or 'float8_e5m2'.")
    return found


def compute_float8_scale(amax: Tensor, scale: Tensor, dtype_max: float, margin: int = 0) -> Tensor:
    """The factor that brings the largest absolute value to the largest 8-bit float.

    Args:
        amax: largest absolute value seen, a scalar.
        scale: the factor to keep where `amax` is 0 or not finite.
        dtype_max: the largest number of the dtype.
        margin: bits of room above.

    Example:

    >>> compute_float8_scale(torch.tensor(896.0), torch.tensor(1.0), 448.0)
    tensor(2.)
    """
    wanted = amax * (2.0**margin) / dtype_max
    return torch.where((amax > 0) & torch.isfinite(amax), wanted, scale)


def compute_float8_amax_history(x: Tensor, amax_history: Tensor) -> Tensor:
    """The history of largest absolute values, with that of `x` at its start and the oldest gone.

    Example:

    >>> compute_float8_amax_history(torch.tensor([1.0, -4.0]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([4., 3., 1.])
    """
    rolled = amax_history.roll(-1)
    return torch.cat([x.abs().amax().to(rolled.dtype).reshape(1), rolled[1:]])


class _FakeQuant(torch.autograd.Function):
    """Rounded forward; backward, gradients pass where nothing was clipped, and go to the limits where it was."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: Tensor, high: Tensor, levels: tuple[int, int], axis: int | None) -> Tensor:
        shape = [1] * x.ndim
        if axis is not None:
            shape[axis] = -1
        least, most = low.reshape(shape), high.reshape(shape)
        scale = (most - least) / (levels[1] - levels[0])
        zero = (levels[0] - least / scale).round().clamp(*levels)
        bottom, top = (levels[0] - zero) * scale, (levels[1] - zero) * scale
        ctx.save_for_backward(x < bottom, x > top)
        ctx.axis, ctx.shapes = axis, (low.shape, high.shape)
        clipped = torch.minimum(torch.maximum(x, bottom), top)
        return ((clipped - bottom) / scale + 0.5).floor() * scale + bottom

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        below, above = ctx.saved_tensors

        def limit(where: Tensor, shape: torch.Size) -> Tensor:
            part = torch.where(where, gradient, 0)
            axes = [i for i in range(part.ndim) if ctx.axis is None or i != ctx.axis % part.ndim]
            return (part.sum(axes) if axes else part).reshape(shape)

        inside = torch.where(below | above, 0, gradient)
        return inside, limit(below, ctx.shapes[0]), limit(above, ctx.shapes[1]), None, None


def fake_quant_with_min_max_vars(
    inputs: Any, min_vals: Any, max_vals: Any, num_bits: int = 8, narrow_range: bool = False, axis: int | None = None
) -> Tensor:
    """Numbers as they would be after quantization, still as floats, so that training can see what it will cost.

    The limits are moved a little, so that 0 is among the levels (Jacob et al., 2018). They may be trained: a number
    that was clipped passes its gradient to the limit.

    Args:
        inputs: floating tensor.
        min_vals: smallest number, a scalar; or one for each place along `axis`.
        max_vals: largest number, likewise.
        num_bits: levels are ``2 ** num_bits``; 1 fewer in a narrow range.
        narrow_range: whether the lowest level is left out.
        axis: the axis along which limits differ.

    Example:

    >>> fake_quant_with_min_max_vars(torch.tensor([-2.0, 0.1, 0.9]), -1.0, 1.0, num_bits=3, narrow_range=True)
    tensor([-1.,  0.,  1.])
    """
    x = torch.as_tensor(inputs)
    low, high = (torch.as_tensor(v, dtype=x.dtype, device=x.device) for v in (min_vals, max_vals))
    levels = (1 if narrow_range else 0, 2**num_bits - 1)
    result: Tensor = _FakeQuant.apply(x, low, high, levels, axis)
    return result
