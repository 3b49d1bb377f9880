"""Plans run calls for inference, and step aside for whoever looks on, changes something, or wants gradients."""

from __future__ import annotations

import copy
import pickle
import weakref

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import ramify
from ramify import layers
from ramify.errors import ArgumentError, GraphError
from ramify.graph.structure import flatten
from ramify.passes import plans
from ramify.passes.recording import record


@pytest.fixture
def data():
    return torch.randn(2, 8, 8, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def model(data):
    x = ramify.Input((8, 8, 3))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, name="conv")(x))
    model = ramify.Model(x, layers.Dense(2, name="head")(layers.GlobalAveragePooling2D()(layers.ReLU()(y))))
    with torch.no_grad():
        for _ in range(3):
            model(data)
    assert planned(model)
    return model


def planned(model):
    return [entry for entry in (model._plans.entries if model._plans else {}).values() if entry is not None]


def by_layers(model, data):
    with torch.no_grad():
        return model.lowered(data)


def same(model, data):
    wanted = by_layers(model, data)
    with torch.no_grad():
        torch.testing.assert_close(model(data), wanted)
    for predict in (model.predict, model.predict_on_batch):
        np.testing.assert_allclose(predict(data.numpy()), wanted.numpy(), rtol=1e-4, atol=1e-5)


def test_the_plan_runs_in_place_of_the_layers(model, data, monkeypatch):
    wanted = by_layers(model, data)
    monkeypatch.setitem(model.__dict__, "_lowered", (None, None))  # whoever asks for the layers fails
    with torch.no_grad():
        torch.testing.assert_close(model(data), wanted)
        with torch.inference_mode():
            torch.testing.assert_close(model(data), wanted)
    np.testing.assert_allclose(model.predict(data, verbose=0), wanted.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("change", ["assign", "copy_", "data", "data =", "load_state_dict", "new", "statistics", "fit"])
def test_changed_weights_are_seen(model, data, change):
    kernel = model.get_layer("conv").kernel
    before = by_layers(model, data)
    new = torch.randn(kernel.shape)
    if change == "assign":
        kernel.assign(new)
    elif change == "copy_":
        with torch.no_grad():
            kernel.copy_(new)
    elif change == "data":
        kernel.data.copy_(new)
    elif change == "data =":
        kernel.data = new
    elif change == "load_state_dict":
        model.load_state_dict({key: torch.rand(value.shape) for key, value in model.state_dict().items()})
    elif change == "new":
        model.get_layer("conv").kernel = torch.nn.Parameter(new)
    elif change == "statistics":
        model.layers[2].moving_variance.assign(torch.rand(4) + 1)
    else:
        model.compile("sgd", "mse")
        model.fit(data, torch.ones(2, 2), verbose=0)
    assert not torch.equal(by_layers(model, data), before)
    for _ in range(3):
        same(model, data)


@pytest.mark.parametrize(
    "part", [lambda data: data, lambda data: data[0], lambda data: data.detach().permute(3, 0, 1, 2).view(-1)]
)
def test_a_write_through_a_kept_alias_is_seen(model, data, part):
    """Torch does not count what is written through `data`."""
    kernel = model.get_layer("conv").kernel
    alias = part(kernel.data)
    before = kernel._version
    for _ in range(3):
        same(model, data)
        alias.mul_(1.5)
    assert kernel._version == before
    same(model, data)
    with torch.inference_mode():
        same(model, data + kernel.data.sum())
    kernel.data = torch.ones_like(kernel)
    same(model, data)
    assert planned(model)


def test_an_alias_of_a_weight_stays_out_of_copies(model):
    kernel = model.get_layer("conv").kernel
    kernel.data.mul_(2.0)
    for twin in (copy.deepcopy(kernel), pickle.loads(pickle.dumps(kernel))):
        assert torch.equal(twin, kernel)
        twin.data.zero_()
        assert kernel.abs().sum() > 0
        assert twin.data.data_ptr() == twin.data_ptr()


def test_plans_take_only_so_much_memory(data, monkeypatch):
    x = ramify.Input((None, None, 3))
    y = layers.Conv2D(64, 3)(x)
    model = ramify.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Conv2D(64, 3)(y))))
    monkeypatch.setattr(plans, "FLOOR", 0)
    for size in range(5, 10):
        for _ in range(3):
            with torch.no_grad():
                model(torch.ones(2, size, size, 3))
    taken = sum(entry.plan.nbytes for entry in planned(model))
    weights = sum(weight.nbytes for weight in model.weights)
    assert 0 < taken <= plans.SHARE * weights
    assert len(planned(model)) < 5


