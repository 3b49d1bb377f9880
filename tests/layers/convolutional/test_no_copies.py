"""Convolutions hand the kernel what they are given: the profiler sees no copy that hand-written torch does not make."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile

import ramify

COPIES = ("aten::copy_", "aten::clone", "aten::contiguous", "aten::_to_copy")


def copies(step):
    step()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        step()
    return Counter(event.name for event in seen.events() if event.name in COPIES)


def step(function, parameters, x):
    def run():
        for parameter in parameters:
            parameter.grad = None
        function(x).sum().backward()

    return run


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("bias", [False, True])
def test_a_training_step_copies_no_more_than_by_hand(bias, padding):
    layer = ramify.layers.Conv2D(8, 3, padding=padding, use_bias=bias)
    layer.build((None, None, None, 4))
    weight = layer.kernel.detach().clone().requires_grad_()
    shift = torch.zeros(8, requires_grad=True) if bias else None
    x = torch.randn(8, 16, 16, 4, requires_grad=True)

    def by_hand(images):
        planes, kernel = images.permute(0, 3, 1, 2), weight.permute(3, 2, 0, 1)
        return F.conv2d(planes, kernel, shift, padding=padding).permute(0, 2, 3, 1)

    ours = copies(step(layer, [x, *layer.weights], x))
    theirs = copies(step(by_hand, [x, weight, *([shift] if bias else [])], x))
    assert sum(ours.values()) <= sum(theirs.values()), (ours, theirs)


def test_a_forward_pass_copies_no_more_than_by_hand():
    layer = ramify.layers.Conv2D(8, 3, use_bias=False)
    layer.build((None, None, None, 4))
    x = torch.randn(8, 16, 16, 4)
    kernel = layer.kernel.detach().clone().requires_grad_()
    ours = copies(lambda: layer(x))
    theirs = copies(lambda: F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1)).permute(0, 2, 3, 1))
    assert sum(ours.values()) <= sum(theirs.values()), (ours, theirs)
    assert sum(theirs.values()) <= 3, "of the kernel's own: it wants the weights in its layout, once"


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("bias", [False, True])
def test_kernels_of_one_pixel_train_as_a_dense_layers_do(rank, bias):
    layer = getattr(ramify.layers, f"Conv{rank}D")(6, 1, use_bias=bias, padding="same", activation="tanh")
    layer.build((None,) * (rank + 1) + (4,))
    x = torch.randn(2, *(5, 3, 4)[:rank], 4, requires_grad=True)
    kernel = layer.kernel.detach().reshape(4, 6).clone().requires_grad_()
    shift = torch.zeros(6, requires_grad=True) if bias else None
    mine, own = layer(x), [x, *layer.weights]
    weights = torch.linspace(-1, 1, mine.numel()).reshape(mine.shape)
    gradients = torch.autograd.grad((mine * weights).sum(), own)
    wanted = torch.tanh(F.linear(x, kernel.t(), shift))
    by_hand = torch.autograd.grad((wanted * weights).sum(), [x, kernel, *([shift] if bias else [])])
    assert torch.equal(mine, wanted)
    for ours, theirs in zip(gradients, by_hand, strict=True):
        assert torch.equal(ours.reshape(theirs.shape), theirs)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), wanted, rtol=1e-5, atol=1e-6)
    dense = step(
        lambda images: torch.tanh(F.linear(images, kernel.t(), shift)), [x, kernel, shift] if bias else [x, kernel], x
    )
    assert copies(step(layer, own, x)) == copies(dense)


def test_steps_and_groups_stay_convolutions():
    for given in ({"strides": 2}, {"groups": 2}, {"data_format": "channels_first"}):
        layer = ramify.layers.Conv2D(6, 1, **given)
        x = torch.randn(2, 4, 4, 4, requires_grad=True)
        y = layer(x)
        with torch.no_grad():
            torch.testing.assert_close(y, layer(x), rtol=1e-5, atol=1e-6)
        assert y.shape == layer.compute_output_shape(x.shape)
