"""`rearrange`: reshape and transpose in one pattern (Rogozhnikov, 2022, "Einops", ICLR)."""

from __future__ import annotations

import functools
import math
import re
from typing import Any

from ramify.errors import ArgumentError, ShapeError
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = ["rearrange"]

Group = tuple[str, ...]

_WORD = re.compile(r"\(|\)|\.\.\.|[A-Za-z_]\w*|1|\S+")
_REST = "..."


@op
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """Split, reorder and join axes, by names.

    Args:
        tensor: tensor of as many axes as the left side has entries.
        pattern: ``"left -> right"``: names of axes in order; names in parentheses stand for one axis that they make up,
            the last running fastest; ``...`` for any axes; ``1`` for an axis of size 1.
        **axes_lengths: sizes of names; of those in one parenthesis all but one are needed.

    Returns:
        A tensor with the axes of the right side.

    Raises:
        ArgumentError: a pattern that cannot be read, or whose sides differ in names.
        ShapeError: a tensor that does not fit the left side.

    >>> import torch
    >>> rearrange(torch.arange(6).reshape(1, 6), "b (h w) -> b w h", h=2)
    tensor([[[0, 3],
             [1, 4],
             [2, 5]]])
    """
    x = to_tensor(tensor)
    left, right = _parsed(pattern)
    left = _spread(left, x.ndim, pattern)
    count = sum(name.startswith(_REST) for group in left for name in group)
    right = [part for group in right for part in (_rest(count) if group == (_REST,) else [_widened(group, count)])]
    if len(left) != x.ndim:
        raise ShapeError(f"rearrange '{pattern}' takes {len(left)} axes, but received shape {tuple(x.shape)}.")
    sizes: dict[str, int] = dict(axes_lengths)
    for group, size in zip(left, x.shape, strict=True):
        _solve(group, size, sizes, pattern, tuple(x.shape))
    names = [name for group in left for name in group]
    wanted = [name for group in right for name in group]
    x = x.reshape([sizes[name] for name in names]).permute([names.index(name) for name in wanted])
    return x.reshape([math.prod(sizes[name] for name in group) for group in right])


@functools.lru_cache(maxsize=256)
def _parsed(pattern: str) -> tuple[list[Group], list[Group]]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ArgumentError(f"rearrange takes a pattern 'left -> right', but got {pattern!r}.")
    left, right = (_groups(side, pattern) for side in sides)
    names = [sorted(name for group in side for name in group) for side in (left, right)]
    if names[0] != names[1] or len(set(names[0])) != len(names[0]):
        raise ArgumentError(f"Both sides of the pattern {pattern!r} must have the same names, each once.")
    return left, right


def _groups(side: str, pattern: str) -> list[Group]:
    """The axes of one side, each as the names that make it up; an axis of size 1 has none."""
    groups: list[Group] = []
    inside: list[str] | None = None
    for word in _WORD.findall(side):
        if word == "(" and inside is None:
            inside = []
        elif word == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif word == "1":
            if inside is None:
                groups.append(())
        elif word == _REST or word.isidentifier():
            if inside is None:
                groups.append((word,))
            else:
                inside.append(word)
        else:
            raise ArgumentError(f"rearrange cannot read {word!r} in the pattern {pattern!r}.")
    if inside is not None:
        raise ArgumentError(f"A parenthesis stays open in the pattern {pattern!r}.")
    return groups


def _rest(count: int) -> list[Group]:
    return [(f"{_REST}{i}",) for i in range(count)]


def _spread(groups: list[Group], ndim: int, pattern: str) -> list[Group]:
    """The left side with a name for each axis that the dots stand for."""
    if any(_REST in group and group != (_REST,) for group in groups):
        raise ArgumentError(f"The dots in {pattern!r} cannot stand in a parenthesis on the left.")
    spare = ndim - len(groups) + 1
    return [part for group in groups for part in (_rest(spare) if group == (_REST,) else [group])]


def _widened(group: Group, count: int) -> Group:
    return tuple(name for part in group for name in ([n for (n,) in _rest(count)] if part == _REST else [part]))


def _solve(group: Group, size: int, sizes: dict[str, int], pattern: str, shape: tuple[int, ...]) -> None:
    """Find the size of the one name of an axis that is not known, and check that the axis fits."""
    unknown = [name for name in group if name not in sizes]
    known = math.prod(sizes[name] for name in group if name in sizes)
    if len(unknown) == 1 and known and size % known == 0:
        sizes[unknown[0]] = size // known
    elif unknown or known != size:
        raise ShapeError(
            f"rearrange '{pattern}' received shape {shape}: an axis of size {size} does not split into {group} with "
            f"{ {name: sizes[name] for name in group if name in sizes} }. Give all sizes of a parenthesis but one."
        )