def test_a_hook_is_called(model, data):
    seen = []
    handle = model.get_layer("conv").register_forward_hook(lambda _, args, output: seen.append(output.shape))
    with torch.no_grad():
        for _ in range(4):
            model(data)
    assert len(seen) == 4
    handle.remove()
    same(model, data)


def test_a_hook_on_all_modules_is_called(model, data):
    seen = []
    handle = torch.nn.modules.module.register_module_forward_hook(lambda module, *_: seen.append(module.name))
    with torch.no_grad():
        model(data)
    handle.remove()
    assert {"conv", "head"} <= set(seen)


def test_a_changed_layer_is_seen(model, data):
    before = by_layers(model, data)
    model.get_layer("head").activation = torch.exp
    for _ in range(3):
        same(model, data)
    assert not torch.allclose(by_layers(model, data), before)


def without_calls(model, monkeypatch):
    """A call of the model fails: predictions of a known kind are the plan's."""
    monkeypatch.setattr(type(model), "__call__", None)


def test_predictions_of_a_known_kind_run_nothing_but_the_plan(model, data, monkeypatch):
    wanted = by_layers(model, data).numpy()
    array = data.numpy()
    without_calls(model, monkeypatch)
    np.testing.assert_allclose(model.predict(array, verbose=0), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(array), wanted, rtol=1e-4, atol=1e-5)
    for others in (array.astype("float64"), array[:1], data, [data], array[:, ::2]):  # must be looked at more closely
        with pytest.raises(TypeError):
            model.predict_on_batch(others)
    for options in ({"batch_size": 1}, {"callbacks": []}, {"steps": 1}, {"verbose": 1}):
        with pytest.raises(TypeError):
            model.predict(array, **{"verbose": 0, **options})


def test_predictions_of_several_inputs(monkeypatch):
    a, b = ramify.Input((3,)), ramify.Input((2,))
    inner = ramify.Model(a, layers.Dense(2)(a))  # a model within keeps count of calls
    model = ramify.Model([a, b], [inner(a) + b, b])
    x = [np.ones((4, 3), "float32"), np.ones((4, 2), "float32")]
    for _ in range(3):
        wanted = model.predict_on_batch(x)
    with pytest.raises(ArgumentError, match="4"):
        model.predict_on_batch([x[0], x[1][:1]])
    without_calls(model, monkeypatch)
    for found in (model.predict(x, verbose=0), model.predict_on_batch(tuple(x))):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_outputs_of_any_structure_have_plans():
    x = ramify.Input((3,))
    deep = {"a": layers.Dense(2)(x), "b": [x + 1, {"c": (layers.Dense(1)(x), x)}]}
    model, data = ramify.Model(x, deep), np.ones((4, 3), "float32")
    wanted = by_layers(model, torch.from_numpy(data))
    frozen = model.optimize_for_inference()
    for _ in range(4):
        for found in (model.predict(data, verbose=0), model.predict_on_batch(data), frozen.predict(data)):
            assert type(found) is dict
            assert type(found["b"][1]["c"]) is tuple
            for one, other in zip(flatten(found), flatten(wanted), strict=True):
                np.testing.assert_allclose(one, other.numpy(), rtol=1e-5)
    assert planned(model)


