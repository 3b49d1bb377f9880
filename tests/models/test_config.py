"""The config of a functional model: Keras's layout, and the same graph again when it is read."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ramify
from ramify import Input, Model, layers
from ramify.errors import ArgumentError, FileFormatError
from ramify.graph.structure import flatten

pytestmark = pytest.mark.filterwarnings("ignore")


def again(model):
    copy = type(model).from_config(json.loads(json.dumps(model.get_config())))
    copy.set_weights(model.get_weights())
    return copy


def assert_same(model, copy, *arrays):
    fed = list(arrays) if len(arrays) > 1 else arrays[0]
    for a, b in zip(flatten(model(fed)), flatten(copy(fed)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


X = torch.linspace(-2, 2, 12).reshape(3, 4)


@pytest.mark.parametrize(
    ("module", "name", "make"),
    [
        ("keras.src.ops.numpy", "Add", lambda x: x + 1.0),
        ("keras.src.ops.numpy", "Subtract", lambda x: 1 - x),
        ("keras.src.ops.numpy", "Multiply", lambda x: torch.mul(x, 2)),
        ("keras.src.ops.numpy", "TrueDivide", lambda x: x / 2),
        ("keras.src.ops.numpy", "Divide", lambda x: torch.div(x, 2.0)),
        ("keras.src.ops.numpy", "Negative", lambda x: -x),
        ("keras.src.ops.numpy", "Power", lambda x: x**2),
        ("keras.src.ops.numpy", "Power", lambda x: torch.pow(x, exponent=2)),
        ("keras.src.ops.numpy", "FloorDivide", lambda x: x // 0.3),
        ("keras.src.ops.numpy", "Mod", lambda x: x % 0.7),
        ("keras.src.ops.numpy", "Absolute", abs),
        ("keras.src.ops.numpy", "Matmul", lambda x: x @ torch.ones(4, 2)),
        ("keras.src.ops.numpy", "GetItem", lambda x: x[:, 1:3]),
        ("keras.src.ops.numpy", "GetItem", lambda x: x[..., None, 2]),
        ("keras.src.ops.numpy", "Concatenate", lambda x: torch.cat([x, x], dim=1)),
        ("keras.src.ops.numpy", "Stack", lambda x: torch.stack([x, x], 1)),
        ("keras.src.ops.numpy", "Reshape", lambda x: x.reshape(-1, 2, 2)),
        ("keras.src.ops.numpy", "Reshape", lambda x: torch.reshape(x, (-1, 2))),
        ("keras.src.ops.numpy", "Transpose", lambda x: x[:, None].permute(0, 2, 1)),
        ("keras.src.ops.numpy", "ExpandDims", lambda x: x.unsqueeze(1)),
        ("keras.src.ops.numpy", "Sum", lambda x: x.sum(dim=-1, keepdim=True)),
        ("keras.src.ops.numpy", "Mean", lambda x: torch.mean(x, dim=(0, 1))),
        ("keras.src.ops.numpy", "Max", lambda x: x.amax(1)),
        ("keras.src.ops.numpy", "Min", torch.amin),
        ("keras.src.ops.numpy", "Clip", lambda x: x.clamp(-1, 1)),
        ("keras.src.ops.numpy", "Maximum", lambda x: torch.maximum(x, -x)),
        ("keras.src.ops.numpy", "Greater", lambda x: x > 0),
        ("keras.src.ops.numpy", "Where", lambda x: torch.where(x > 0, x, torch.zeros(4))),
        ("keras.src.ops.numpy", "Exp", torch.exp),
        ("keras.src.ops.core", "Cast", lambda x: (x > 0).to(torch.float32)),
        ("keras.src.ops.core", "Cast", lambda x: x.to(dtype=torch.float64)),
        ("keras.src.ops.nn", "Relu", F.relu),
        ("keras.src.ops.nn", "Gelu", F.gelu),
        ("keras.src.ops.nn", "Gelu", lambda x: F.gelu(x, approximate="tanh")),
        ("keras.src.ops.nn", "Softmax", lambda x: F.softmax(x, dim=-1)),
        ("keras.src.ops.nn", "LogSoftmax", lambda x: x.log_softmax(-1)),
        ("keras.src.ops.nn", "LeakyRelu", F.leaky_relu),
        ("keras.src.ops.nn", "Silu", F.silu),
        ("keras.src.ops.math", "Logsumexp", lambda x: torch.logsumexp(x, 1)),
    ],
)
def test_operations_that_keras_has_are_written_as_keras_has_them(module, name, make):
    x = Input((4,))
    model = Model(x, make(x))
    entry = model.get_config()["layers"][-1]
    assert (entry["module"], entry["class_name"]) == (module, name)
    assert_same(model, again(model), X)
    theirs = keras.models.model_from_json(model.to_json())
    np.testing.assert_allclose(theirs(X.numpy()).numpy(), model(X).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("torch.Tensor.mT", lambda x: x.mT),
        ("operator.getitem", lambda x: x[:, [0, 2]]),
        ("torch.add", lambda x: torch.add(x, x, alpha=2)),
        ("torch.div", lambda x: torch.div(x, 0.3, rounding_mode="floor")),
        ("torch.Tensor.clamp", lambda x: x.clamp(min=0)),
        ("torch.fft.rfft", lambda x: torch.abs(torch.fft.rfft(x))),
        ("torch.nn.functional.pad", lambda x: F.pad(x, (1, 2), value=3.0)),
        ("torch.cumsum", lambda x: torch.cumsum(x, dim=1)),
        ("torch.einsum", lambda x: torch.einsum("bi,bj->bij", x, x)),
        ("torch.linalg.vector_norm", lambda x: torch.linalg.vector_norm(x, dim=1)),
        ("torch.Tensor.view", lambda x: x.view(-1, 2, 2)),
        ("torch.Tensor.double", lambda x: x.double()),
        ("torch.Tensor.size", lambda x: x.reshape(x.size(0), 2, 2)),
        ("torch.Tensor.max", lambda x: x.max(dim=1)[0]),
        ("torch.topk", lambda x: torch.topk(x, 2)[1]),
    ],
)
def test_other_operations_go_by_torchs_names(name, make):
    x = Input((4,))
    model = Model(x, make(x))
    names = [entry["config"].get("function") for entry in model.get_config()["layers"]]
    assert name in names
    assert_same(model, again(model), X)


def test_operations_that_no_file_may_name_are_told():
    x = Input((4,))
    model = Model(x, ramify.graph.record(np.tanh, (x,), {}, outputs=ramify.SymbolicTensor((None, 4))))
    with pytest.raises(ArgumentError, match=r"`tanh`.*cannot be written.*layer of your own"):
        model.get_config()


def test_shared_layers_nested_models_and_counts():
    i = Input((4,))
    inner = Model(i, {"z": layers.Dense(4)(i), "k": layers.Dense(3)(i)}, name="inner")
    a, b = Input((4,), name="a"), Input((4,), name="b")
    dense = layers.Dense(4, name="shared")
    inner(a)  # a call that the model does not use is not counted
    out = inner(dense(dense(a)))
    model = Model([a, b], {"k": out["k"], "z": out["z"] + dense(b), "self": inner(b)["z"]})
    config = model.get_config()
    entries = {entry["name"]: entry for entry in config["layers"]}
    assert len(entries["shared"]["inbound_nodes"]) == 3
    assert len(entries["inner"]["inbound_nodes"]) == 2
    assert config["output_layers"]["k"] == ["inner", 1, 0]  # counted from 1, as Keras does
    assert config["output_layers"]["self"] == ["inner", 2, 1]
    assert_same(model, again(model), X, X * 2)
    assert [layer.name for layer in again(model).layers] == [layer.name for layer in model.layers]


def test_a_layer_in_two_models_stays_one_layer():
    tied = layers.Dense(4, name="tied")
    i, j, x = Input((4,)), Input((4,)), Input((4,))
    a, b = Model(i, tied(i), name="a"), Model(j, layers.Dense(4)(tied(j)), name="b")
    model = Model(x, tied(b(a(x))))
    copy = Model.from_config(json.loads(json.dumps(model.get_config())))
    assert copy.get_layer("a").get_layer("tied") is copy.get_layer("b").get_layer("tied") is copy.get_layer("tied")
    assert len(copy.weights) == 4


def test_masks_that_were_filled_in_are_not_written_but_found_again():
    x = Input((5,), dtype="int32")
    model = Model(x, layers.LSTM(3)(layers.Embedding(9, 4, mask_zero=True)(x)))
    lstm = model.get_config()["layers"][-1]
    assert lstm["class_name"] == "LSTM"
    assert lstm["inbound_nodes"][0]["kwargs"] == {}
    copy = again(model)
    data = torch.tensor([[1, 2, 0, 0, 0], [3, 4, 5, 6, 7]])
    assert_same(model, copy, data)
    assert not torch.equal(model(data)[0], model(torch.tensor([[1, 2, 1, 1, 1]]))[0])


def test_explicit_arguments_stay():
    x = Input((4,))
    model = Model(x, layers.Dropout(0.5)(x, training=True))
    assert again(model).get_config()["layers"][-1]["inbound_nodes"][0]["kwargs"] == {"training": True}
    assert not torch.equal(again(model)(X), X)


def test_one_tensor_and_a_list_of_one():
    x = Input((4,))
    h = layers.Dense(2)(x)
    assert Model(x, h).get_config()["output_layers"] == ["dense", 0, 0]
    p, q = Input((4,)), Input((4,))
    config = Model([p, (q,)], {"a": [layers.Add()([p, q])]}).get_config()
    assert config["input_layers"] == [["input_layer", 0, 0], [["input_layer_1", 0, 0]]]
    assert config["output_layers"] == {"a": [["add", 0, 0]]}


def test_a_graph_that_was_cut_gets_an_input_of_its_own():
    x = Input((4,))
    h = layers.Dense(3)(x)
    tail = Model(h, layers.Dense(2)(h))
    copy = again(tail)
    assert copy.layers[0].name == "input_layer"
    assert_same(tail, copy, torch.ones(2, 3))


def test_a_model_class_of_your_own_that_takes_inputs_and_outputs():
    class Mine(Model):
        pass

    x = Input((4,))
    model = Mine(x, layers.Dense(2)(x), name="mine")
    copy = again(model)
    assert isinstance(copy, Mine)
    assert copy.name == "mine"


def test_ten_thousand_calls():
    x = y = Input((2,))
    layer = layers.Activation("linear")
    for _ in range(5000):
        y = layer(y) + 1.0
    config = Model(x, y).get_config()
    copy = Model.from_config(config)
    assert len(copy.graph.nodes) == 10_000


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c["layers"].append(dict(c["layers"][1])), "two layers named 'dense'"),
        (lambda c: c["layers"][1].pop("inbound_nodes"), "inbound_nodes"),
        (lambda c: c["layers"][1].pop("name"), "no `name`"),
        (lambda c: c.update(output_layers=["dense", 3, 0]), "output 0 of call 3 of 'dense'"),
        (lambda c: c.update(output_layers=["nowhere", 0, 0]), "'nowhere'"),
        (lambda c: c.update(output_layers="dense"), "where a layer belongs"),
        (lambda c: history(c, 1, ["relu", 0, 0]), "go in a circle"),
        (lambda c: history(c, 1, ["ghost", 0, 0]), "that nothing makes"),
        (lambda c: history(c, 1, None), "without a history"),
        (lambda c: c["layers"][2].update(class_name="Evil"), "Keras operation 'Evil'"),
        (
            lambda c: c["layers"][2].update(
                module="ramify.graph", class_name="Operation", config={"function": "os.system"}
            ),
            "'os.system'",
        ),
        (lambda c: c["layers"][1].update(inbound_nodes=[[["input", 0, 0, {}]]]), "layout of Keras 2"),
    ],
)
def test_damaged_configs(spoil, message):
    x = Input((4,), name="input")
    config = json.loads(json.dumps(Model(x, F.relu(layers.Dense(2)(x))).get_config()))
    spoil(config)
    with pytest.raises(FileFormatError, match=message):
        Model.from_config(config)


def history(config, place, value):
    config["layers"][place]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = value


def grow(k, choices):
    """A random graph by the same program in either library."""
    values = [k.Input((4,), name="i0"), k.Input((4,), name="i1")]
    made = []
    for kind, p, q, r in choices:
        x, y = values[p % len(values)], values[q % len(values)]
        if kind == 0 and made:
            values.append(made[r % len(made)](x))
        elif kind == 1:
            values.append(k.layers.Add()([x, y]))
        elif kind == 2:
            values.append(x + y)
        elif kind == 3:
            inner_in = k.Input((4,))
            inner = k.Model(inner_in, {"b": k.layers.Dense(4)(inner_in), "a": inner_in * 2.0})
            made.append(k.layers.Activation("tanh"))
            values.append(inner(x)["a" if r % 2 else "b"])
        elif kind == 4:
            ins = k.Input((4,), name="zz"), k.Input((4,), name="aa")
            pair = k.Model({"zz": ins[0], "aa": ins[1]}, k.layers.Multiply()([k.layers.Dense(4)(ins[0]), ins[1]]))
            values.append(pair({"zz": x, "aa": y}))
        else:
            made.append(k.layers.Dense(4))
            values.append(made[-1](x))
    ends = values[-3:]
    return k.Model(values[:2], ends if len(choices) % 2 else {"u": ends[0], "t": ends[-1]})


CHOICE = st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(CHOICE, min_size=3, max_size=12))
def test_layers_stand_in_keras_order(choices):
    """Weight files name layers by their place, so the order must be Keras's own."""
    try:
        theirs = grow(keras, choices)
    except ValueError:  # an end that is an input and the like
        return
    ours = grow(ramify, choices)
    there = keras.models.model_from_json(ours.to_json())
    assert [layer.name for layer in there.layers] == [layer.name for layer in ours.layers]
    assert [type(layer).__name__ for layer in theirs.layers] == [type(layer).__name__ for layer in ours.layers]
    here = ramify.saving.model_from_json(theirs.to_json())
    assert [layer.name for layer in here.layers] == [layer.name for layer in theirs.layers]
    rng = np.random.default_rng(0)
    values = [rng.normal(size=w.shape).astype("float32") for w in theirs.get_weights()]
    for model in (theirs, there, here, ours):
        model.set_weights(values)
    fed = [rng.normal(size=(2, 4)).astype("float32") for _ in range(2)]
    expected = [np.asarray(t.detach()) for t in keras.tree.flatten(theirs(fed))]
    for model in (there, here, ours):
        got = [np.asarray(t.detach()) for t in keras.tree.flatten(model([torch.as_tensor(a) for a in fed]))]
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
