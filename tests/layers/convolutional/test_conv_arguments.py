"""What convolutions refuse, and what they take beside the plain case."""

from __future__ import annotations

import pytest
import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.layers import convolutional as ours
from ramify.layers.core.input_layer import Input
from ramify.ops.nn.padding import transposed_length, transposed_pads


@pytest.mark.parametrize(("name", "case"), [
    ("Conv2D", {"filters": 0, "kernel_size": 3}),
    ("Conv2D", {"filters": 4.0, "kernel_size": 3}),
    ("Conv2D", {"filters": 4, "kernel_size": 0}),
    ("Conv2D", {"filters": 4, "kernel_size": (3, 3, 3)}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "strides": 0}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "dilation_rate": 0}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": 2}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "causal"}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "full"}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 3}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 0}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "data_format": "NHWC"}),
    ("Conv1DTranspose", {"filters": 4, "kernel_size": 3, "padding": "causal"}),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": 2}),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "dilation_rate": 2}),
    ("DepthwiseConv1D", {"kernel_size": 3, "padding": "causal"}),
    ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 0}),
    ("SeparableConv2D", {"filters": None, "kernel_size": 3}),
])  # fmt: skip
def test_wrong_arguments_are_refused(name, case):
    with pytest.raises(ArgumentError, match=name):
        getattr(ours, name)(**case)


@pytest.mark.parametrize(("case", "shape", "message"), [
    ({}, (4, 4), "4 axes"),
    ({}, (8, 8, None), "how many channels"),
    ({}, (2, 8, 3), "smaller"),
    ({"groups": 2}, (8, 8, 3), "groups"),
])  # fmt: skip
def test_inputs_that_do_not_fit_are_refused(case, shape, message):
    with pytest.raises(ShapeError, match=message):
        ours.Conv2D(4, 3, **case)(Input(shape))


def test_another_number_of_channels_is_refused():
    layer = ours.Conv2D(4, 3)
    layer(torch.zeros(1, 8, 8, 3))
    with pytest.raises(ShapeError, match="size 3"):
        layer(Input((8, 8, 4)))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("extra", [None, 0, 1, 2])
def test_transposed_lengths_add_up(padding, extra):
    for window in range(1, 6):
        for stride in range(1, 4):
            before, tail, cut = transposed_pads(window, stride, padding, extra)
            for size in (1, 5):
                length = (size - 1) * stride + window - 2 * before + tail - cut
                assert length == transposed_length(size, window, stride, padding, extra)


def test_regularizers_constraints_and_activity_are_attached():
    layer = ours.Conv2D(4, 3, kernel_regularizer="l2", bias_constraint="non_neg", activity_regularizer="l2")
    layer(torch.randn(1, 8, 8, 3))
    assert layer.kernel.regularizer is layer.kernel_regularizer
    assert layer.bias.constraint is layer.bias_constraint
    assert len(layer.losses) == 2


def test_the_output_lies_in_memory_as_its_shape_says():
    x = torch.randn(2, 8, 8, 4)
    for layer in (ours.Conv2D(6, 3), ours.Conv2DTranspose(6, 2, strides=2), ours.DepthwiseConv2D(3)):
        assert layer(x).is_contiguous()
    assert ours.Conv1D(6, 3)(torch.randn(2, 8, 4)).is_contiguous()
    assert ours.Conv3D(6, 3)(torch.randn(2, 8, 8, 8, 4)).is_contiguous()


def test_gradients_lie_in_memory_as_the_weights_do():
    layer = ours.Conv2D(6, 3)
    layer(torch.randn(2, 8, 8, 4)).sum().backward()
    assert layer.kernel.grad.stride() == layer.kernel.stride()


def test_half_precision_policies_compute_in_half_precision():
    layer = ours.Conv2D(4, 3, dtype="mixed_bfloat16")
    y = layer(torch.randn(1, 8, 8, 3))
    assert (y.dtype, layer.kernel.dtype) == (torch.bfloat16, torch.float32)
