"""Which axis holds an image's channels, and sizes that are given once or per axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ramify.errors import ArgumentError

_default = {"image_data_format": "channels_last"}


def image_data_format() -> str:
    """The layout that layers take images in unless told otherwise, ``"channels_last"`` unless it was set."""
    return _default["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the layout that layers take images in unless told otherwise.

    Args:
        data_format: ``"channels_last"`` (batch, height, width, channels) or ``"channels_first"``.

    Raises:
        ArgumentError: anything else.
    """
    _default["image_data_format"] = checked_data_format(data_format, "set_image_data_format")


def checked_data_format(data_format: Any, who: str) -> str:
    """The layout, the default for ``None``.

    >>> checked_data_format("Channels_First", "Conv2D")
    'channels_first'
    """
    known = ("channels_last", "channels_first")
    chosen = _default["image_data_format"] if data_format is None else str(data_format).lower()
    if chosen not in known:
        raise ArgumentError(f"{who} takes data_format='channels_last' or 'channels_first', but got {data_format!r}.")
    return chosen


def per_axis(value: int | Sequence[int], rank: int, what: str, *, least: int = 1) -> tuple[int, ...]:
    """One whole number per spatial axis.

    Args:
        value: a number for all axes, or a sequence with one for each.
        rank: how many axes there are.
        what: layer and argument, for the message.
        least: the smallest number allowed.

    Raises:
        ArgumentError: the wrong count, or numbers that are too small or not whole.

    >>> per_axis(3, 2, "Conv2D: kernel_size")
    (3, 3)
    """
    try:
        given = (value,) * rank if isinstance(value, int) else tuple(value)
        sizes = tuple(int(size) for size in given)
    except (TypeError, ValueError):
        given = sizes = ()
    if len(sizes) != rank or sizes != given or min(sizes, default=least) < least:
        several = f" or {rank} of them" if rank > 1 else ""
        raise ArgumentError(f"{what} takes a whole number from {least} up{several}, but got {value!r}.")
    return sizes


def checked_choice(value: Any, choices: Sequence[str], what: str) -> str:
    """The choice in lower case.

    Raises:
        ArgumentError: it is none of `choices`.
    """
    chosen = str(value).lower()
    if chosen not in choices:
        raise ArgumentError(f"{what} is one of {', '.join(map(repr, choices))}, but got {value!r}.")
    return chosen


def pairs_per_axis(value: Any, rank: int, what: str) -> tuple[tuple[int, int], ...]:
    """A pair (before, after) per spatial axis.

    Args:
        value: a number for everything; or, per axis, a number for both sides or a pair. For one axis the pair alone.
        rank: how many axes there are.
        what: layer and argument, for the message.

    Raises:
        ArgumentError: the wrong count, or numbers that are negative or not whole.

    >>> pairs_per_axis((1, (0, 2)), 2, "ZeroPadding2D: padding")
    ((1, 1), (0, 2))
    """
    if rank == 1:
        before, after = per_axis(value, 2, what, least=0)
        return ((before, after),)
    axes = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(axes) != rank:
        raise ArgumentError(f"{what} takes one entry for each of {rank} axes, but got {value!r}.")
    pairs = (per_axis(axis, 2, what, least=0) for axis in axes)
    return tuple((before, after) for before, after in pairs)
