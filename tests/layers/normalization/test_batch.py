"""BatchNormalization over several steps: moving statistics, masks, frozen layers, shared layers, several processes."""

from __future__ import annotations

import copy
import time

import keras
import numpy as np
import pytest
import torch

from ramify.layers.normalization import BatchNormalization

SHAPES = [(2, 3), (7, 3), (4, 5, 3), (4, 5, 2, 3), (2, 3, 2, 2, 3)]


def twins(shape, **kwargs):
    a, b = BatchNormalization(**kwargs), keras.layers.BatchNormalization(**kwargs)
    a.build((None, *shape[1:]))
    b.build((None, *shape[1:]))
    return a, b


def assert_equal_weights(a, b, rtol=1e-5):
    for p, q in zip(a.weights, b.weights, strict=True):
        np.testing.assert_allclose(p.numpy(), keras.ops.convert_to_numpy(q), rtol=rtol, atol=1e-6, err_msg=q.path)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("momentum", [0.99, 0.5, 0.0, 1.0])
def test_moving_statistics_over_several_steps(shape, momentum):
    a, b = twins(shape, momentum=momentum, dtype="float64")
    mean, variance = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    for step in range(10):
        x = torch.randn(shape, dtype=torch.float64) * (1 + step) + 1
        y, want = a(x, training=True).detach(), b(x, training=True).detach()
        np.testing.assert_allclose(y, want, rtol=1e-4, atol=2e-3)  # Keras rounds where values are far from zero
        rest = list(range(x.ndim - 1))
        exact = (x - x.mean(rest)) / torch.sqrt(x.var(rest, correction=0) + 1e-3)
        torch.testing.assert_close(y, exact)
        mean = momentum * mean + (1 - momentum) * x.mean(rest)
        variance = momentum * variance + (1 - momentum) * x.var(rest, correction=0)
        np.testing.assert_allclose(a.moving_mean.numpy(), mean, rtol=1e-9)
        np.testing.assert_allclose(a.moving_variance.numpy(), variance, rtol=1e-9)
        assert_equal_weights(a, b, rtol=2e-3)
    np.testing.assert_allclose(a(x).detach(), b(x).detach(), rtol=1e-4, atol=1e-5)


def test_hundreds_of_steps_do_not_drift():
    a, b = BatchNormalization(momentum=0.9, dtype="float32"), BatchNormalization(momentum=0.9, dtype="float64")
    for _ in range(500):
        x = torch.randn(3, 4, dtype=torch.float64)
        a(x, training=True)
        b(x, training=True)
    np.testing.assert_allclose(a.moving_variance.numpy(), b.moving_variance.numpy(), rtol=1e-5)


def test_one_number_per_channel():
    a, b = twins((1, 3), momentum=0.9)
    x = torch.randn(1, 3)
    np.testing.assert_allclose(a(x, training=True).detach(), b(x, training=True).detach(), atol=1e-5)
    assert_equal_weights(a, b)


def test_an_empty_batch_changes_nothing():
    layer = BatchNormalization()
    layer(torch.randn(4, 3), training=True)
    before = [w.clone() for w in layer.weights]
    assert layer(torch.empty(0, 3), training=True).shape == (0, 3)
    assert all(torch.equal(p, q) for p, q in zip(before, layer.weights, strict=True))


@pytest.mark.parametrize("mask", [[[1, 1, 0], [1, 0, 0]], [[1, 1, 1], [1, 1, 1]], [[0, 0, 0], [0, 0, 0]]], ids=range(3))
@pytest.mark.parametrize("training", [True, False])
def test_masks(mask, training):
    a, b = twins((2, 3, 4), momentum=0.9)
    x, mask = torch.randn(2, 3, 4) + 1, torch.tensor(mask, dtype=torch.bool)
    for _ in range(3):
        y, want = a(x, training=training, mask=mask), b(x, training=training, mask=mask)
        np.testing.assert_allclose(y.detach(), want.detach(), rtol=1e-4, atol=1e-4)
    assert_equal_weights(a, b)


def test_masked_gradients():
    a, b = twins((2, 3, 4))
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]], dtype=torch.bool)
    x = torch.randn(2, 3, 4)
    u, v, w = x.clone().requires_grad_(), x.clone().requires_grad_(), torch.randn(2, 3, 4)
    (a(u, training=True, mask=mask) * w).sum().backward()
    (b(v, training=True, mask=mask) * w).sum().backward()
    np.testing.assert_allclose(u.grad, v.grad, rtol=1e-3, atol=1e-5)


def test_frozen_is_inference():
    layer = BatchNormalization()
    x = torch.randn(4, 3)
    layer(x)
    layer.trainable = False
    torch.testing.assert_close(layer(x, training=True), layer(x, training=False))
    assert torch.equal(layer.moving_mean, torch.zeros(3))
    assert not layer.trainable_weights
    assert len(layer.non_trainable_weights) == 4


