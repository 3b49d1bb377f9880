"""What all merging layers share: a list of tensors of compatible shapes becomes one tensor."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError, InputError, ShapeError
from ramify.layers import calling
from ramify.layers.layer import Layer
from ramify.layers.merging.compare import Problem, Shape, branches, broadcast_problem, shapes_in

_Tensor = torch.Tensor


class Merge(Layer):
    """Base of the layers that combine a list of tensors.

    A subclass says in `merge` what is done to them and, where broadcasting is not what it does, in `problem` which
    shapes it takes.

    Attributes:
        least: fewest tensors that it takes.
        most: most tensors that it takes, ``None`` for any number.
    """

    least = 1
    most: int | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.makes_mask = False  # no mask comes out where none goes in

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Check that the tensors fit together, while it is known where they come from; then call."""
        if self._fast == 1 and type(inputs) is list and not args and not kwargs:
            dtype = self.compute_torch_dtype
            for x in inputs:
                if type(x) is not _Tensor or x.dtype is not dtype or hasattr(x, calling.MASK):
                    break
            else:
                return calling.module_call(self, inputs)
        with calling.noting_call(self, (inputs, *args), kwargs):
            self._check(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape: list[Shape]) -> None:
        """Check that the shapes fit together; there are no weights."""
        self._raise_for([tuple(shape) for shape in input_shape], None)

    def _check(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)) or not self.least <= len(inputs) <= (self.most or len(inputs)):
            count = len(inputs) if isinstance(inputs, (list, tuple)) else "one that is in no list"
            wanted = f"exactly {self.most}" if self.most else f"{self.least} or more"
            raise InputError(
                f"{self.describe()} merges a list of {wanted} tensors, but received {count}. "
                "Pass them together: `layer([a, b])`."
            )
        shapes = shapes_in(inputs)
        if shapes is not None:
            self._raise_for(shapes, inputs)

    def _raise_for(self, shapes: list[Shape], tensors: Any) -> None:
        problem = self.problem(shapes)
        if problem is not None:
            raise ShapeError(
                f"{self.describe()} cannot merge {len(shapes)} branches: {problem.why}. "
                f"The branches are {branches(shapes, tensors)}. {problem.mend}"
            )

    def problem(self, shapes: list[Shape]) -> Problem | None:
        """Why these shapes do not fit together, and what to do about it; ``None`` where they do."""
        return broadcast_problem(shapes)

    def merge(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Combine tensors of one rank; subclasses define it.

        Raises:
            ArgumentError: the subclass did not.
        """
        raise ArgumentError(f"{type(self).__name__} does not say how it merges. Define `merge(self, inputs)`.")

    def call(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        """Combine the tensors."""
        return self.merge(same_rank(inputs))

    def compute_mask(self, inputs: list[Any], previous_mask: Any) -> Any:
        """A position counts where it counts in any input; all do, where one input has no mask."""
        del inputs
        if not isinstance(previous_mask, (list, tuple)) or any(mask is None for mask in previous_mask):
            return None
        first, *others = same_rank(list(previous_mask))
        for other in others:
            first = torch.logical_or(first, other)
        return first


def same_rank(tensors: list[Any]) -> list[Any]:
    """Tensors of the highest rank among them: the lower ones get axes of size 1 after the batch axis."""
    rank = tensors[0].ndim
    for x in tensors:
        if x.ndim != rank:
            break
    else:
        return tensors
    most = max(x.ndim for x in tensors)
    return [x[(slice(None),) + (None,) * (most - x.ndim)] for x in tensors]
