"""`Quantizer` and `AbsMaxQuantizer`: functions from a tensor to whole numbers and their scale."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.quantizers.functional import abs_max_quantize
from ramify.registry import serializable

_MODULE = "keras.quantizers"


@serializable("keras", "keras.quantizers>Quantizer")
class Quantizer:
    """The base of quantizers: define `__call__`, and `get_config` where the constructor takes more.

    Args:
        output_dtype: dtype of the whole numbers.

    Example:

    >>> class Halves(Quantizer):
    ...     def __call__(self, x):
    ...         return (x * 2).round().to(torch.int8), torch.tensor(2.0)
    >>> Halves()(torch.tensor([0.4, 1.6]))[0]
    tensor([1, 3], dtype=torch.int8)
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Whole numbers and their scale: ``numbers / scale`` is near `x`.

        Raises:
            ArgumentError: the subclass does not define it.
        """
        raise ArgumentError(f"{type(self).__name__} does not say how it quantizes. Define `__call__(self, x)`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"output_dtype": self.output_dtype}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The quantizer that `get_config` described."""
        return cls(**config)


@serializable("keras.quantizers")
class AbsMaxQuantizer(Quantizer):
    """The largest absolute value goes to the end of the range; see `abs_max_quantize`.

    Args:
        axis: the axes that share one scale; what is quantized decides, when not given.
        value_range: the smallest and the largest whole number.
        epsilon: keeps the scale finite where all numbers are 0.
        output_dtype: dtype of the whole numbers.

    Example:

    >>> AbsMaxQuantizer(axis=-1)(torch.tensor([[0.2, -1.0]]))[0]
    tensor([[  25, -127]], dtype=torch.int8)
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = None,
        value_range: tuple[int, int] = (-127, 127),
        epsilon: float = 1e-7,
        output_dtype: str = "int8",
    ) -> None:
        super().__init__(output_dtype)
        self.axis = axis if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.value_range = (value_range[0], value_range[-1])
        self.epsilon = epsilon
        if len(value_range) != 2 or self.value_range[0] >= self.value_range[1]:
            raise ArgumentError(f"value_range={value_range} is no range. Give the smallest number, then the largest.")

    def __call__(
        self, x: torch.Tensor, axis: int | Sequence[int] | None = None, to_numpy: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Whole numbers and their scale.

        Args:
            x: floating tensor.
            axis: in place of the quantizer's own axis.
            to_numpy: compute on the CPU.

        Raises:
            ArgumentError: neither this call nor the quantizer says which axes share a scale.
        """
        axes = self.axis if axis is None else axis
        if axes is None:
            raise ArgumentError("AbsMaxQuantizer does not know which axes share a scale. Give it `axis`.")
        return abs_max_quantize(x, axes, self.value_range, self.output_dtype, self.epsilon, to_numpy)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config: dict[str, Any] = {
            "value_range": self.value_range,
            "epsilon": self.epsilon,
            "output_dtype": self.output_dtype,
        }
        return config if self.axis is None else {**config, "axis": self.axis}


def serialize(initializer: Any) -> Any:
    """The config of a quantizer, as Keras files hold it.

    >>> serialize(AbsMaxQuantizer(axis=-1))["config"]["axis"]
    (-1,)
    """
    return registry.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The quantizer, or quantization config, that a config or a name stands for.

    Raises:
        ArgumentError: a name that is not known.
    """
    return registry.deserialize(config, _MODULE, custom_objects, "quantizer")


def get(identifier: Any, **kwargs: Any) -> Any:
    """The quantizer, or quantization config, that is meant.

    Args:
        identifier: a quantizer, its class, its name or config, or ``None``.
        **kwargs: for the constructor of a class.

    Raises:
        ArgumentError: anything else, or a name that is not known.

    >>> get(AbsMaxQuantizer, axis=0).axis
    (0,)
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, Mapping)):
        identifier = deserialize(identifier)
    elif inspect.isclass(identifier):
        identifier = identifier(**kwargs)
    if callable(identifier) or hasattr(identifier, "activation_quantizer"):
        return identifier
    raise ArgumentError(f"{identifier!r} is no quantizer. Pass a Quantizer, its config, or a name.")
