"""Fourier transforms. Complex tensors are pairs (real part, imaginary part), as in Keras."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.ops.convert import floating, like
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = ["fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]

Pair = tuple[Tensor, Tensor]


def _complex(x: Any, who: str) -> Tensor:
    if isinstance(x, Tensor) and x.is_complex():
        return x
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ArgumentError(f"{who} takes a pair of tensors (real part, imaginary part), but got {type(x).__name__}.")
    real, imag = like(*x)
    if real.shape != imag.shape:
        shapes = f"{tuple(real.shape)} and {tuple(imag.shape)}"
        raise ArgumentError(f"{who} takes a real and an imaginary part of one shape, but got {shapes}.")
    real, imag = floating(real), floating(imag)
    return torch.complex(real, imag)


def _pair(x: Tensor) -> Pair:
    return x.real, x.imag


@op
def fft(x: Any) -> Pair:
    """The discrete Fourier transform along the last axis.

    Args:
        x: pair (real part, imaginary part) of float tensors of shape ``(..., length)``.

    Returns:
        A pair of tensors of the same shape.

    >>> fft((torch.tensor([1.0, 0.0]), torch.zeros(2)))
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    return _pair(torch.fft.fft(_complex(x, "fft")))


@op
def fft2(x: Any) -> Pair:
    """The discrete Fourier transform along the last two axes; arguments as in `fft`.

    >>> fft2((torch.ones(1, 2), torch.zeros(1, 2)))
    (tensor([[2., 0.]]), tensor([[0., 0.]]))
    """
    return _pair(torch.fft.fft2(_complex(x, "fft2")))


@op
def ifft2(x: Any) -> Pair:
    """The inverse of `fft2`.

    >>> ifft2(fft2((torch.ones(1, 2), torch.zeros(1, 2))))
    (tensor([[1., 1.]]), tensor([[0., 0.]]))
    """
    return _pair(torch.fft.ifft2(_complex(x, "ifft2")))


@op
def rfft(x: Any, fft_length: int | None = None) -> Pair:
    """The first half of the Fourier transform of real numbers along the last axis; the other half mirrors it.

    Args:
        x: float tensor of shape ``(..., length)``.
        fft_length: cut or fill up with zeros to this length first; none of both when not given.

    Returns:
        Pair (real part, imaginary part) of tensors of shape ``(..., fft_length // 2 + 1)``.

    >>> rfft(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    (tensor([1., 1., 1.]), tensor([0., 0., 0.]))
    """
    return _pair(torch.fft.rfft(floating(x), fft_length))


