"""Convolutions hand the kernel what they are given: the profiler sees no copy that torch written by hand does not make.

For each layer stands the same step by hand: the kernel of torch on permuted images, with weights in torch's shape and
channels-last memory. What torch copies there (some gradients) is the kernel's; the layer makes no copy beside it.
"""

from __future__ import annotations

from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

import ramify

COPIES = ("aten::copy_", "aten::clone", "aten::contiguous", "aten::_to_copy")
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
CHANNELS = 4
MEMORY = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}


def copies(step):
    """Sizes of all that is copied, with how often."""
    step()
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True, profile_memory=True, acc_events=True) as seen:
        step()
    found = [event for event in seen.events() if event.name in COPIES]
    return Counter((event.name, tuple(sorted(event.input_shapes[0]))) for event in found if event.input_shapes[0])


def large(counts, smallest):
    """Those of at least as many numbers as the smallest of images and weights, by number of numbers."""
    sizes = Counter()
    for (name, shape), many in counts.items():
        count = torch.Size(shape).numel()
        if name == "aten::copy_" and count >= smallest:
            sizes[count] += many
    return sizes


def volume(sizes):
    """How many numbers were copied."""
    return sum(size * many for size, many in sizes.items())


def training(function, tensors, x):
    def run():
        for tensor in tensors:
            tensor.grad = None
        function(x).sum().backward()

    return run


def forward(function, x):
    def run():
        with torch.no_grad():
            function(x)

    return run


def planes(x, first):
    return x if first else x.movedim(-1, 1)


def back(y, first):
    return y if first else y.movedim(1, -1)


def torch_weight(weight, rank, layout, depthwise):
    """A kernel in torch's shape, with memory of its own, as modules have it after `to(memory_format=...)`."""
    if weight.ndim == 1:
        return weight.detach().clone().requires_grad_()
    axes = (rank, rank + 1) if depthwise else (rank + 1, rank)
    plain = weight.detach().permute(*axes, *range(rank)).contiguous()
    return (plain.flatten(0, 1).unsqueeze(1) if depthwise else plain).to(memory_format=layout).requires_grad_()


def twin(name, rank, first, weights):
    """The layer, by hand."""
    kernel, *further = weights
    groups = CHANNELS if name.startswith(("Depthwise", "Separable")) else 1
    call = (TRANSPOSED if name.endswith("Transpose") else CONV)[rank]

    def run(x):
        x = planes(x, first)
        if name.startswith("Separable"):
            return back(CONV[rank](CONV[rank](x, kernel, groups=groups), *further), first)
        return back(call(x, kernel, further[0], groups=groups), first)

    return run


