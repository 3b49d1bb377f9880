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
