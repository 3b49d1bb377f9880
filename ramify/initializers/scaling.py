"""Initializers whose scale follows from the number of a weight's inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.initializers.base import Shape, bad_shape, sizes
from ramify.initializers.random import RandomInitializer
from ramify.registry import serializable

Axes = int | Sequence[int] | None

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def _truncated_stddev(cut: float) -> float:
    """Standard deviation of a standard normal variable that is known to lie within plus and minus `cut`."""
    density = math.exp(-cut * cut / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(1 - 2 * cut * density / math.erf(cut / math.sqrt(2)))


_TRUNCATED_STDDEV = _truncated_stddev(2.0)


def compute_fans(shape: Shape, input_axes: Axes = None, output_axes: Axes = None) -> tuple[int, int]:
    """How many inputs feed one output of a weight, and how many outputs one input feeds.

    Args:
        shape: sizes of the weight. Without axes, the last is the outputs', the last but one the inputs', and those
            before it are the positions of a convolution kernel, which count for both.
        input_axes: axes whose sizes make up the inputs. Used only together with `output_axes`.
        output_axes: axes whose sizes make up the outputs.

    Returns:
        ``(fan_in, fan_out)``

    Raises:
        ShapeError: an axis that the shape does not have, or a size that is not known.

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    >>> compute_fans((64, 4, 16), input_axes=(0,), output_axes=(1, 2))
    (64, 64)
    """
    shape = sizes(shape)
    if None in shape:
        raise bad_shape(shape)
    if input_axes is not None and output_axes is not None:
        return _size_of(shape, input_axes), _size_of(shape, output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    positions = math.prod(shape[:-2])
    return positions * shape[-2], positions * shape[-1]


def _size_of(shape: tuple[int, ...], axes: int | Sequence[int]) -> int:
    try:
        return math.prod(shape[axis] for axis in ((axes,) if isinstance(axes, int) else axes))
    except IndexError:
        raise ShapeError(f"The axes {axes} name one that a weight of shape {shape} does not have.") from None


@serializable("keras.initializers", "variance_scaling")
class VarianceScaling(RandomInitializer):
    """Numbers of mean zero and variance ``scale / n``, with n the inputs, the outputs or the mean of both.

    Args:
        scale: the variance times n, above zero.
        mode: n is ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``; see `compute_fans`.
        distribution: ``"truncated_normal"`` (also ``"normal"``; cut at two standard deviations and widened so that the
            variance is kept), ``"untruncated_normal"`` or ``"uniform"``.
        seed: see `RandomInitializer`.
        input_axes: axes that make up the inputs, for weights that the rule for kernels does not fit.
        output_axes: axes that make up the outputs.

    Raises:
        ArgumentError: a scale, mode or distribution that there is not.

    >>> VarianceScaling(2.0, "fan_out", "uniform")((4, 6)).shape
    torch.Size([4, 6])
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ) -> None:
        if scale <= 0:
            raise ArgumentError(f"VarianceScaling cannot have scale={scale}: it must be above zero.")
        if mode not in _MODES:
            raise ArgumentError(f"VarianceScaling has no mode {mode!r}. Use one of {', '.join(_MODES)}.")
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in _DISTRIBUTIONS:
            raise ArgumentError(
                f"VarianceScaling has no distribution {distribution!r}. Use one of {', '.join(_DISTRIBUTIONS)}."
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Draw a tensor of a float dtype."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1, n))
        if self.distribution == "truncated_normal":
            return self._truncated(shape, dtype, 0.0, stddev / _TRUNCATED_STDDEV)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, dtype, 0.0, stddev)
        limit = math.sqrt(3.0) * stddev
        return self._uniform(shape, dtype, -limit, limit)

    def get_config(self) -> dict[str, Any]:
        """All arguments."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Preset(VarianceScaling):
    """A `VarianceScaling` with its first three arguments fixed."""

    _preset: ClassVar[tuple[float, str, str]]

    def __init__(self, seed: Any = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(*self._preset, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Seed and axes."""
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


@serializable("keras.initializers", "glorot_uniform")
class GlorotUniform(_Preset):
    """Uniform within ``sqrt(6 / (fan_in + fan_out))`` (Glorot & Bengio, 2010, AISTATS).

    Its arguments are those of `VarianceScaling`.

    >>> bool(GlorotUniform()((10, 14)).abs().max() <= 0.5)
    True
    """

    _preset = (1.0, "fan_avg", "uniform")


@serializable("keras.initializers", "glorot_normal")
class GlorotNormal(_Preset):
    """Truncated normal of variance ``2 / (fan_in + fan_out)`` (Glorot & Bengio, 2010, AISTATS).

    Its arguments are those of `VarianceScaling`.

    >>> GlorotNormal(seed=1)((2, 3)).shape
    torch.Size([2, 3])
    """

    _preset = (1.0, "fan_avg", "truncated_normal")


@serializable("keras.initializers", "he_uniform")
class HeUniform(_Preset):
    """Uniform within ``sqrt(6 / fan_in)`` (He et al., 2015, https://arxiv.org/abs/1502.01852).

    Its arguments are those of `VarianceScaling`.

    >>> bool(HeUniform()((24, 3)).abs().max() <= 0.5)
    True
    """

    _preset = (2.0, "fan_in", "uniform")


@serializable("keras.initializers", "he_normal")
class HeNormal(_Preset):
    """Truncated normal of variance ``2 / fan_in`` (He et al., 2015, https://arxiv.org/abs/1502.01852).

    Its arguments are those of `VarianceScaling`.

    >>> HeNormal(seed=1)((3, 3, 8, 16)).shape
    torch.Size([3, 3, 8, 16])
    """

    _preset = (2.0, "fan_in", "truncated_normal")


@serializable("keras.initializers", "lecun_uniform")
class LecunUniform(_Preset):
    """Uniform within ``sqrt(3 / fan_in)`` (LeCun et al., 1998, "Efficient BackProp").

    Its arguments are those of `VarianceScaling`.

    >>> bool(LecunUniform()((12, 3)).abs().max() <= 0.5)
    True
    """

    _preset = (1.0, "fan_in", "uniform")


@serializable("keras.initializers", "lecun_normal")
class LecunNormal(_Preset):
    """Truncated normal of variance ``1 / fan_in`` (LeCun et al., 1998, "Efficient BackProp").

    Its arguments are those of `VarianceScaling`.

    >>> LecunNormal(seed=1)((2, 3)).shape
    torch.Size([2, 3])
    """

    _preset = (1.0, "fan_in", "truncated_normal")
