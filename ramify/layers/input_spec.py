"""`InputSpec`: what a layer asks of its input's rank and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ramify import dtypes
from ramify.errors import ShapeError


class InputSpec:
    """What a layer takes: each given property is checked when the layer is called.

    Args:
        dtype: expected dtype.
        shape: expected shape, ``None`` for sizes that do not matter.
        ndim: exact number of axes.
        max_ndim: most axes.
        min_ndim: fewest axes.
        axes: axis -> exact size.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or extra.
        name: name of the input.
        optional: whether ``None`` may be fed.

    Example:

    >>> InputSpec(min_ndim=2, axes={-1: 8})
    InputSpec(min_ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtypes.name(dtype) if dtype is not None else None
        self.shape = tuple(shape) if shape is not None else None
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def check(self, x: Any, who: str) -> None:
        """Raise where a tensor does not fit.

        Args:
            x: real or symbolic tensor.
            who: the layer, for the message.

        Raises:
            ShapeError: a wrong rank or size.
        """
        if x is None and self.optional:
            return
        shape = tuple(x.shape)
        problem = self._rank_problem(len(shape)) or self._size_problem(shape)
        if problem:
            raise ShapeError(f"{who} {problem}, but received an input of shape {shape}. {self._mend(len(shape))}")

    def _rank_problem(self, ndim: int) -> str:
        if self.ndim is not None and ndim != self.ndim and not self.allow_last_axis_squeeze:
            return f"takes inputs with {self.ndim} axes"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"takes inputs with at most {self.max_ndim} axes"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"takes inputs with at least {self.min_ndim} axes"
        return ""

    def _size_problem(self, shape: tuple[Any, ...]) -> str:
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return f"takes inputs with size {size} on axis {axis}"
        if self.shape is not None and len(shape) == len(self.shape):
            for axis, (want, got) in enumerate(zip(self.shape, shape, strict=True)):
                if want is not None and got is not None and want != got:
                    return f"takes inputs with size {want} on axis {axis}"
        return ""

    def _mend(self, ndim: int) -> str:
        want = self.ndim or self.min_ndim or self.max_ndim
        if want is None or ndim == want:
            return "Feed tensors of that size, or make a new layer for this one."
        if ndim < want:
            return "Add the missing axes, for example with `Reshape` (the batch axis counts as one)."
        return "Take axes away, for example with `Flatten` or global pooling (the batch axis counts as one)."

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        keys = "dtype shape ndim max_ndim min_ndim axes allow_last_axis_squeeze name optional".split()
        return {key: getattr(self, key) for key in keys}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """The spec that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        given = {key: value for key, value in self.get_config().items() if value}
        return f"InputSpec({', '.join(f'{key}={value!r}' for key, value in given.items())})"
