"""How many zeros go before and after each axis, and how long transposed convolutions come out."""

from __future__ import annotations

from collections.abc import Sequence

Pads = tuple[tuple[int, int], ...]


def same_pads(sizes: Sequence[int], windows: Sequence[int], strides: Sequence[int]) -> Pads:
    """Zeros before and after so that a window sliding by `strides` gives ``ceil(size / stride)`` outputs.

    An odd zero goes after.

    Args:
        sizes: the input's size per axis.
        windows: how far a window reaches per axis, dilation counted.
        strides: step per axis.

    >>> same_pads((7, 8), (3, 3), (2, 2))
    ((1, 1), (0, 1))
    """
    totals = (
        max((-(-size // stride) - 1) * stride + window - size, 0)
        for size, window, stride in zip(sizes, windows, strides, strict=True)
    )
    return tuple((total // 2, total - total // 2) for total in totals)


def transposed_length(size: int, window: int, stride: int, padding: str, extra: int | None) -> int:
    """The length of a transposed convolution's output.

    Args:
        size: the input's size.
        window: how far the kernel reaches, dilation counted.
        stride: the step.
        padding: ``"valid"`` or ``"same"``.
        extra: the output padding, ``None`` to have it chosen so that a convolution would go back to `size`.

    >>> transposed_length(8, 3, 2, "same", None), transposed_length(8, 3, 2, "same", 0)
    (16, 15)
    """
    if extra is None:
        return size * stride + (max(window - stride, 0) if padding == "valid" else 0)
    return (size - 1) * stride + window - (2 * (window // 2) if padding == "same" else 0) + extra


def transposed_pads(window: int, stride: int, padding: str, extra: int | None) -> tuple[int, int, int]:
    """The padding to ask of torch's kernel, and how many zeros to put after, and how much to cut off, what comes.

    >>> transposed_pads(3, 2, "same", None), transposed_pads(2, 3, "valid", None)
    ((0, 0, 1), (0, 1, 0))
    """
    surplus = window - transposed_length(1, window, stride, padding, extra)
    before = max(surplus, 0) // 2 if padding == "same" else 0
    missing = 2 * before - surplus
    return before, max(missing, 0), max(-missing, 0)
