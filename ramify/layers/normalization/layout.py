"""How torch's normalization kernels get to see an input: their channels are on axis 1, ours mostly on the last one."""

from __future__ import annotations

import torch

from ramify.errors import ShapeError


class ChannelView:
    """Views of tensors of one rank with the channels on axis 1, and back.

    A contiguous tensor with its channels last becomes a tensor in torch's channels-last memory format, for which there
    are kernels; nothing is copied. Other ranks go through rank 4, since only that one has such kernels everywhere.

    Args:
        rank: number of axes.
        axis: the axis of the channels.
    """

    def __init__(self, rank: int, axis: int) -> None:
        self.axis = axis % rank
        self.last = self.axis == rank - 1 and rank > 2
        self.image = self.last and rank == 4

    def enter(self, x: torch.Tensor) -> torch.Tensor:
        """The view for the kernel."""
        if self.last:
            if self.image:
                return x.permute(0, 3, 1, 2)
            return x.reshape(x.shape[0], 1, -1, x.shape[-1]).permute(0, 3, 1, 2)
        return x if self.axis == 1 else x.movedim(self.axis, 1)

    def leave(self, y: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """The kernel's result in the axes of the input `like`."""
        if self.last:
            y = y.permute(0, 2, 3, 1)
            return y if self.image else y.reshape(like.shape)
        return y if self.axis == 1 else y.movedim(1, self.axis)


def checked_axis(axis: int, shape: tuple[int | None, ...], who: str) -> int:
    """The size along an axis.

    Raises:
        ShapeError: there is no such axis, it is the batch's, or its size is unknown.
    """
    rank = len(shape)
    if not -rank <= axis < rank or axis % rank == 0:
        kind = "the batch's" if -rank <= axis < rank else "not there"
        raise ShapeError(
            f"{who} normalizes along axis {axis}, which is {kind} in an input of shape {shape}. "
            f"Use an axis from 1 to {rank - 1}, or -1 for the last one."
        )
    size = shape[axis]
    if size is None:
        raise ShapeError(
            f"{who} has weights for every position along axis {axis}, but its size is unknown in an input of shape "
            f"{shape}. Give it in `Input(shape=...)`."
        )
    return size


class TrailingView:
    """Views of tensors with the normalized axes at the end, and back."""

    def __init__(self, rank: int, axes: list[int]) -> None:
        self.axes = sorted(axis % rank for axis in axes)
        self.ends = list(range(rank - len(self.axes), rank))
        self.moves = self.axes != self.ends

    def enter(self, x: torch.Tensor) -> torch.Tensor:
        """The view for the kernel."""
        return x.movedim(self.axes, self.ends) if self.moves else x

    def leave(self, y: torch.Tensor) -> torch.Tensor:
        """The kernel's result in the axes of the input."""
        return y.movedim(self.ends, self.axes) if self.moves else y


def axis_list(axis: int | list[int] | tuple[int, ...]) -> list[int]:
    """One axis or several, as a list."""
    return [axis] if isinstance(axis, int) else list(axis)
