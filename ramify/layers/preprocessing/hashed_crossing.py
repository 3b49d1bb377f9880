"""`HashedCrossing`: combinations of categories as categories of their own."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.preprocessing.encoding import checked_mode, encode, refuse_sparse
from ramify.layers.preprocessing.hashed import cross_buckets
from ramify.layers.preprocessing.texts import TextLayer, Texts
from ramify.registry import serializable


@serializable("keras.layers")
class HashedCrossing(TextLayer):
    """One bucket for each combination of values of several features; the same as Keras's.

    Args:
        num_bins: number of buckets.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: not supported, must be false.
        name: the layer's name.
        dtype: dtype of the result; int64 for ``"int"``, else floating.

    Shapes:
        Two or more tensors of integers (or arrays of strings), all ``()``, ``(batch,)`` or ``(batch, 1)`` -> the same,
        or ``(batch, num_bins)`` for ``"one_hot"``.

    Raises:
        ArgumentError: fewer than two inputs, inputs of floats, an unknown mode.
        ShapeError: inputs of other or different shapes.

    Example:

    >>> HashedCrossing(num_bins=5)((torch.tensor([1, 2]), ["A", "B"]))
    tensor([2, 3])
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if dtype is None:
            dtype = "int64" if output_mode == "int" else dtypes.floatx()
        kwargs.setdefault("autocast", False)  # floats are refused, not rounded
        super().__init__(name=name, dtype=dtype, **kwargs)
        refuse_sparse(sparse, "HashedCrossing")
        if not isinstance(num_bins, int) or num_bins < 1:
            raise ArgumentError(f"HashedCrossing needs one bucket or more, received num_bins={num_bins}.")
        self.num_bins = num_bins
        self.output_mode = checked_mode(output_mode, ("int", "one_hot"), "HashedCrossing")
        self.sparse = False

    def _wrapped(self, value: Any) -> Any:
        """Each feature alone: some may be strings, some numbers."""
        if isinstance(value, (list, tuple)):
            parts = [super(HashedCrossing, self)._wrapped(part) for part in value]
            return [torch.as_tensor(part) if isinstance(part, (list, tuple)) else part for part in parts]
        return value

    def call(self, inputs: Any) -> torch.Tensor:
        """Buckets, or vectors of them."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ArgumentError(f"{self.describe()} crosses two features or more. Pass them in a tuple.")
        shapes = [tuple(one.shape) for one in inputs]
        if len(set(shapes)) > 1 or len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1):
            raise ShapeError(
                f"{self.describe()} takes features of one shape, (batch,) or (batch, 1), but received {shapes}."
            )
        for one in inputs:
            if not isinstance(one, Texts) and one.is_floating_point():
                raise ArgumentError(
                    f"{self.describe()} crosses integers and strings, not {one.dtype}. Discretize them."
                )
        found = cross_buckets(inputs, self.num_bins)
        if self.output_mode == "int":
            return found.to(self.compute_torch_dtype)
        return encode(found, "one_hot", self.num_bins, self.compute_torch_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
