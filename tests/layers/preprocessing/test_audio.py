"""Spectrograms against Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, InputError
from ramify.layers.preprocessing.audio import MelSpectrogram, STFTSpectrogram

MEL = [
    {"fft_length": 256, "sequence_stride": 64, "num_mel_bins": 20},
    {},
    {"sequence_length": 1000, "window": "hamming"},
    {"power_to_db": False, "mag_exp": 1.0, "window": None},
    {"ref_power": 10.0, "min_power": 1e-3, "top_db": 20.0, "sampling_rate": 8000, "min_freq": 100, "max_freq": 3000},
]
STFT = [
    {},
    {"fft_length": 301},
    {"fft_length": 300},
    {"frame_length": 100, "padding": "same", "frame_step": 30},
    {"scaling": "spectrum", "window": "tukey", "periodic": True},
    {"window": None},
    {"window": "blackman", "scaling": None, "expand_dims": True},
    {"window": "hamming", "data_format": "channels_first"},
    {"data_format": "channels_first", "expand_dims": True},
]
MODES = ["log", "magnitude", "psd", "real", "imag", "angle", "stft"]


def config(layer):
    return {key: value for key, value in layer.get_config().items() if key != "name"}


@pytest.mark.parametrize("options", MEL, ids=str)
def test_mel(options):
    theirs, ours = keras.layers.MelSpectrogram(**options), MelSpectrogram(**options)
    x = torch.randn(2, 3000)
    for sound in (x, x[0], x * 1e-3):
        torch.testing.assert_close(ours(sound), theirs(sound), rtol=1e-4, atol=1e-3)
    assert config(theirs) == config(ours)
    assert config(MelSpectrogram.from_config(ours.get_config())) == config(ours)
    assert not ours.weights


@pytest.mark.filterwarnings("ignore:`fft_length` is recommended")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", STFT, ids=str)
def test_stft(options, mode):
    theirs, ours = keras.layers.STFTSpectrogram(mode, **options), STFTSpectrogram(mode, **options)
    x = torch.randn(2, 3, 700) if "data_format" in options else torch.randn(2, 700, 3)
    expected, found = theirs(x).detach(), ours(x).detach()
    assert found.shape == expected.shape
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)  # Keras makes its kernels in float32
    ours.set_weights(theirs.get_weights())
    torch.testing.assert_close(ours(x).detach(), expected, rtol=1e-4, atol=2e-4)
    assert [w.shape for w in ours.trainable_weights] == [tuple(w.shape) for w in theirs.trainable_weights]
    assert config(theirs) == config(ours)
    assert config(STFTSpectrogram.from_config(ours.get_config())) == config(ours)


def test_the_kernels_are_the_fourier_transform():
    x = torch.randn(1, 256, 1)
    layer = STFTSpectrogram("stft", window=None, scaling=None)
    real, imag = layer(x)[0, 0].chunk(2)
    exact = torch.fft.rfft(x[0, :, 0])
    torch.testing.assert_close(torch.complex(real, imag), exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", STFT, ids=str)
def test_symbolic_shapes(options):
    first = "data_format" in options
    for length in (700, None):
        x = ramify.Input((3, length) if first else (length, 3))
        symbolic = STFTSpectrogram(**options)(x).shape
        real = STFTSpectrogram(**options)(torch.randn((2, 3, 700) if first else (2, 700, 3))).shape
        assert all(a in (None, b) for a, b in zip(symbolic, real, strict=True))
        assert length is None or symbolic == (None, *real[1:])
    assert MelSpectrogram()(ramify.Input((None,))).shape == (None, 128, None)
    assert MelSpectrogram()(ramify.Input((3000,))).shape == (None, 128, 6)


def test_gradients_reach_the_kernels():
    layer = STFTSpectrogram("log")
    x = torch.randn(1, 600, 1, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert all(w.grad is not None and torch.isfinite(w.grad).all() for w in layer.trainable_weights)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (STFTSpectrogram, {"mode": "power"}),
        (STFTSpectrogram, {"frame_length": 512, "fft_length": 256}),
        (STFTSpectrogram, {"window": "kaiser"}),
        (STFTSpectrogram, {"padding": "causal"}),
        (MelSpectrogram, {"sequence_length": 4096}),
        (MelSpectrogram, {"max_freq": 9000}),
    ],
)
def test_wrong_arguments(kind, options):
    with pytest.raises(ArgumentError):
        kind(**options)


def test_what_is_no_sound():
    with pytest.raises(InputError, match="samples"):
        MelSpectrogram()(torch.randn(2, 3000, 1))