def test_predictions_do_not_lie_in_the_memory_of_the_data():
    x = ramify.Input((3, 2))
    model = ramify.Model(x, [x, layers.Flatten()(x), layers.Dense(2)(x)])
    data, frozen = np.ones((4, 3, 2), "float32"), model.optimize_for_inference()
    whole = lambda given: model.predict(given, verbose=0, callbacks=[])  # noqa: E731
    for given in (data, torch.from_numpy(data)):
        for predict in (model.predict, model.predict_on_batch, whole, frozen.predict):
            for _ in range(4):
                assert not any(np.shares_memory(one, data) for one in predict(given))


@pytest.mark.parametrize("what", ["step", "own step", "function", "made function", "hook"])
def test_predictions_by_code_of_the_user(model, data, what):
    array, seen = data.numpy(), []

    def told(value):
        seen.append(value)
        return value

    if what == "step":
        model.__class__ = type("Mine", (type(model),), {"predict_step": lambda self, x: told(self(x))})
    elif what == "own step":
        model.predict_step = lambda x: told(model(x))
    elif what == "function":
        model.predict_function = lambda batches: [told(model(one)) for one in batches]
    elif what == "made function":
        make = lambda self, force=False: lambda batches: [told(self(one)) for one in batches]  # noqa: E731
        model.__class__ = type("Mine", (type(model),), {"make_predict_function": make})
    else:
        model.register_forward_hook(lambda *_: seen.append(1))
    for times in range(3):
        model.predict(array, verbose=0)
        model.predict_on_batch(array)
        assert len(seen) == 2 * times + 2


def test_gradients_training_and_transforms_run_the_layers(model, data):
    head = model.get_layer("head")
    assert model(data).requires_grad
    with torch.no_grad():
        mean = model.layers[2].moving_mean.clone()
        model(data, training=True)
        assert not torch.equal(model.layers[2].moving_mean, mean)
        each = torch.func.vmap(lambda one: model(one.unsqueeze(0))[0])(data)
        torch.testing.assert_close(each, by_layers(model, data))
        weights = {f"head.{name}": torch.zeros_like(value) for name, value in head.named_parameters()}
        assert not torch.func.functional_call(model, weights, (data,)).any()
    same(model, data)


def test_a_layer_left_in_training_mode_trains(data):
    x = ramify.Input((64,))
    dropout = layers.Dropout(0.5)
    model = ramify.Model(x, dropout(x))
    ones = torch.ones(1, 64)
    with torch.no_grad():
        for _ in range(3):
            assert model(ones).all()
        dropout.train()
        for _ in range(4):
            assert not model(ones).all()


def test_copies_and_files_begin_without_plans(model, data):
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert not planned(twin)
        torch.testing.assert_close(by_layers(twin, data), by_layers(model, data))


def test_random_stateful_and_user_layers_run_as_they_are():
    class Counted(ramify.Layer):
        calls = 0

        def call(self, x):
            Counted.calls += 1
            return x + 1

    x, z = ramify.Input((3, 2)), ramify.Input(batch_shape=(1, 3, 2))
    stateful = ramify.Model(z, layers.LSTM(2, stateful=True, return_sequences=True)(z))
    counted = Counted()
    model = ramify.Model(x, counted(layers.Dense(2)(x)) + torch.rand_like(x))
    ones = torch.ones(1, 3, 2)
    with torch.no_grad():
        Counted.calls = 0
        outputs = [model(ones) for _ in range(5)]
        assert Counted.calls == 5
        assert len({float(one.sum()) for one in outputs}) == 5
        states = [stateful(ones) for _ in range(5)]
        assert len({float(one.sum()) for one in states}) == 5
    assert "counted" in str(model.explain())


def test_masks_travel():
    x = ramify.Input((4,), dtype="int32")
    model = ramify.Model(x, layers.LSTM(3)(layers.Embedding(5, 2, mask_zero=True)(x)))
    one = torch.tensor([[1, 2, 0, 0]], dtype=torch.int32)
    with torch.no_grad():
        for _ in range(4):
            assert torch.equal(model(one), model.lowered(one))


