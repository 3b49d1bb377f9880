"""`Flatten`: all axes but the batch become one."""

from __future__ import annotations

from typing import Any

import torch

from ramify.image_format import checked_data_format
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Flatten(Layer):
    """One axis for each sample.

    Args:
        data_format: ``"channels_first"`` moves axis 1 to the end before, so that both formats give the same order.

    Shapes:
        ``(batch, a, b, ...)`` -> ``(batch, a * b * ...)``; ``(batch,)`` -> ``(batch, 1)``.

    Example:

    >>> import ramify
    >>> Flatten()(ramify.Input((4, 4, 3))).shape
    (None, 48)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(data_format, "Flatten")
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The samples as vectors."""
        if inputs.ndim == 1:
            return inputs[:, None]
        if inputs.ndim > 2 and self.data_format == "channels_first":
            inputs = inputs.movedim(1, -1)
        return inputs.flatten(1)
