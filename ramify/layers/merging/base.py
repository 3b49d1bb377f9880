"""What all merging layers share: two or more inputs of compatible shapes become one output."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import InputError, ShapeError
from ramify.graph import SymbolicTensor
from ramify.layers.layer import Layer


class Merge(Layer):
    """Base of the layers that combine a list of tensors; a subclass defines `merge`."""

    least = 2

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Check that there is a list to merge, then call."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) < self.least:
            count = len(inputs) if isinstance(inputs, (list, tuple)) else 1
            raise InputError(
                f"{self.describe()} merges a list of at least {self.least} tensors, but received {count}. "
                "Pass them together: `layer([a, b])`."
            )
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        """Check that the shapes fit together."""
        self.check_shapes([tuple(shape) for shape in input_shape])

    def check_shapes(self, shapes: list[tuple[int | None, ...]]) -> None:
        """Raise where shapes cannot be broadcast together (the batch axis of all is the same)."""
        for a in shapes:
            for x, y in zip(reversed(a[1:]), reversed(shapes[0][1:]), strict=False):
                if None not in (x, y) and x != y and 1 not in (x, y):
                    self.fail(shapes, "these sizes can neither be equal nor stretched from 1")

    def fail(self, shapes: list[Any], why: str) -> None:
        """Raise the error for shapes that do not fit.

        Raises:
            ShapeError: always.
        """
        raise ShapeError(f"{self.describe()} cannot merge inputs of shapes {shapes}: {why}.")

    def merge(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Combine tensors that broadcast; subclasses define it."""
        raise AssertionError("a merging layer defines how it merges")  # pragma: no cover

    def call(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Combine the inputs, lower ranks stretched after the batch axis as Keras does."""
        ranks = {x.ndim for x in inputs}
        if len(ranks) == 1:
            return self.merge(inputs)
        most = max(ranks)
        return self.merge([x.reshape(x.shape[0], *([1] * (most - x.ndim)), *x.shape[1:]) for x in inputs])

    def compute_mask(self, inputs: list[Any], mask: Any = None) -> Any:
        """A position counts where it counts in every input."""
        if mask is None:
            return None
        known = [m for m in mask if m is not None] if isinstance(mask, (list, tuple)) else [mask]
        if not known:
            return None
        out = known[0]
        for other in known[1:]:
            out = torch.logical_and(out, other)
        return out


def origins(tensors: list[Any]) -> str:
    """Which layer made each symbolic tensor, and its shape; for messages."""
    return "; ".join(
        f"{t.shape} from {t.node.describe()}" for t in tensors if isinstance(t, SymbolicTensor)
    )
