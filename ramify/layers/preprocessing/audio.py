"""`MelSpectrogram` and `STFTSpectrogram`: which frequencies sound when."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from ramify import dtypes
from ramify.errors import ArgumentError, InputError
from ramify.image_format import checked_choice, checked_data_format
from ramify.layers.arguments import own_arguments, settle
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable

Tensor = torch.Tensor
_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_WINDOWS = {
    "hann": torch.signal.windows.hann,
    "hamming": torch.signal.windows.hamming,
    "blackman": torch.signal.windows.blackman,
    "bartlett": torch.signal.windows.bartlett,
    "cosine": torch.signal.windows.cosine,
    "nuttall": torch.signal.windows.nuttall,
}
_LARGEST = 3 * 2**20  # numbers in a table: 8,193 frequencies for 256 pitches fit well
_LEAST_POWER = 1e-7  # below it, power counts as this much


@serializable("keras.layers")
class MelSpectrogram(Layer):
    """The loudness of sound over time and over pitch, on the mel scale, in decibels.

    Source: Stevens, Volkmann and Newman, 1937, "A scale for the measurement of the psychological magnitude pitch"; mel
    numbers as ``1127 ln(1 + f / 700)``.

    Args:
        fft_length: samples in a Fourier transform.
        sequence_stride: samples between the starts of two pieces.
        sequence_length: samples in a piece, in the middle of a transform; `fft_length` when not given.
        window: ``"hann"``, ``"hamming"`` or ``None``.
        sampling_rate: samples per second.
        num_mel_bins: how many pitches.
        min_freq: the lowest frequency, in hertz.
        max_freq: the highest frequency, in hertz; half of `sampling_rate` when not given.
        power_to_db: whether the result is in decibels.
        top_db: how many decibels below the loudest number of a batch the result ends.
        mag_exp: exponent of the magnitudes: 1 for magnitudes, 2 for power.
        min_power: below it, power counts as this much.
        ref_power: the power that is 0 decibels.

    Shapes:
        ``(batch, samples)`` -> ``(batch, num_mel_bins, samples // sequence_stride + 1)``; also without the batch.

    Raises:
        ArgumentError: lengths or frequencies that do not fit together.

    Example:

    >>> MelSpectrogram(fft_length=256, sequence_stride=64, num_mel_bins=20)(torch.randn(2, 1000)).shape
    torch.Size([2, 20, 16])
    """

    fft_length: int
    sequence_stride: int
    top_db: float
    min_power: float
    ref_power: float
    _window: Tensor
    _mel: Tensor

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: str | None = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        super().__init__(**kwargs)
        settle(self, arguments)
        self.sequence_length = sequence_length or fft_length
        self.max_freq = max_freq or sampling_rate // 2
        if not 0 < self.sequence_length <= fft_length or sequence_stride < 1:
            raise ArgumentError(
                f"MelSpectrogram takes 0 < sequence_length <= fft_length and a positive sequence_stride, but got "
                f"sequence_length={sequence_length}, fft_length={fft_length}, sequence_stride={sequence_stride}."
            )
        if not 0 <= min_freq < self.max_freq <= sampling_rate / 2:
            raise ArgumentError(
                f"MelSpectrogram takes 0 <= min_freq < max_freq <= sampling_rate / 2, but got min_freq={min_freq}, "
                f"max_freq={max_freq}, sampling_rate={sampling_rate}."
            )
        bins = fft_length // 2 + 1
        if bins * num_mel_bins > _LARGEST:
            raise ArgumentError(
                f"MelSpectrogram makes a table of at most {_LARGEST:,} numbers, but {bins:,} frequencies and "
                f"num_mel_bins={num_mel_bins:,} ask for more. Take a shorter fft_length or fewer pitches."
            )
        values = torch.ones(self.sequence_length) if window is None else window_of(window, self.sequence_length, True)
        mel = mel_weights(num_mel_bins, bins, sampling_rate, min_freq, self.max_freq)
        self.register_buffer("_window", values, persistent=False)
        self.register_buffer("_mel", mel, persistent=False)

    def call(self, inputs: Tensor) -> Tensor:
        """Loudness over pitch and time."""
        if inputs.ndim not in (1, 2):
            raise InputError(
                f"{self.describe()} takes sound of shape (batch, samples) or (samples,), but received shape "
                f"{tuple(inputs.shape)}. Give every channel as a sample of its own."
            )
        sound = inputs.to(torch.float32)
        sound = sound if inputs.ndim == 2 else sound[None]
        pad = self.fft_length // 2
        sound = F.pad(sound[:, None], (pad, pad), mode="reflect")[:, 0]
        before = (self.fft_length - self.sequence_length) // 2
        window = F.pad(self._window, (before, self.fft_length - self.sequence_length - before))
        pieces = sound.unfold(-1, self.fft_length, self.sequence_stride) * window
        power = torch.fft.rfft(pieces).abs() ** self.mag_exp
        mel = (power @ self._mel).transpose(1, 2)
        mel = self._decibels(mel) if self.power_to_db else mel
        return (mel if inputs.ndim == 2 else mel[0]).to(inputs.dtype)

    def _decibels(self, power: Tensor) -> Tensor:
        reference = 10 * math.log10(max(self.min_power, self.ref_power))
        levels = 10 * power.clamp(min=self.min_power).log10() - reference
        return torch.maximum(levels, levels.amax() - self.top_db)


def mel_weights(count: int, bins: int, sampling_rate: float, low: float, high: float) -> Tensor:
    """The share of each frequency in each pitch, triangles on the mel scale: ``(bins, count)`` float32.

    Args:
        count: how many pitches.
        bins: how many frequencies, from 0 to half the sampling rate.
        sampling_rate: in hertz.
        low: the lowest frequency, in hertz.
        high: the highest frequency, in hertz.
    """

    def mel(frequency: Tensor) -> Tensor:
        return 1127 * torch.log1p(frequency / 700)

    frequencies = mel(torch.linspace(0, sampling_rate / 2, bins, dtype=torch.float64))[:, None]
    ends = mel(torch.tensor([low, high], dtype=torch.float64)).tolist()
    edges = torch.linspace(ends[0], ends[1], count + 2, dtype=torch.float64)
    rising = (frequencies - edges[:-2]).div_(edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies).div_(edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling, out=rising).clamp_(min=0)
    weights[0] = 0  # a constant is no sound
    return weights.to(torch.float32)


def window_of(name: str, length: int, periodic: bool) -> Tensor:
    """A window function by its name, ``(length,)`` float32.

    Raises:
        ArgumentError: an unknown name.
    """
    if name in ("boxcar", "ones"):
        return torch.ones(length)
    if name == "tukey":  # flat over the middle half, the halves of a Hann window on both sides
        steps = length if periodic else length - 1
        place = torch.arange(length, dtype=torch.float64) / max(steps, 1)
        edge = torch.minimum(place, 1 - place).clamp(max=0.25)
        return (0.5 - 0.5 * torch.cos(4 * math.pi * edge)).to(torch.float32)
    if name not in _WINDOWS:
        known = ", ".join(map(repr, (*_WINDOWS, "tukey", "boxcar")))
        raise ArgumentError(f"The window is one of {known} or None, but got {name!r}.")
    return _WINDOWS[name](length, sym=not periodic, dtype=torch.float64).to(torch.float32)


@serializable("keras.layers")
class STFTSpectrogram(Layer):
    """The short-time Fourier transform as a convolution, whose kernels start as the transform and can be trained.

    Args:
        mode: what of each complex number: ``"log"`` of the magnitude, ``"magnitude"``, ``"psd"`` (power spectral
            density, one-sided), ``"real"``, ``"imag"``, ``"angle"``, or ``"stft"`` for the real and then the imaginary
            parts.
        frame_length: samples in a piece.
        frame_step: samples between the starts of two pieces; half of `frame_length` when not given.
        fft_length: samples in a transform, pieces are filled up with zeros; the next power of two when
            not given.
        window: name of the window function, such as ``"hann"``, ``"hamming"``, ``"blackman"``, ``"tukey"``; or
            ``None``.
        periodic: whether the window is one for spectra rather than for filters.
        scaling: ``"density"`` divides by the window's length as a vector, ``"spectrum"`` by its sum; or ``None``.
        padding: ``"valid"`` or ``"same"``.
        expand_dims: whether frequencies get an axis of their own.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``(batch, samples, channels)`` -> ``(batch, pieces, channels * bins)``, with ``expand_dims``
        ``(batch, pieces, bins, channels)``; channels first ``(batch, channels, samples)`` ->
        ``(batch, channels * bins, pieces)`` or ``(batch, channels, pieces, bins)``. There are ``fft_length // 2 + 1``
        bins, twice as many for ``mode="stft"``.

    Raises:
        ArgumentError: an unknown choice, or lengths that do not fit together.

    Example:

    >>> STFTSpectrogram(frame_length=64)(torch.randn(2, 1000, 1)).shape
    torch.Size([2, 30, 33])
    """

    frame_length: int
    window: str | None
    periodic: bool
    real_kernel: Tensor | None
    imag_kernel: Tensor | None

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: str | None = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        arguments = own_arguments(locals())
        super().__init__(**kwargs)
        settle(self, arguments)
        self.mode = checked_choice(mode, _MODES, "STFTSpectrogram: mode")
        self.scaling = None if scaling is None else checked_choice(scaling, ("density", "spectrum"), "STFT: scaling")
        self.padding = checked_choice(padding, ("valid", "same"), "STFTSpectrogram: padding")
        self.data_format = checked_data_format(data_format, "STFTSpectrogram")
        self.input_spec = InputSpec(ndim=3)
        self._step = frame_step or max(frame_length // 2, 1)
        length = fft_length or 1 << (frame_length - 1).bit_length()
        self._transform = length // 2 * 2  # an odd length has the frequencies of the even one below, as in Keras
        if frame_length < 2 or self._step < 1 or length < frame_length:
            raise ArgumentError(
                "STFTSpectrogram takes frame_length > 1, frame_step > 0 and fft_length >= frame_length, but got "
                f"frame_length={frame_length}, frame_step={frame_step}, fft_length={fft_length}."
            )
        if window is not None:
            window_of(window, min(frame_length, 8), periodic)  # to tell wrong names

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the kernels, ``(frame_length, 1, bins)`` each; only those that the mode needs."""
        del input_shape
        shape = (self.frame_length, 1, self._transform // 2 + 1)
        for part in ("real", "imag"):
            name = f"{part}_kernel"
            needed = self.mode not in ("real", "imag") or self.mode == part
            weight = self.add_weight(shape, partial(self._wave, part), name=name) if needed else None
            setattr(self, name, weight)

    def _wave(self, part: str, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """A kernel; not made where a file has it."""
        values = torch.ones(self.frame_length, dtype=torch.float64)
        if self.window is not None:
            values = window_of(self.window, self.frame_length, self.periodic).to(torch.float64)
            if self.scaling is not None:
                values = values / (values.square().sum().sqrt() if self.scaling == "density" else values.sum())
        steps = torch.arange(self.frame_length, dtype=torch.float64)[:, None]
        turns = torch.arange(shape[2], dtype=torch.float64) / self._transform
        angles = 2 * math.pi * (steps * turns).remainder(1.0)
        kernel = angles.cos() if part == "real" else -angles.sin()
        return (kernel * values[:, None])[:, None, :].to(torch.float32 if dtype is None else dtypes.to_torch(dtype))

    def call(self, inputs: Tensor) -> Tensor:
        """The spectrum of each piece."""
        sound = inputs.transpose(1, 2) if self.data_format == "channels_last" else inputs
        batch, channels, samples = sound.shape
        sound = sound.reshape(batch * channels, 1, samples)
        if self.padding == "same":
            pieces = -(-samples // self._step)
            missing = max((pieces - 1) * self._step + self.frame_length - samples, 0)
            sound = F.pad(sound, (missing // 2, missing - missing // 2))
        parts = [
            F.conv1d(sound, kernel.permute(2, 1, 0), stride=self._step)
            for kernel in (self.real_kernel, self.imag_kernel)
            if kernel is not None
        ]
        spectrum = self._reading(parts)  # (batch * channels, bins, pieces)
        bins, pieces = spectrum.shape[1:]
        spectrum = spectrum.reshape(batch, channels, bins, pieces)
        if self.expand_dims:
            return spectrum.permute(0, 3, 2, 1) if self.data_format == "channels_last" else spectrum.transpose(2, 3)
        flat = spectrum.reshape(batch, channels * bins, pieces)
        return flat.transpose(1, 2) if self.data_format == "channels_last" else flat

    def _reading(self, parts: list[Tensor]) -> Tensor:
        """What the mode asks for of the real and the imaginary parts, which have shape ``(any, bins, pieces)``."""
        if self.mode in ("real", "imag"):
            return parts[0]
        real, imag = parts
        if self.mode == "stft":
            return torch.cat(parts, 1)
        if self.mode == "angle":
            return torch.atan2(imag, real)
        power = real.square() + imag.square()
        if self.mode == "psd":
            # Negative frequencies fall on positive ones; 0 and the highest one have no counterpart.
            return torch.cat([power[:, :1], 2 * power[:, 1:-1], power[:, -1:]], 1)
        power = power.clamp(min=_LEAST_POWER)
        return power.sqrt() if self.mode == "magnitude" else 0.5 * power.log()