@op
def irfft(x: Any, fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    Args:
        x: pair (real part, imaginary part) of float tensors of shape ``(..., bins)``.
        fft_length: length of the result, ``2 * (bins - 1)`` when not given.

    Returns:
        A real tensor of shape ``(..., fft_length)``.

    >>> irfft((torch.ones(3), torch.zeros(3)))
    tensor([1., 0., 0., 0.])
    """
    return torch.fft.irfft(_complex(x, "irfft"), fft_length)


def _window(window: Any, length: int, fft_length: int, x: Tensor) -> Tensor:
    """The weights of a piece, in the middle of `fft_length` places."""
    if isinstance(window, str):
        kinds = {"hann": torch.hann_window, "hamming": torch.hamming_window}
        if window not in kinds:
            raise ArgumentError(f"The window is 'hann', 'hamming', None or a tensor, but got {window!r}.")
        values = kinds[window](length, periodic=True, dtype=x.dtype, device=x.device)
    elif window is None:
        values = torch.ones(length, dtype=x.dtype, device=x.device)
    else:
        values = to_tensor(window, device=x.device).to(x.dtype)
        if values.shape != (length,):
            raise ArgumentError(f"The window needs shape ({length},), that of a piece, but got {tuple(values.shape)}.")
    before = (fft_length - length) // 2
    return torch.nn.functional.pad(values, (before, fft_length - length - before))


def _check_lengths(sequence_length: int, fft_length: int, who: str) -> None:
    if fft_length < sequence_length:
        raise ArgumentError(
            f"{who} needs an fft_length of at least the sequence_length, but got {fft_length} and {sequence_length}."
        )


@op
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Pair:
    """The Fourier transform of overlapping pieces of the last axis: how the spectrum goes over time.

    Args:
        x: float tensor of shape ``(..., length)``.
        sequence_length: length of a piece.
        sequence_stride: how far apart two pieces begin.
        fft_length: length of a transform, at least that of a piece.
        window: weights within a piece: ``"hann"``, ``"hamming"``, ``None`` or a tensor of shape ``(sequence_length,)``.
        center: mirror both ends so that piece `t` has its middle at ``t * sequence_stride``.

    Returns:
        Pair (real part, imaginary part) of tensors of shape ``(..., pieces, fft_length // 2 + 1)``.

    Raises:
        ArgumentError: another window, or a transform shorter than a piece.

    >>> [part.shape for part in stft(torch.zeros(2, 100), 16, 10, 16)]
    [torch.Size([2, 11, 9]), torch.Size([2, 11, 9])]
    """
    _check_lengths(sequence_length, fft_length, "stft")
    x = floating(x)
    weights = _window(window, sequence_length, fft_length, x)
    flat = x.reshape(-1, x.shape[-1])
    if center:
        flat = torch.nn.functional.pad(flat, (fft_length // 2, fft_length // 2), "reflect")
    pieces = torch.fft.rfft(flat.unfold(-1, fft_length, sequence_stride) * weights)
    return _pair(pieces.reshape(*x.shape[:-1], *pieces.shape[-2:]))


@op
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft`, as far as there is one: the pieces are laid over each other and weighed out.

    Args:
        x: pair (real part, imaginary part) of float tensors of shape ``(..., pieces, fft_length // 2 + 1)``.
        sequence_length: length of a piece.
        sequence_stride: how far apart two pieces begin.
        fft_length: length of a transform.
        length: length of the result; all that the pieces reach when not given.
        window: as in `stft`.
        center: as in `stft`; the mirrored ends are cut off.

    Returns:
        A real tensor of shape ``(..., length)``.

    Source:
        Griffin and Lim, 1984, "Signal estimation from modified short-time Fourier transform".

    >>> x = torch.linspace(0, 1, 100)
    >>> bool((istft(stft(x, 16, 4, 16), 16, 4, 16) - x).abs().max() < 1e-5)
    True
    """
    _check_lengths(sequence_length, fft_length, "istft")
    pieces = torch.fft.irfft(_complex(x, "istft"), fft_length)
    batch, pieces = pieces.shape[:-2], pieces.reshape(-1, *pieces.shape[-2:])
    exact = center and fft_length == sequence_length and window is not None
    if window is not None:
        weights = _window(window, sequence_length, fft_length, pieces)
        pieces = pieces * (weights if exact else weights / _overlap_of(weights * weights, sequence_stride))
    signal = _overlapped(pieces, sequence_stride)
    if exact:  # at the ends, where fewer pieces meet
        weight = _overlapped((weights * weights).expand(1, *pieces.shape[-2:]), sequence_stride)
        signal = signal / torch.where(weight > 1e-11, weight, 1.0)
    first = fft_length // 2 if center else 0
    end = first + length if length is not None else signal.shape[-1] - first
    signal = signal[..., first:end]
    if exact and length is not None:
        signal = torch.nn.functional.pad(signal, (0, length - signal.shape[-1]))
    return signal.reshape(*batch, signal.shape[-1])


def _overlap_of(weights: Tensor, stride: int) -> Tensor:
    """For each place of a piece, the weights of all pieces that meet there, far from the ends."""
    size = weights.shape[-1]
    turns = -(-size // stride)
    rows = torch.nn.functional.pad(weights, (0, turns * stride - size)).view(turns, stride)
    return rows.sum(0).clamp(min=torch.finfo(weights.dtype).tiny).repeat(turns)[:size]


def _overlapped(pieces: Tensor, stride: int) -> Tensor:
    """Pieces ``(batch, count, size)`` added up, each `stride` after the one before."""
    _, count, size = pieces.shape
    total = (count - 1) * stride + size
    folded = torch.nn.functional.fold(pieces.transpose(1, 2), (1, total), (1, size), stride=(1, stride))
    return folded[:, 0, 0]
