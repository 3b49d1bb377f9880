"""Class numbers as vectors, complex numbers of length and angle, and blocks of pixels moved into channels and back."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError
from ramify.image_format import checked_data_format
from ramify.ops.convert import floating, like
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = ["depth_to_space", "fold", "multi_hot", "one_hot", "polar", "space_to_depth", "unfold"]


def _refuse_sparse(sparse: bool, who: str) -> None:
    if sparse:
        raise ArgumentError(f"{who} makes dense tensors only. Leave `sparse` out.")


@op
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """A one at the place of each class, zeros elsewhere; all zeros for what is no class.

    Args:
        x: whole numbers of any shape.
        num_classes: how many classes there are.
        axis: where the new axis goes.
        dtype: of the result; `floatx` when not given.
        sparse: only ``False``.

    Returns:
        A tensor with one axis more, of size `num_classes`.

    >>> one_hot(torch.tensor([1, -1]), 3)
    tensor([[0., 1., 0.],
            [0., 0., 0.]])
    """
    _refuse_sparse(sparse, "one_hot")
    x = to_tensor(x)
    wanted = dtypes.to_torch(dtype)
    hot = (x.long().unsqueeze(-1) == torch.arange(num_classes, device=x.device)).to(wanted)
    return hot if axis in {-1, x.ndim} else hot.movedim(-1, axis)


@op
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Tensor:
    """A one at the place of every class that a sample has, zeros elsewhere.

    Args:
        inputs: whole numbers of shape ``(..., count)``; what is no class counts nowhere.
        num_classes: how many classes there are.
        axis: where the axis of the classes goes.
        dtype: of the result; `floatx` when not given.
        sparse: only ``False``.
        **kwargs: ``num_tokens``, the former name of `num_classes`.

    Returns:
        A tensor of the shape of `inputs`, with the classes in place of axis 1 (of axis 0 where there is but one).

    >>> multi_hot(torch.tensor([[1, 2, 2]]), 4)
    tensor([[0., 1., 1., 0.]])
    """
    _refuse_sparse(sparse, "multi_hot")
    count = kwargs.pop("num_tokens", num_classes)
    if count is None or kwargs:
        raise ArgumentError(f"multi_hot needs num_classes and takes no further arguments, but got {sorted(kwargs)}.")
    x = to_tensor(inputs)
    hot: Tensor = one_hot(x, count, axis=axis, dtype=dtype)
    return hot.amax(1 if x.ndim > 1 else 0)


@op
def polar(abs_: Any, angle: Any) -> Tensor:
    """Complex numbers of length and angle.

    Args:
        abs_: lengths, float tensor of any shape.
        angle: angles in radians.

    Returns:
        A complex tensor.

    >>> polar(torch.tensor([2.0]), torch.tensor([0.0]))
    tensor([2.+0.j])
    """
    length, turn = (floating(part) for part in like(abs_, angle))
    return torch.complex(length * torch.cos(turn), length * torch.sin(turn))


def _is_last(x: Tensor, data_format: str, who: str) -> bool:
    if x.ndim != 4:
        raise ShapeError(f"{who} takes a batch of images, but received shape {tuple(x.shape)}.")
    return checked_data_format(data_format, who) == "channels_last"


@op
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Channels spread out over blocks of pixels.

    With channels last, the channels of a block's first pixel come first; with channels first, those of the first
    channel of the result do, as in `torch.nn.PixelShuffle`.

    Args:
        x: images of shape ``(batch, height, width, channels)``.
        block_size: side of a block; its square divides the channels.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        A tensor of shape ``(batch, height * block_size, width * block_size, channels / block_size**2)``.

    >>> depth_to_space(torch.arange(4).reshape(1, 1, 1, 4), 2)[0, :, :, 0]
    tensor([[0, 1],
            [2, 3]])
    """
    x = to_tensor(x)
    last = _is_last(x, data_format, "depth_to_space")
    channels = x.shape[-1 if last else 1]
    if channels % block_size**2:
        raise ShapeError(f"depth_to_space needs channels that {block_size}**2 divides, but received {channels}.")
    if not last:
        return F.pixel_shuffle(x, block_size)
    batch, height, width, _ = x.shape
    blocks = x.reshape(batch, height, width, block_size, block_size, channels // block_size**2)
    return blocks.transpose(2, 3).reshape(batch, height * block_size, width * block_size, channels // block_size**2)


@op
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """The inverse of `depth_to_space`.

    Args:
        x: images of shape ``(batch, height, width, channels)``.
        block_size: side of a block; it divides both sides of the image.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        A tensor of shape ``(batch, height / block_size, width / block_size, channels * block_size**2)``.

    >>> space_to_depth(torch.arange(4).reshape(1, 2, 2, 1), 2).flatten()
    tensor([0, 1, 2, 3])
    """
    x = to_tensor(x)
    last = _is_last(x, data_format, "space_to_depth")
    height, width = x.shape[1:3] if last else x.shape[2:]
    if height % block_size or width % block_size:
        raise ShapeError(f"space_to_depth needs sides that {block_size} divides, but received {height} x {width}.")
    if not last:
        return F.pixel_unshuffle(x, block_size)
    batch, channels, rows, columns = x.shape[0], x.shape[3], height // block_size, width // block_size
    blocks = x.reshape(batch, rows, block_size, columns, block_size, channels)
    return blocks.transpose(2, 3).reshape(batch, rows, columns, channels * block_size**2)


@op
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The windows of an image as columns, as `torch.nn.Unfold`.

    Args:
        x: images of shape ``(batch, channels, height, width)``.
        kernel_size: height and width of the window, or one number.
        dilation: distance between its taps.
        padding: zeros on both sides.
        stride: how far the window moves.

    Returns:
        A tensor of shape ``(batch, channels * window, windows)``.

    >>> unfold(torch.ones(1, 2, 4, 5), 2).shape
    torch.Size([1, 8, 12])
    """
    return F.unfold(to_tensor(x), kernel_size, dilation, padding, stride)


@op
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Columns added up as the windows of an image, as `torch.nn.Fold`; the other arguments as in `unfold`.

    Args:
        x: tensor of shape ``(batch, channels * window, windows)``.
        output_size: height and width of the image.
        kernel_size: height and width of the window, or one number.
        dilation: distance between its taps.
        padding: zeros on both sides.
        stride: how far the window moves.

    Returns:
        A tensor of shape ``(batch, channels, height, width)``.

    >>> fold(torch.ones(1, 4, 4), (4, 4), 2, stride=2).shape
    torch.Size([1, 1, 4, 4])
    """
    return F.fold(to_tensor(x), output_size, kernel_size, dilation, padding, stride)
