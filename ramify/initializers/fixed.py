"""Initializers without chance: constants and the identity."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ShapeError
from ramify.initializers.base import Initializer, Shape, empty, sizes
from ramify.registry import serializable


@serializable("keras.initializers", "zeros", "zero")
class Zeros(Initializer):
    """Zeros everywhere.

    >>> Zeros()((2,))
    tensor([0., 0.])
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Make a tensor of zeros."""
        return empty(shape, dtypes.to_torch(dtype), torch.zeros)


@serializable("keras.initializers", "ones", "one")
class Ones(Initializer):
    """Ones everywhere.

    >>> Ones()((2,), dtype="int32")
    tensor([1, 1], dtype=torch.int32)
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Make a tensor of ones."""
        return empty(shape, dtypes.to_torch(dtype)).fill_(1)


@serializable("keras.initializers", "constant")
class Constant(Initializer):
    """One given value, or an array of them.

    Args:
        value: a number, or a list, array or tensor that broadcasts to the weight's shape.

    >>> Constant([1.0, 2.0])((2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Make a tensor of the value.

        Raises:
            ShapeError: the value does not broadcast to the shape.
        """
        made = empty(shape, dtypes.to_torch(dtype))
        if isinstance(self.value, (bool, int, float)):
            return made.fill_(self.value)
        value = torch.as_tensor(self.value, device=made.device).detach()
        try:
            return made.copy_(value)
        except RuntimeError as error:
            raise ShapeError(
                f"A constant of shape {tuple(value.shape)} does not fit a weight of shape {tuple(made.shape)}. "
                "Give a number, or an array of the weight's shape."
            ) from error

    def get_config(self) -> dict[str, Any]:
        """The value; arrays and tensors as nested lists."""
        return {"value": self.value.tolist() if hasattr(self.value, "tolist") else self.value}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A constant from its config, with arrays as lists or in the form that Keras files hold them in."""
        value = config.get("value", 0.0)
        if isinstance(value, dict) and value.get("class_name") in ("__numpy__", "__tensor__"):
            inner = value["config"]
            value = np.array(inner["value"], dtype=dtypes.name(inner["dtype"]))
        return cls(value)


@serializable("keras.initializers", "identity", "IdentityInitializer")
class Identity(Initializer):
    """The identity matrix times a gain; ones on the main diagonal where the matrix is not square.

    Args:
        gain: what the ones are multiplied by.

    >>> Identity(2.0)((2, 3))
    tensor([[2., 0., 0.],
            [0., 2., 0.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Make the matrix.

        Raises:
            ShapeError: the shape has not two sizes.
        """
        if len(sizes(shape)) != 2:
            raise ShapeError(f"Identity makes matrices, not a weight of shape {sizes(shape)}. Use another initializer.")
        made = empty(shape, dtypes.to_torch(dtype), torch.zeros)
        made.diagonal().fill_(self.gain)
        return made

    def get_config(self) -> dict[str, Any]:
        """The gain."""
        return {"gain": self.gain}
