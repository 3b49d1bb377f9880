"""What is known of an unknown size.

A size that is not known until data arrives is written ``None`` in a shape. While a graph is built, every tensor also
carries its shape under several assignments of numbers to the unknown sizes (*probes*). An operation runs once per
probe on tensors without data; sizes that come out equal are known, the others are ``None``. So a derived size, such as
half of an unknown length, stays consistent with whatever else is derived from the same length.

The first two probes stand for sizes that halve evenly many times, so that a U-Net of unknown extent fits together.
The third is small and odd: it unmasks sizes that only look fixed, such as the 100 in ``x[:, :100]``. Not every
operation can run at so small a size, so the third is allowed to fail.
"""

from __future__ import annotations

from collections.abc import Sequence

from ramify.errors import ArgumentError

Shape = tuple[int | None, ...]
Probe = tuple[int, ...]

BATCH = (4, 508, 4)
SIZE = (64 * 29, 64 * 47, 37)


def checked_shape(shape: Sequence[int | None], what: str = "shape") -> Shape:
    """A shape as a tuple of sizes, each a number that is not negative or ``None``.

    Raises:
        ArgumentError: anything else.
    """
    if isinstance(shape, int):
        shape = (shape,)
    try:
        out = tuple(None if size is None else int(size) for size in shape)
    except (TypeError, ValueError):
        out = (-1,)
    if any(size is not None and size < 0 for size in out):
        raise ArgumentError(
            f"{what}={shape!r} is no shape. Give a tuple of sizes, each 0 or more, or None for unknown."
        )
    return out


def probes_of(shape: Shape) -> tuple[Probe, ...]:
    """The shape under each probe; the first axis, when unknown, counts as the batch.

    >>> probes_of((None, 784))
    ((4, 784), (508, 784))
    """
    count = 3 if any(size is None for size in shape[1:]) else 2
    return tuple(
        tuple((SIZE[i] if axis else BATCH[i]) if size is None else size for axis, size in enumerate(shape))
        for i in range(count)
    )


def merged(probes: Sequence[Probe]) -> Shape:
    """The shape that several probes agree on, ``None`` where they do not.

    >>> merged([(4, 784), (508, 784)])
    (None, 784)
    """
    first = probes[0]
    return tuple(size if all(p[axis] == size for p in probes) else None for axis, size in enumerate(first))


def hide_probes(shape: Sequence[int]) -> Shape:
    """A shape seen inside a probe run, with the numbers that stand for unknown sizes written ``None``."""
    return tuple(None if size in SIZE or (axis == 0 and size in BATCH) else size for axis, size in enumerate(shape))