def test_a_shared_layer_can_be_differentiated():
    layer = BatchNormalization(momentum=0.5)
    x = torch.randn(4, 2, 2, 3, requires_grad=True)
    layer(layer(x, training=True) * 2, training=True).square().sum().backward()
    assert x.grad.isfinite().all()


def test_copies_and_modes():
    layer = BatchNormalization()
    layer(torch.randn(4, 3), training=True)
    twin = copy.deepcopy(layer)
    layer(torch.randn(4, 3) + 5, training=True)
    assert not torch.equal(twin.moving_mean, layer.moving_mean)
    assert set(layer.state_dict()) == {"gamma", "beta", "moving_mean", "moving_variance"}
    layer.train()
    before = layer.moving_mean.clone()
    layer(torch.randn(4, 3))
    assert not torch.equal(before, layer.moving_mean)


def test_images_stay_in_channels_last_memory():
    layer = BatchNormalization()
    for training in (False, True):
        assert layer(torch.randn(2, 4, 4, 3), training=training).is_contiguous()


def test_a_step_can_be_traced_to_a_flat_list_of_operations():
    from torch.fx.experimental.proxy_tensor import make_fx

    layer = BatchNormalization(momentum=0.9)
    x = torch.randn(6, 4, 4, 3)
    layer(x)

    def state():
        return {name: w.detach().as_subclass(torch.Tensor).clone() for name, w in layer.state_dict().items()}

    def step(x, weights):
        return torch.func.functional_call(layer, weights, (x,), {"training": True})

    traced, weights = make_fx(step)(torch.randn(6, 4, 4, 3), state()), state()
    torch.testing.assert_close(traced(x, weights), layer(x, training=True))
    np.testing.assert_allclose(weights["moving_variance"], layer.moving_variance.numpy())
    np.testing.assert_allclose(weights["moving_mean"], layer.moving_mean.numpy())


def _replica(rank, folder, shards, results):
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    layer = BatchNormalization(synchronized=True, momentum=0.5)
    x = shards[rank].clone().requires_grad_()
    y = layer(x, training=True)
    (y * torch.arange(4.0)[:, None]).sum().backward()
    results[rank] = (y.detach().numpy(), layer.moving_variance.numpy(), x.grad.numpy())
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_processes_count_together(tmp_path):
    whole = torch.randn(8, 3)
    with torch.multiprocessing.Manager() as manager:
        results = manager.dict()
        torch.multiprocessing.spawn(_replica, (str(tmp_path), list(whole.split(4)), results), nprocs=2)
        got = dict(results)
    layer, x = BatchNormalization(momentum=0.5), whole.clone().requires_grad_()
    y = layer(x, training=True)
    (y * torch.arange(4.0).repeat(2)[:, None]).sum().backward()
    for i, want in enumerate((y.detach(), None, x.grad)):
        if want is not None:
            np.testing.assert_allclose(np.concatenate([got[0][i], got[1][i]]), want, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got[0][1], layer.moving_variance.numpy(), rtol=1e-5)


def test_inference_costs_about_what_torchs_layer_costs():
    x = torch.randn(1, 16, 16, 32)
    plain, layer, view = torch.nn.BatchNorm2d(32, eps=1e-3).eval(), BatchNormalization(), x.permute(0, 3, 1, 2)
    layer(x)

    def best(function, value):
        times = []
        for _ in range(30):
            start = time.perf_counter()
            for _ in range(50):
                function(value)
            times.append(time.perf_counter() - start)
        return min(times)

    with torch.no_grad():
        assert best(layer, x) < 2 * best(plain, view)  # measured at 1.2


@pytest.mark.parametrize("clipping", [None, {"rmax": 1.5, "rmin": 0.8, "dmax": 0.3}, {"dmax": 0.1}], ids=str)
@pytest.mark.parametrize("shape", [(6, 3), (4, 5, 2, 3)], ids=str)
def test_renormalized_steps_are_those_of_keras(shape, clipping):
    """Values, gradients, all seven weights and the result afterwards (Ioffe, 2017)."""
    a, b = twins(shape, renorm=True, renorm_clipping=clipping, momentum=0.9, renorm_momentum=0.7)
    assert [w.name for w in a.weights] == [w.name for w in b.weights]
    config = a.get_config()
    assert {key: config[key] for key in config if "renorm" in key} == {
        key: value for key, value in b.get_config().items() if "renorm" in key
    }
    for step in range(6):
        x = torch.randn(shape) * (1 + step) + step
        mine, other = (x.clone().requires_grad_() for _ in range(2))
        y, want = a(mine, training=True), b(other, training=True)
        np.testing.assert_allclose(y.detach(), want.detach(), rtol=1e-4, atol=1e-4)
        y.sin().sum().backward()
        want.sin().sum().backward()
        np.testing.assert_allclose(mine.grad, other.grad, rtol=1e-3, atol=1e-4)
        assert_equal_weights(a, b, rtol=1e-4)
    np.testing.assert_allclose(a(x, training=False).detach(), b(x, training=False).detach(), rtol=1e-4, atol=1e-4)