class Convolutions(TorchDispatchMode):
    """Notes the weights that torch's convolutions are given."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution.default:
            self.weights.append(args[1])
        return func(*args, **(kwargs or {}))


NAMES = [
    *((f"Conv{rank}D", rank) for rank in (1, 2, 3)),
    *((f"Conv{rank}DTranspose", rank) for rank in (1, 2, 3)),
    *((f"{kind}Conv{rank}D", rank) for kind in ("Depthwise", "Separable") for rank in (1, 2)),
]


@pytest.mark.parametrize("mode", ["forward", "training"])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "rank"), NAMES)
def test_no_layer_copies_more_than_by_hand(name, rank, layout, mode):
    first = layout == "channels_first"
    filters = () if name.startswith("Depthwise") else (8,)
    layer = getattr(ramify.layers, name)(*filters, 3, data_format=layout)
    side = {1: 64, 2: 12, 3: 6}[rank]
    shape = (8, CHANNELS, *(side,) * rank) if first else (8, *(side,) * rank, CHANNELS)
    x = torch.randn(shape, requires_grad=True)
    layer.build(shape)
    memory = MEMORY[1 if first else rank]
    deep = name.startswith(("Depthwise", "Separable"))
    weights = [torch_weight(w, rank, memory, deep and i == 0) for i, w in enumerate(layer.weights)]
    hand = twin(name, rank, first, weights)
    torch.testing.assert_close(layer(x), hand(x), rtol=1e-4, atol=1e-4)
    if mode == "forward":
        ours, theirs = copies(forward(layer, x)), copies(forward(hand, x))
    else:
        ours, theirs = copies(training(layer, [x, *layer.weights], x)), copies(training(hand, [x, *weights], x))
    smallest = min(w.numel() for w in weights if w.ndim > 1)
    mine, other = large(ours, smallest), large(theirs, smallest)
    what = f"by the layer: {dict(mine)}, by hand: {dict(other)}"
    # Sequences go through the kernel for images: one more copy of the small weight, one less of the sequences.
    sequences = mode == "training" and rank == 1
    assert mine.total() <= other.total(), what
    assert volume(mine) <= volume(other) if sequences else not mine - other, what


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "rank"), NAMES)
def test_torch_gets_the_memory_of_the_weights_in_its_own_order(name, rank, layout):
    filters = () if name.startswith("Depthwise") else (8,)
    further = {"depth_multiplier": 2} if name.startswith(("Depthwise", "Separable")) else {}
    layer = getattr(ramify.layers, name)(*filters, 3, data_format=layout, **further)
    x = torch.randn((2, CHANNELS, *(8,) * rank) if layout == "channels_first" else (2, *(8,) * rank, CHANNELS))
    layer.build(x.shape)
    kernels = [w for w in layer.weights if w.ndim > 1]
    order = MEMORY[1 if layout == "channels_first" else max(rank, 2)]  # sequences are images of height 1
    for wanted in (True, False):
        with Convolutions() as seen, torch.set_grad_enabled(wanted):
            layer(x)
        assert len(seen.weights) == len(kernels)
        for given, kernel in zip(seen.weights, kernels, strict=True):
            assert given.untyped_storage().data_ptr() == kernel.untyped_storage().data_ptr()
            assert given.is_contiguous(memory_format=order)
            assert given.numel() == kernel.numel()


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("bias", [False, True])
def test_a_padded_training_step_copies_no_more_than_by_hand(bias, padding):
    layer = ramify.layers.Conv2D(8, 3, padding=padding, use_bias=bias)
    layer.build((None, None, None, 4))
    weight = torch_weight(layer.kernel, 2, torch.channels_last, False)
    shift = torch.zeros(8, requires_grad=True) if bias else None
    x = torch.randn(8, 16, 16, 4, requires_grad=True)

    def by_hand(images):
        return F.conv2d(images.permute(0, 3, 1, 2), weight, shift, padding=padding).permute(0, 2, 3, 1)

    ours = copies(training(layer, [x, *layer.weights], x))
    theirs = copies(training(by_hand, [x, weight, *([shift] if bias else [])], x))
    assert sum(ours.values()) <= sum(theirs.values()), (ours, theirs)


def test_the_profiler_sees_a_copy():
    x = torch.randn(8, 16, 16, 4)
    conv = ramify.layers.Conv2D(8, 3)
    conv.build(x.shape)
    plain = large(copies(forward(conv, x)), 288)
    more = large(copies(forward(lambda x: conv(x.clone()), x)), 288)
    assert more - plain == {x.numel(): 1}


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
    dense = training(
        lambda images: torch.tanh(F.linear(images, kernel.t(), shift)), [x, kernel, shift] if bias else [x, kernel], x
    )
    assert copies(training(layer, own, x)) == copies(dense)


def test_steps_and_groups_stay_convolutions():
    for given in ({"strides": 2}, {"groups": 2}, {"data_format": "channels_first"}):
        layer = ramify.layers.Conv2D(6, 1, **given)
        x = torch.randn(2, 4, 4, 4, requires_grad=True)
        y = layer(x)
        with torch.no_grad():
            torch.testing.assert_close(y, layer(x), rtol=1e-5, atol=1e-6)
        assert y.shape == layer.compute_output_shape(x.shape)
