"""Layers of the family of `ReLU`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify import activations
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.arguments import own_arguments, settle
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class ReLU(Layer):
    """``max(x, 0)`` (Nair & Hinton, 2010), with options.

    Args:
        max_value: results are cut off here.
        negative_slope: slope below the threshold.
        threshold: values above it stay what they are.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: a negative argument.

    Example:

    >>> ReLU(max_value=6)(torch.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _not_negative(max_value, "ReLU", "max_value")
        self.negative_slope = _not_negative(negative_slope, "ReLU", "negative_slope")
        self.threshold = _not_negative(threshold, "ReLU", "threshold")
        self._plain = max_value is None and not negative_slope and not threshold
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The rectified input."""
        if self._plain:
            return torch.relu(inputs)
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@serializable("keras.layers")
class LeakyReLU(Layer):
    """`x` above zero, ``negative_slope * x`` below (Maas et al., 2013, "Rectifier nonlinearities").

    Args:
        negative_slope: slope below zero. Its old name, ``alpha``, is understood too.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: a negative slope.

    Example:

    >>> LeakyReLU(0.5)(torch.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(negative_slope, "LeakyReLU", "negative_slope")
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The rectified input."""
        return F.leaky_relu(inputs, self.negative_slope)


@serializable("keras.layers")
class ELU(Layer):
    """`x` above zero, ``alpha * (exp(x) - 1)`` below (Clevert et al., 2016, https://arxiv.org/abs/1511.07289).

    Args:
        alpha: minus the limit on the left.

    Shapes:
        any -> the same.

    Example:

    >>> ELU()(torch.tensor([-100.0, 2.0]))
    tensor([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The rectified input."""
        return F.elu(inputs, self.alpha)


@serializable("keras.layers")
class PReLU(Layer):
    """`x` above zero, ``alpha * x`` below, with an alpha that is learned (He et al., 2015, https://arxiv.org/abs/1502.01852).

    Args:
        alpha_initializer: how alpha starts; it has the shape of a sample.
        alpha_regularizer: penalty on alpha.
        alpha_constraint: applied to alpha after every update.
        shared_axes: axes, counted from 1, along which alpha does not differ: ``[1, 2]`` for images.

    Shapes:
        any -> the same.

    Raises:
        ShapeError: a size that alpha needs is unknown.

    Example:

    >>> PReLU("ones")(torch.tensor([[-1.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        settle(self, own_arguments(locals()))
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes) if shared_axes else None
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make alpha, of size 1 along the shared axes."""
        if any(not -len(input_shape) <= axis < len(input_shape) for axis in self.shared_axes or ()):
            raise ShapeError(
                f"{self.describe()} shares alpha along the axes {self.shared_axes}, but received shape "
                f"{tuple(input_shape)}, which has not all of them. Name axes that the input has."
            )
        shared = [axis % len(input_shape) for axis in self.shared_axes or ()]
        sizes = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in sizes:
            axis = sizes.index(None) + 1
            raise ShapeError(
                f"{self.describe()} learns a number for every position, but the size of axis {axis} of its input, of "
                f"shape {tuple(input_shape)}, is unknown. Give it in `Input(shape=...)`, or share the axis: "
                f"`shared_axes=[{axis}]`."
            )
        self.alpha = self.add_weight_of("alpha", sizes)
        own = {axis: size for axis, size in enumerate(input_shape) if axis and axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The rectified input."""
        return torch.where(inputs > 0, inputs, self.alpha * inputs)


def _not_negative(value: Any, who: str, what: str) -> float:
    if not isinstance(value, (int, float)) or value < 0:
        raise ArgumentError(f"{who} takes a number that is not negative as {what}, but received {what}={value!r}.")
    return value
