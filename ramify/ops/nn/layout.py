"""Between the layouts of images here and the one that torch's kernels take; views in both directions."""

from __future__ import annotations

import torch

from ramify.errors import ShapeError
from ramify.image_format import checked_data_format

Tensor = torch.Tensor


def to_front(x: Tensor, data_format: str | None, who: str) -> tuple[Tensor, int, bool]:
    """An image as ``(batch, channels, ...)``.

    Sequences become images of height 1: torch's two-dimensional kernels read channels-last memory as it is, the
    one-dimensional ones copy it.

    Args:
        x: sequences, images or volumes with a batch axis and one of channels.
        data_format: ``"channels_last"``, ``"channels_first"`` or ``None``, the global setting.
        who: the operation, for messages.

    Returns:
        ``(view, number of spatial axes, whether the channels came last)``.

    Raises:
        ShapeError: not one to three spatial axes.
    """
    rank, last = x.ndim - 2, checked_data_format(data_format, who) == "channels_last"
    if not 1 <= rank <= 3:
        raise ShapeError(f"{who} takes a batch of sequences, images or volumes, but received shape {tuple(x.shape)}.")
    if rank == 1:
        x = x.unsqueeze(1 if last else 2)
    return (x.movedim(-1, 1) if last else x), rank, last


def from_front(x: Tensor, rank: int, last: bool) -> Tensor:
    """What torch's kernel returned, in the layout that came."""
    if last:
        x = x.movedim(1, -1)
    return x.squeeze(1 if last else 2) if rank == 1 else x


def lifted(values: tuple[int, ...], one: int = 1) -> tuple[int, ...]:
    """Sizes per axis, with one for the height that a sequence gets."""
    return (one, *values) if len(values) == 1 else values