def test_the_same_tensor_for_two_inputs_is_still_two_inputs():
    a, b = ramify.Input((3,)), ramify.Input((3,))
    model = ramify.Model([a, b], a - b)
    one = torch.ones(1, 3)
    with torch.no_grad():
        for _ in range(3):
            assert not model([one, one]).any()
        assert (model([one, 3 * one]) == -2).all()


def test_layers_that_add_losses_still_do(data):
    x = ramify.Input((8, 8, 3))
    model = ramify.Model(x, layers.Flatten()(layers.Conv2D(2, 3, activity_regularizer="l2")(x)))
    with torch.no_grad():
        for _ in range(4):
            model(data)
            assert len(model.losses) == 1


def test_passes_can_be_switched_off(model, data):
    model.passes -= {"batch_norm"}
    with torch.no_grad():
        for _ in range(3):
            model(data)
    told = model.explain()
    assert told.off == ["batch_norm"]
    assert all("batch_norm" not in fired for fired in told.fired.values())
    model.passes = []
    with torch.no_grad():
        for _ in range(3):
            assert torch.equal(model(data), model.lowered(data))


def test_explain_says_where(model):
    text = str(model.explain())
    assert "batch_normalization" in text
    assert "into conv" in text
    assert "float32[2, 8, 8, 3]" in text


# ---- frozen ----


def test_a_frozen_model_is_the_model_as_it_was(model, data):
    frozen = model.optimize_for_inference()
    wanted = by_layers(model, data)
    model.get_layer("conv").kernel.assign(torch.zeros(3, 3, 3, 4))
    for _ in range(3):
        torch.testing.assert_close(frozen(data), wanted)
    assert not frozen(data.requires_grad_()).requires_grad
    data = data.detach()
    np.testing.assert_allclose(frozen.predict(data.numpy()), wanted.numpy(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(frozen(data[:1]), wanted[:1], rtol=1e-4, atol=1e-5)
    assert len(frozen.code) == 2
    assert any("batch_norm" in name for fired in frozen.fired.values() for name, _ in fired)


def test_a_model_without_a_graph_cannot_be_frozen(model):
    class Own(ramify.Model):
        def call(self, x):
            return x

    with pytest.raises(GraphError, match="no graph"):
        Own().optimize_for_inference()
    with pytest.raises(ArgumentError, match="no pass"):
        model.optimize_for_inference(["fold"])


class Living(TorchDispatchMode):
    """Counts the tensors of some size that live at a time."""

    def __init__(self, size):
        super().__init__()
        self.size, self.seen, self.most = size, [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.layout is torch.strided and result.numel() == self.size:
            self.seen.append(weakref.ref(result))
            self.most = max(self.most, len({one().data_ptr() for one in self.seen if one() is not None}))
        return result


def test_writing_down_a_call_holds_no_more_than_the_call():
    x = y = ramify.Input((16, 16, 8))
    for _ in range(10):
        y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(y)))
    model = ramify.Model(x, y)
    data = torch.ones(3, 16, 16, 8)
    with torch.no_grad():
        with Living(data.numel()) as call:
            model(data)
        with Living(data.numel()) as recorded:
            program, _ = record(model.lowered, (data,))
    assert len(program.nodes) > 30
    assert 0 < recorded.most <= call.most + 1 < 6


def test_folding_and_packing_hold_one_copy_of_weights_at_a_time():
    x = y = ramify.Input((8, 8, 32))
    for _ in range(10):
        y = layers.BatchNormalization()(layers.Conv2D(32, 3, padding="same", use_bias=False)(y))
    model = ramify.Model(x, y)
    data = torch.ones(2, 8, 8, 32)
    with torch.no_grad():
        model(data)
        model(data)
    (entry,) = planned(model)
    with Living(32 * 32 * 9) as seen:
        entry.plan.prepare()
    assert 0 < seen.most <= 10 + 2  # the weights themselves, and one that is folded
