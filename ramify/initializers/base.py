"""What every initializer is, and the one place where their tensors are allocated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import torch

from ramify.errors import ShapeError

Shape = int | Sequence[int]

_CPU = torch.device("cpu")


class Initializer:
    """A rule that makes the first value of a weight. Subclass it and write `__call__`.

    An instance has no state besides its arguments, so it may be shared between layers.

    >>> class Ramp(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return torch.arange(shape[0], dtype=dtype)
    >>> Ramp()((3,), dtype=torch.float32)
    tensor([0., 1., 2.])
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Make a tensor.

        Args:
            shape: sizes of the tensor.
            dtype: name or `torch.dtype`; `floatx` when not given.

        Returns:
            A new tensor of that shape and dtype on the default device.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `__call__(shape, dtype=None)`. Write one that returns a tensor."
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An initializer from what `get_config` returned."""
        return cls(**config)

    def clone(self) -> Self:
        """A second initializer with the same arguments."""
        return type(self).from_config(self.get_config())


def sizes(shape: Shape) -> tuple[int, ...]:
    """A shape as a tuple; a bare number is the size of a vector."""
    return tuple(shape) if isinstance(shape, Iterable) else (shape,)


def empty(shape: Shape, dtype: torch.dtype, make: Callable[..., torch.Tensor] = torch.empty) -> torch.Tensor:
    """A tensor on the default device; on the CPU where that is ``meta``, since a weight needs numbers.

    Args:
        shape: its sizes.
        dtype: its dtype.
        make: `torch.empty`, or `torch.zeros`, which need not touch the memory.

    Raises:
        ShapeError: a size that is not a whole number, such as ``None``, or is negative.
    """
    try:
        made = make(shape, dtype=dtype)
    except (TypeError, RuntimeError) as error:
        if all(isinstance(size, int) and size >= 0 for size in sizes(shape)):
            raise
        raise bad_shape(shape) from error
    return make(shape, dtype=dtype, device=_CPU) if made.is_meta else made


def bad_shape(shape: Any) -> ShapeError:
    """The error for a shape that no weight can have."""
    return ShapeError(
        f"A weight cannot have the shape {shape!r}: every size must be a whole number that is known and not negative. "
        "Give the input's size where the layer is built."
    )
