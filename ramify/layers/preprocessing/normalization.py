"""`Normalization` and `Rescaling`: data brought to a range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError, NotBuiltError, ShapeError
from ramify.image_format import checked_data_format
from ramify.layers.layer import Layer
from ramify.layers.preprocessing.adapting import batches_of
from ramify.registry import serializable


@serializable("keras.layers")
class Normalization(Layer):
    """``(inputs - mean) / sqrt(variance)``, with statistics that `adapt` measured or that are given.

    Args:
        axis: axes that keep statistics of their own; ``None`` for one mean and variance of everything.
        mean: the mean to use, a number or of the shape of the kept axes; with `variance`.
        variance: the variance to use.
        invert: undo the normalization: ``inputs * sqrt(variance) + mean``.

    Shapes:
        Any -> the same. The sizes of the kept axes must be known.

    Raises:
        ArgumentError: only one of `mean` and `variance`; `adapt` where both are given.
        ShapeError: `axis` out of range or of unknown size; data of another shape than before.

    Example:

    >>> layer = Normalization()
    >>> layer.adapt(torch.tensor([[0.0, 10.0], [2.0, 30.0]]))
    >>> layer(torch.tensor([[2.0, 20.0]]))
    tensor([[1., 0.]])
    """

    adapt_mean: torch.Tensor
    adapt_variance: torch.Tensor
    count: torch.Tensor
    _given_mean: torch.Tensor
    _given_variance: torch.Tensor
    _spread: tuple[int, ...]
    _reduced: tuple[int, ...]

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ArgumentError(
                f"Normalization takes `mean` and `variance` together; received mean={mean}, variance={variance}. Pass "
                "both, or neither and call `adapt`."
            )
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.invert = invert
        self.input_mean = _plain(mean)
        self.input_variance = _plain(variance)
        self.supports_masking = True

    def convert_weight(self, weight: Any) -> Any:
        """As it is: there is one backend."""
        return weight

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make `mean`, `variance` (of the kept axes' sizes) and `count`, or spread what was given."""
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ShapeError(f"{self.describe()} received {rank} axes, which have no axis {self.axis}. Fix `axis`.")
        kept = sorted(axis % rank for axis in self.axis)
        sizes = [input_shape[axis] for axis in kept]
        if None in sizes:
            raise ShapeError(
                f"{self.describe()} keeps axes {self.axis} of {input_shape}, where a size is unknown. Give it in "
                "`Input(shape=...)`."
            )
        own = self.__dict__
        own["_reduced"] = tuple(axis for axis in range(rank) if axis not in kept)
        own["_spread"] = tuple(input_shape[axis] if axis in kept else 1 for axis in range(rank))
        shape = tuple(size for size in sizes if size is not None)
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
            return
        for name, value in (("_given_mean", self.input_mean), ("_given_variance", self.input_variance)):
            given = torch.as_tensor(value, dtype=dtypes.to_torch(self.variable_dtype))
            try:
                given = given.expand(shape).clone() if given.ndim <= len(shape) else given.reshape(shape)
            except RuntimeError:
                raise ShapeError(
                    f"{self.describe()}: mean and variance of shape {tuple(given.shape)} do not fit axes {self.axis} "
                    f"of {input_shape}, which have {shape}. Give one value for each, or a number."
                ) from None
            self.register_buffer(name, given.to(self.weights_device), persistent=False)

    def adapt(self, data: Any) -> None:
        """Measure mean and variance of all data; what was measured before is forgotten.

        Args:
            data: array, tensor, or an iterable of batches, such as a `DataLoader`.
        """
        self._refuse_given("adapt")
        if self.built:
            self.reset_state()
        for batch in batches_of(data, self.describe()):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take one batch into the statistics (Chan, Golub and LeVeque 1979: the variances of two sets joined)."""
        self._refuse_given("update_state")
        x = data if isinstance(data, torch.Tensor) else torch.as_tensor(np.asarray(data))
        if not self.built:
            self.build(tuple(x.shape))
        spread = self._spread
        if x.ndim != len(spread) or any(size not in (1, have) for size, have in zip(spread, x.shape, strict=True)):
            raise ShapeError(
                f"{self.describe()} keeps statistics of shape {spread}, but the data has {tuple(x.shape)}. Adapt a new "
                "layer to data of another shape."
            )
        x = x.detach().to(self.adapt_mean.device, torch.float64)
        added = x.numel() // math.prod(self.adapt_mean.shape)
        variance, mean = torch.zeros_like(x), x
        if self._reduced:
            variance, mean = torch.var_mean(x, self._reduced, correction=0)
        share = added / (int(self.count) + added)
        old_mean, old_variance = self.adapt_mean.detach().double(), self.adapt_variance.detach().double()
        joined = old_mean * (1 - share) + mean * share
        before = old_variance + (old_mean - joined) ** 2
        both = before * (1 - share) + (variance + (mean - joined) ** 2) * share
        with torch.no_grad():
            self.adapt_mean.copy_(joined)
            self.adapt_variance.copy_(both)
            self.count.add_(added)

    def reset_state(self) -> None:
        """Forget all data."""
        if self.built and self.input_mean is None:
            with torch.no_grad():
                self.adapt_mean.zero_()
                self.adapt_variance.fill_(1)
                self.count.zero_()

    def finalize_state(self) -> None:
        """End of the measurements. Calls read the statistics where they are, so that there is nothing left to do."""

    def _refuse_given(self, what: str) -> None:
        if self.input_mean is not None:
            raise ArgumentError(f"{self.describe()}.{what}: mean and variance were given. Leave them out to measure.")

    @property
    def mean(self) -> Any:
        """The mean, with axes of size 1 so that it broadcasts; before `build`, what was given."""
        return self._statistics()[0] if self.built else self.input_mean

    @property
    def variance(self) -> Any:
        """The variance, likewise."""
        return self._statistics()[1] if self.built else self.input_variance

    def _statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.built:
            raise NotBuiltError(f"{self.describe()} has no statistics yet. Call `adapt` first.")
        given = self.input_mean is not None
        mean = self._given_mean if given else self.adapt_mean
        variance = self._given_variance if given else self.adapt_variance
        return mean.reshape(self._spread), variance.reshape(self._spread)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The normalized input."""
        dtype = self.compute_torch_dtype
        mean, variance = self._statistics()
        scale = variance.sqrt().clamp_min(dtypes.epsilon()).to(dtype)
        x = inputs.to(dtype)
        return x * scale + mean.to(dtype) if self.invert else (x - mean.to(dtype)) / scale

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; measured statistics are weights."""
        return {**super().get_config(), "axis": self.axis, "mean": self.input_mean, "variance": self.input_variance}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value).tolist()


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
