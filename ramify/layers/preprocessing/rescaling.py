"""`Rescaling`: times a number, plus a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ramify.image_format import checked_data_format
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Rescaling(Layer):
    """``inputs * scale + offset``, in floats.

    Args:
        scale: a number, or one for each channel.
        offset: likewise.

    Shapes:
        Any; with one number for each channel, channels are where the global `image_data_format` says.

    Example:

    >>> Rescaling(1 / 255)(torch.tensor([0, 51, 255], dtype=torch.uint8))
    tensor([0.0000, 0.2000, 1.0000])
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale.item() if isinstance(scale, np.generic) else scale
        self.offset = offset.item() if isinstance(offset, np.generic) else offset
        self.data_format = checked_data_format(None, "Rescaling")
        self.supports_masking = True

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The rescaled input, in the layer's compute dtype."""
        x = inputs.to(self.compute_torch_dtype)
        return x * self._factor(self.scale, x) + self._factor(self.offset, x)

    def _factor(self, value: Any, x: torch.Tensor) -> Any:
        if isinstance(value, (int, float)):
            return value
        factor = torch.as_tensor(np.asarray(value), dtype=x.dtype, device=x.device)
        if factor.ndim == 1 and self.data_format == "channels_first" and x.ndim > 2:
            factor = factor.reshape(-1, *(1,) * (x.ndim - 2))
        return factor
