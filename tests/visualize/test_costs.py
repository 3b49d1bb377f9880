"""What calls cost: equal to what torch's own counter counts while the model runs."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import ramify
from ramify import layers
from ramify.visualize.build import picture_of
from ramify.visualize.costs import Cost, costs_of, total
from tests.visualize.architectures import ARCHITECTURES, inception_v3, resnet50, unet


def counted(model, batch):
    data = [torch.zeros(batch, *tensor.shape[1:], dtype=tensor.dtype) for tensor in model.inputs]
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model(data if len(data) > 1 else data[0])
    return counter.get_total_flops()


SMALL = {"resnet50": lambda: resnet50(64, 8), "inception_v3": lambda: inception_v3(139, 8), "unet": lambda: unet(32, 8)}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_flops_are_those_of_torchs_counter(name):
    model = SMALL.get(name, ARCHITECTURES[name])()
    batch = 1 if name == "densenet121" else 3
    assert total(cost.flops for cost in costs_of(model.graph, batch).values()) == counted(model, batch)


def made(layer, *shape, **options):
    x = ramify.Input(shape, **options)
    return ramify.Model(x, layer(x))


@pytest.mark.parametrize(
    "model",
    [
        lambda: made(layers.GRU(3, reset_after=False, return_sequences=True), 7, 5),
        lambda: made(layers.TimeDistributed(layers.Dense(3)), 7, 5),
        lambda: made(layers.EinsumDense("abc,cd->abd", (None, 4)), 7, 5),
        lambda: made(layers.Conv1D(8, 3, groups=2), 9, 4),
        lambda: made(layers.SeparableConv2D(8, 3), 9, 9, 4),
        lambda: made(lambda x: x @ x.transpose(1, 2), 7, 5),
        lambda: made(layers.Bidirectional(layers.SimpleRNN(3)), 7, 5),
    ],
)
def test_layers_of_other_kinds(model):
    model = model()
    assert total(cost.flops for cost in costs_of(model.graph, 2).values()) == counted(model, 2) > 0


def test_all_steps_of_a_sequence_count():
    model = made(layers.LSTM(3), 7, 5)
    assert total(cost.flops for cost in costs_of(model.graph).values()) == 7 * 2 * (5 + 3) * 12


def test_models_in_the_model_count_what_is_in_them_on_their_own_batch():
    inner = made(layers.Dense(3), 4)
    x = ramify.Input((5, 4))
    y = inner(x.reshape(-1, 4))
    model = ramify.Model(x, y)
    picture = picture_of(model, expand_nested=True, batch_size=2)
    group = next(item for item in picture.walk() if item.role == "group")
    assert group.flops == 2 * 5 * 4 * 3 * 2 == counted(model, 2)
    assert group.level.items[1].flops == group.flops
    assert picture.flops == group.flops
    assert picture_of(model, batch_size=2).flops == group.flops


def test_sizes_that_are_unknown():
    x = ramify.Input((None, 4))
    model = ramify.Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Dense(3)(x))))
    assert list(costs_of(model.graph, 2).values()) == [Cost(None, None), Cost(None, 24), Cost(24, 16)]
    assert picture_of(model).flops is None


def test_memory_is_that_of_the_results():
    x = ramify.Input((5, 4))
    model = ramify.Model(x, layers.LSTM(3, return_state=True)(x))
    assert [cost.memory for cost in costs_of(model.graph, 10).values()] == [3 * 10 * 3 * 4]


def test_counting_touches_no_weight_and_adds_no_loss():
    layer = layers.Dense(3, activity_regularizer="l2")
    model = made(layer, 4)
    before = layer.kernel.detach().clone()
    costs_of(model.graph)
    assert torch.equal(layer.kernel, before)
    assert layer.kernel.device.type == "cpu"
    assert model.losses == []
