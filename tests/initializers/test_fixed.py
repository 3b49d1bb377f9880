"""Initializers without chance give what Keras's give, to the digit."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import torch

from ramify import dtypes, initializers
from ramify.errors import ArgumentError, ShapeError


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("Zeros", {}, (3, 2)),
        ("Ones", {}, (3,)),
        ("Ones", {}, ()),
        ("Constant", {}, (2,)),
        ("Constant", {"value": -1.5}, (2, 3)),
        ("Constant", {"value": 3}, (2, 3)),
        ("Constant", {"value": [1.0, 2.0, 3.0]}, (2, 3)),
        ("Constant", {"value": np.arange(6.0).reshape(2, 3)}, (2, 3)),
        ("Identity", {}, (3, 3)),
        ("Identity", {"gain": 0.5}, (2, 4)),
        ("Identity", {"gain": 2}, (4, 2)),
    ],
)
@pytest.mark.parametrize("dtype", [None, "float16", "float64", "int32"])
def test_equal_to_keras(name, arguments, shape, dtype):
    if dtype == "int32" and arguments.get("gain") == 0.5:
        pytest.skip("half a one is no integer")
    ours = getattr(initializers, name)(**arguments)(shape, dtype=dtype)
    theirs = getattr(keras.initializers, name)(**arguments)(shape, dtype=dtype)
    assert ours.dtype == dtypes.to_torch(dtype)
    if name == "Identity":  # Keras forgets an integer dtype where the gain is a float
        theirs = theirs.to(ours.dtype)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_bools():
    assert initializers.Ones()((2,), dtype="bool").tolist() == [True, True]


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("window", [None, "hann", "hamming", "blackman", "bartlett", "cosine", "nuttall", "boxcar"])
@pytest.mark.parametrize("scaling", [None, "density", "spectrum"])
@pytest.mark.parametrize("periodic", [False, True])
def test_stft_equals_keras(side, window, scaling, periodic):
    for shape in ((8, 1, 5), (12, 1, 17), (7, 1, 3)):
        arguments = (side, window, scaling, periodic)
        ours = initializers.STFT(*arguments)(shape)
        torch.testing.assert_close(ours, keras.initializers.STFT(*arguments)(shape), rtol=1e-5, atol=2e-5)


def test_stft_is_the_fourier_transform_of_a_frame():
    frame = torch.randn(64, dtype=torch.float64)
    plain = {"window": "hann", "scaling": None, "periodic": True}
    real, imag = (initializers.STFT(side, **plain)((64, 1, 33), "float64")[:, 0].T @ frame for side in ("real", "imag"))
    exact = torch.fft.rfft(frame * torch.hann_window(64, dtype=torch.float64))
    torch.testing.assert_close(torch.complex(real, imag), exact)


def test_stft_takes_an_array_as_its_window():
    window = np.linspace(0, 1, 6)
    ours = initializers.STFT(window=window)
    theirs = keras.initializers.STFT(window=torch.tensor(window, dtype=torch.float32))
    torch.testing.assert_close(ours((6, 1, 4)), theirs((6, 1, 4)), rtol=1e-5, atol=1e-6)
    again = initializers.deserialize(json.loads(json.dumps(initializers.serialize(ours))))
    assert torch.equal(again((6, 1, 4)), ours((6, 1, 4)))


def test_stft_has_the_shape_that_was_asked_for():
    kernel = initializers.STFT()((8, 2, 5))
    assert kernel.shape == (8, 2, 5)
    assert torch.equal(kernel[:, 0], kernel[:, 1])
    assert torch.isfinite(initializers.STFT("imag")((4, 1, 1))).all()


@pytest.mark.parametrize(
    "arguments",
    [{"side": "left"}, {"window": "glass"}, {"scaling": "none"}],
)
def test_stft_arguments_that_cannot_be(arguments):
    with pytest.raises(ArgumentError, match=str(*arguments.values())):
        initializers.STFT(**arguments)


def test_results_are_new_tensors_that_own_their_memory():
    value = torch.ones(3, requires_grad=True)
    made = initializers.Constant(value)((3,))
    made += 1
    assert value.tolist() == [1, 1, 1]
    assert not made.requires_grad
    for initializer, shape in ((initializers.Constant([1.0, 2.0]), (3, 2)), (initializers.Identity(), (2, 3))):
        assert initializer(shape).is_contiguous()


@pytest.mark.parametrize("name", ["zeros", "constant", "identity", "stft", "he_normal", "orthogonal", "random_normal"])
def test_a_meta_default_device_still_gives_numbers(name):
    shape = (4, 1, 3) if name == "stft" else (4, 3)
    with torch.device("meta"):
        made = initializers.get(name)(shape)
    assert made.device.type == "cpu"
    assert made.shape == shape


def test_floatx_is_the_default_dtype():
    dtypes.set_floatx("float64")
    try:
        assert initializers.Zeros()((2,)).dtype == torch.float64
        assert initializers.GlorotUniform()((2, 2)).dtype == torch.float64
    finally:
        dtypes.set_floatx("float32")


def test_shapes_of_any_kind():
    for shape in (3, [3], (3,), torch.Size([3]), np.int64(3), (np.int64(3),)):
        assert initializers.Zeros()(shape).shape == (3,)
        assert initializers.GlorotUniform()(shape).shape == (3,)


@pytest.mark.parametrize("shape", [(None, 3), (-1, 3), ("a",), (1.5,)])
@pytest.mark.parametrize("name", ["zeros", "random_normal"])
def test_shapes_that_cannot_be(name, shape):
    with pytest.raises(ShapeError, match="cannot have the shape"):
        initializers.get(name)(shape)


def test_values_and_ranks_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        initializers.Constant([1.0, 2.0])((3,))
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        initializers.Identity()((3,))
    with pytest.raises(ShapeError, match=r"\(4, 3\)"):
        initializers.STFT()((4, 3))
