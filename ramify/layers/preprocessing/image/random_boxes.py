"""Random rectangles as masks."""

from __future__ import annotations

import torch

from ramify.layers.preprocessing.image.draws import Draws

Tensor = torch.Tensor


def rectangles(draws: Draws, rows: Tensor, columns: Tensor, height: int, width: int) -> Tensor:
    """A rectangle for each image, whole and at a random place.

    Args:
        draws: where the place comes from.
        rows: height of each rectangle as a share of the image's, ``(batch,)``.
        columns: width of each rectangle as a share of the image's, ``(batch,)``.
        height: of the images.
        width: of the images.

    Returns:
        ``(batch, height, width)``, true within.
    """
    ranges = []
    for share, size in ((rows, height), (columns, width)):
        length = (share * size).round()
        first = ((size - length + 1) * draws.uniform((draws.count,))).floor()
        place = torch.arange(size, device=share.device)
        ranges.append((place >= first[:, None]) & (place < (first + length)[:, None]))
    return ranges[0][:, :, None] & ranges[1][:, None, :]
