"""The packed copy for inference: it is kept while the weight is what it was, and never longer."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from ramify.layers.convolutional import Conv1D, Conv2D, Conv2DTranspose, SeparableConv2D
from ramify.layers.convolutional.packing import KeptCopy, _stride, packed

CHANNELS = 48


@pytest.fixture
def layer():
    made = Conv2D(CHANNELS, 3, padding="same")
    made.build((None, 8, 8, CHANNELS))
    return made


@pytest.fixture
def x():
    return torch.randn(1, 8, 8, CHANNELS)


def reference(layer, x):
    kernel = layer.kernel.detach().permute(3, 2, 0, 1).contiguous()
    return F.conv2d(x.permute(0, 3, 1, 2).contiguous(), kernel, layer.bias.detach(), padding=1).permute(0, 2, 3, 1)


def kept(layer):
    return layer._kept._kept


def check(layer, x):
    with torch.no_grad():
        torch.testing.assert_close(layer(x), reference(layer, x), rtol=1e-4, atol=1e-4)


def by_optimizer(layer, x):
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    layer(x).sum().backward()
    optimizer.step()


def by_fused_optimizer(layer, x):
    optimizer = torch.optim.Adam(layer.parameters(), lr=1.0, fused=True)
    layer(x).sum().backward()
    optimizer.step()


def by_foreach(layer, x):
    with torch.no_grad():
        torch._foreach_mul_(list(layer.parameters()), 2.0)


def by_inference_mode(layer, x):
    with torch.inference_mode():
        layer.kernel.mul_(2.0)


def by_new_data(layer, x):
    layer.kernel.data = torch.randn(layer.kernel.shape)


def by_data_in_place(layer, x):
    layer.kernel.data.mul_(2.0)


def by_one_filter(layer, x):
    layer.kernel.data[..., 5] = 0


def by_one_channel(layer, x):
    layer.kernel.data[..., 7, :] = 0


def by_numpy(layer, x):
    layer.kernel.detach().numpy()[:] *= 2


def by_moving(layer, x):
    layer.double().float()
    with torch.no_grad():
        layer.kernel.add_(1)


def by_replacing(layer, x):
    layer.kernel = torch.nn.Parameter(torch.randn(layer.kernel.shape))


CHANGES = [
    lambda layer, x: layer.kernel.assign(torch.randn(layer.kernel.shape)),
    lambda layer, x: layer.kernel.assign_add(1.0),
    lambda layer, x: layer.set_weights([w + 1 for w in layer.get_weights()]),
    lambda layer, x: layer.load_state_dict({k: v + 1 for k, v in layer.state_dict().items()}),
    lambda layer, x: layer.load_state_dict({k: v + 1 for k, v in layer.state_dict().items()}, assign=True),
    by_optimizer, by_fused_optimizer, by_foreach, by_inference_mode, by_new_data, by_data_in_place, by_one_filter,
    by_one_channel, by_numpy, by_moving, by_replacing,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_weight_is_seen(layer, x, change):
    check(layer, x)
    assert kept(layer) is not None
    change(layer, x)
    check(layer, x)
    check(layer, x)


def test_it_is_kept_between_calls_and_left_alone_in_training(layer, x):
    layer(x)
    assert kept(layer) is None
    check(layer, x)
    first = kept(layer)
    check(layer, x)
    assert kept(layer) is first
    assert layer(x).requires_grad


def test_a_copy_made_in_inference_mode_serves_outside(layer, x):
    with torch.inference_mode():
        layer(x)
    check(layer, x)
    y = layer(x.requires_grad_())
    y.sum().backward()


def test_moving_frees_it(layer, x):
    check(layer, x)
    layer.to(torch.float64)
    assert kept(layer) is None


def test_copies_and_files_go_without(layer, x):
    check(layer, x)
    assert kept(copy.deepcopy(layer)) is None
    assert pickle.loads(pickle.dumps(KeptCopy()))._kept is None
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    assert list(layer.state_dict()) == ["kernel", "bias"]


class Recorder(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def test_what_is_recorded_reads_the_weight_itself(layer, x):
    check(layer, x)
    with torch.no_grad(), Recorder():
        assert layer._kept.of(layer.kernel, x) is None
    recorded = make_fx(lambda x, w: packed(w).sum() + x)(x, layer.kernel.detach())
    assert any(node.target is torch.ops.aten.clone.default for node in recorded.graph.nodes)


def test_the_gradient_of_packing_is_that_of_a_permutation():
    kernel = torch.randn(3, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(packed, (kernel,))
    assert torch.autograd.gradgradcheck(lambda k: packed(k) ** 2, (kernel,))
    (grad,) = torch.autograd.grad((packed(kernel) * torch.randn(5, 3, 2, 4).permute(0, 3, 1, 2)).sum(), kernel)
    assert grad.is_contiguous()
    per_sample = torch.func.vmap(torch.func.grad(lambda k: packed(k).square().sum()))(torch.ones(2, 3, 3, 1, 2))
    assert torch.equal(per_sample, torch.full((2, 3, 3, 1, 2), 2.0))


def test_functional_calls_use_the_weights_they_are_given(layer, x):
    check(layer, x)
    with torch.no_grad():
        state = {"kernel": layer.kernel.detach() * 2, "bias": layer.bias.detach()}
        torch.testing.assert_close(torch.func.functional_call(layer, state, (x,)), reference(layer, x) * 2)


def test_large_batches_go_without(layer):
    with torch.no_grad():
        layer(torch.randn(70, 8, 8, CHANNELS))
    assert kept(layer) is None


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 3, 4, 5), (2, 3, 1, 4, 5), (1, 1, 70, 80)])
def test_packing_is_a_permutation(shape):
    kernel = torch.randn(shape)
    rank = len(shape) - 2
    torch.testing.assert_close(packed(kernel), kernel.permute(rank + 1, rank, *range(rank)), rtol=0, atol=0)
    assert packed(kernel).permute(0, *range(2, rank + 2), 1).is_contiguous()


@pytest.mark.parametrize(("rows", "columns"), [(9, 4), (4, 9), (1, 5), (5, 1), (1, 1), (64, 64), (12, 12), (6, 8)])
def test_the_sample_meets_every_row_and_column(rows, columns):
    seen = range(0, rows * columns, _stride(rows, columns))
    assert {i // columns for i in seen} == set(range(rows))
    assert {i % columns for i in seen} == set(range(columns))


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (Conv1D(96, 3), (2, 12, 96)),
        (Conv2DTranspose(48, 3, strides=2), (1, 5, 5, 64)),
        (SeparableConv2D(256, 3), (1, 8, 8, 96)),
    ],
)
def test_other_layers_compute_the_same_with_it(made, shape):
    x = torch.randn(shape)
    want = made(x).detach()
    with torch.no_grad():
        torch.testing.assert_close(made(x), want)
        torch.testing.assert_close(made(x), want)
    assert kept(made) is not None
