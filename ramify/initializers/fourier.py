"""The kernel of a convolution that computes a short-time Fourier transform."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.signal import windows

from ramify import dtypes
from ramify.errors import ArgumentError, ShapeError
from ramify.initializers.base import Initializer, Shape, empty, sizes
from ramify.registry import serializable

_SIDES = ("real", "imag")
_SCALINGS = (None, "density", "spectrum")


def _boxcar(length: int, *, sym: bool, **options: Any) -> torch.Tensor:  # noqa: ARG001 (one signature for all windows)
    return torch.ones(length, **options)


_WINDOWS: dict[str, Callable[..., torch.Tensor]] = {
    "bartlett": windows.bartlett,
    "blackman": windows.blackman,
    "boxcar": _boxcar,
    "cosine": windows.cosine,
    "hamming": windows.hamming,
    "hann": windows.hann,
    "nuttall": windows.nuttall,
}


@serializable("keras.initializers", "stft", "STFTInitializer")
class STFT(Initializer):
    """The windowed cosines (real side) or negative sines (imaginary side) of a short-time Fourier transform.

    For a kernel of shape ``(frame_length, 1, bins)``, with ``fft_length = 2 * (bins - 1)``, the entry at ``(t, 0, k)``
    is the window at t times the real or imaginary part of ``exp(-2j * pi * k * t / fft_length)``.

    Args:
        side: ``"real"`` or ``"imag"``.
        window: ``"hann"``, ``"hamming"``, ``"blackman"``, ``"bartlett"``, ``"cosine"``, ``"nuttall"``, ``"boxcar"``; an
            array or tensor of `frame_length` numbers; ``None`` for no window, and no scaling.
        scaling: what the window is divided by: the root of the sum of its squares (``"density"``), its sum
            (``"spectrum"``), or nothing (``None``).
        periodic: whether the window is periodic rather than symmetric.

    Raises:
        ArgumentError: a side, window or scaling that there is not.

    >>> STFT("real", window=None, scaling=None)((4, 1, 3))[:, 0, 2].round()
    tensor([ 1., -1.,  1., -1.])
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in _SIDES:
            raise ArgumentError(f"STFT has no side {side!r}. Use 'real' or 'imag'.")
        if isinstance(window, str) and window not in _WINDOWS:
            raise ArgumentError(f"STFT has no window {window!r}. Use one of {', '.join(_WINDOWS)}, an array, or None.")
        if scaling not in _SCALINGS:
            raise ArgumentError(f"STFT has no scaling {scaling!r}. Use 'density', 'spectrum' or None.")
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Shape, dtype: Any = None) -> torch.Tensor:
        """Make the kernel.

        Args:
            shape: ``(frame_length, channels, bins)``; all channels get the same numbers.
            dtype: name or `torch.dtype`; `floatx` when not given. The numbers are computed in float64.

        Raises:
            ShapeError: the shape has not three sizes, or the window is not `frame_length` long.
        """
        if len(sizes(shape)) != 3:
            raise ShapeError(f"STFT makes kernels of shape (frame_length, 1, bins), not {sizes(shape)}.")
        made = empty(shape, dtypes.to_torch(dtype))
        frame_length, _, bins = made.shape
        exact: dict[str, Any] = {"dtype": torch.float64, "device": made.device}
        fft_length = max(1, 2 * (bins - 1))
        # Whole turns are taken off before pi comes in: large angles would lose digits.
        turns = torch.outer(torch.arange(frame_length, **exact), torch.arange(bins, **exact)).remainder_(fft_length)
        angle = turns.mul_(2 * math.pi / fft_length)
        wave = torch.cos(angle) if self.side == "real" else -torch.sin(angle)
        wave *= self._scaled_window(frame_length, exact)[:, None]
        return made.copy_(wave[:, None])

    def _scaled_window(self, length: int, exact: dict[str, Any]) -> torch.Tensor:
        if self.window is None:
            return torch.ones(length, **exact)
        if isinstance(self.window, str):
            window = _WINDOWS[self.window](length, sym=not self.periodic, **exact)
        else:
            window = torch.as_tensor(self.window, **exact)
            if window.shape != (length,):
                raise ShapeError(f"STFT's window has shape {tuple(window.shape)}; frames of {length} need ({length},).")
        if self.scaling == "density":
            return window / window.square().sum().sqrt()
        return window / window.sum() if self.scaling == "spectrum" else window

    def get_config(self) -> dict[str, Any]:
        """All arguments; a window that is an array as a list."""
        return {
            "side": self.side,
            "window": self.window.tolist() if hasattr(self.window, "tolist") else self.window,
            "periodic": self.periodic,
            "scaling": self.scaling,
        }
