"""The formulas of quantization, against Keras's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from keras import quantizers as theirs

from ramify import quantizers as ours
from ramify.errors import ArgumentError, ShapeError


@pytest.mark.parametrize(("shape", "axis"), [((4, 6), -1), ((4, 6), 0), ((3, 4, 5), (0, 2))])
@pytest.mark.parametrize("limits", [(-127, 127), (-8, 7)])
def test_abs_max(shape, axis, limits):
    x = torch.randn(shape)
    for got, wanted in zip(
        ours.abs_max_quantize(x, axis, limits), theirs.abs_max_quantize(x, axis, limits), strict=True
    ):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(("rows", "size"), [(5, 2), (8, 4), (7, 16), (1, 1)])
@pytest.mark.parametrize("shift", [0.0, 3.0, -3.0])
def test_groups_with_zero_points(rows, size, shift):
    x = torch.randn(rows, 3) + shift
    pair = (module.abs_max_quantize_grouped_with_zero_point(x, size) for module in (ours, theirs))
    for got, wanted in zip(*pair, strict=True):
        torch.testing.assert_close(got, wanted)
    with pytest.raises(ShapeError, match="matrix"):
        ours.abs_max_quantize_grouped_with_zero_point(torch.ones(3), 1)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_two_numbers_in_a_byte(dtype, axis):
    low, high = (-8, 8) if dtype == "int8" else (0, 16)
    numbers = torch.randint(low, high, (5, 7)).to(getattr(torch, dtype))
    packed, shape, length = ours.pack_int4(numbers, axis, dtype)
    wanted = theirs.pack_int4(numbers, axis, dtype)
    assert torch.equal(packed, wanted[0])
    assert (shape, length) == (tuple(wanted[1]), wanted[2])
    assert torch.equal(ours.unpack_int4(packed, length, axis, dtype), numbers)
    with pytest.raises(ArgumentError, match="int8 or uint8"):
        ours.pack_int4(numbers.float(), axis, dtype)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("limits", [(-1.5, 3.0), (0.0, 6.0), (-6.0, 0.0)])
def test_fake_quantization_and_its_gradients(bits, narrow, limits):
    x = torch.randn(50) * 3
    results = []
    for module in (ours, theirs):
        given, low, high = (torch.tensor(v).requires_grad_() for v in (x.tolist(), *limits))
        out = module.fake_quant_with_min_max_vars(given, low, high, num_bits=bits, narrow_range=narrow)
        (out * torch.arange(50.0)).sum().backward()
        results.append((out.detach(), given.grad, low.grad, high.grad))
    for got, wanted in zip(*results, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


def test_fake_quantization_for_each_channel():
    x, low, high = torch.randn(4, 5), -torch.rand(5) - 0.1, torch.rand(5) + 0.1
    pair = [module.fake_quant_with_min_max_vars(x, low, high, axis=1) for module in (ours, theirs)]
    torch.testing.assert_close(*pair)


def test_eight_bit_floats():
    x, scale = torch.randn(20) * 300, torch.tensor(1.5)
    for kind in ("float8_e4m3fn", "float8_e5m2"):
        pair = [module.quantize_and_dequantize(x, scale, kind, "float32") for module in (ours, theirs)]
        torch.testing.assert_close(*pair)
    for amax in (0.0, 3.0, float("inf")):
        pair = [module.compute_float8_scale(torch.tensor(amax), scale, 448.0, 2) for module in (ours, theirs)]
        torch.testing.assert_close(*pair)
    pair = [module.compute_float8_amax_history(x, torch.arange(4.0)) for module in (ours, theirs)]
    torch.testing.assert_close(*pair)


def test_quantizers_and_configs_as_data():
    for made in (
        ours.AbsMaxQuantizer(axis=(0, 1), value_range=(-8, 7)),
        ours.Int8QuantizationConfig(activation_quantizer=None),
        ours.Int4QuantizationConfig(block_size=32),
        ours.Float8QuantizationConfig(),
        ours.GPTQConfig(None, None, weight_bits=3, symmetric=True),
        ours.AWQConfig(None, None, group_size=-1),
    ):
        data = ours.serialize(made)
        assert data == ours.serialize(ours.deserialize(data))
        read = keras.saving.deserialize_keras_object(data)
        assert data["config"] == keras.saving.serialize_keras_object(read)["config"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ours.AbsMaxQuantizer(value_range=(3, 1)), "no range"),
        (lambda: ours.AbsMaxQuantizer()(torch.ones(2)), "Give it `axis`"),
        (lambda: ours.Int4QuantizationConfig(block_size=0), "block_size=0"),
        (lambda: ours.Int4QuantizationConfig(weight_quantizer=ours.AbsMaxQuantizer(axis=0)), "stays in -8"),
        (lambda: ours.GPTQConfig(None, None, weight_bits=5), "weight_bits=5"),
        (lambda: ours.AWQConfig(None, None, num_grid_points=0), "num_grid_points=0"),
        (lambda: ours.get(3), "no quantizer"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_large_errors_do_not_grow_with_the_matrix():
    weight = torch.randn(512, 16)
    numbers, scale, zero = ours.abs_max_quantize_grouped_with_zero_point(weight, 64)
    groups = np.arange(512) // 64
    assert ((numbers - zero[groups]) * scale[groups] - weight).abs().max() <= scale.max() * 1.01
