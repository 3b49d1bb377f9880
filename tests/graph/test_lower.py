"""Lowering: straight-line code, nested models inlined, equal to calling the layers one by one."""

import operator

import pytest
import torch

import ramify
from ramify.graph import Graph, lower
from ramify.models.replay import run_graph

Dense, Model = ramify.layers.Dense, ramify.Model


def test_the_code_is_straight_line_python():
    a = ramify.Input((4,), name="a")
    out = torch.relu(Dense(3, name="one")(a)) * 2
    code = lower(Graph(a, out)).code
    assert "one = self.one(a)" in code
    assert "torch.relu(one)" in code
    assert "* 2" in code
    assert "for " not in code


def test_dead_branches_are_dropped():
    a = ramify.Input((4,))
    Dense(3, name="dead")(a)
    assert "dead" not in lower(Graph(a, Dense(3, name="live")(a))).code


def test_nested_models_are_inlined_and_share_weights():
    a = ramify.Input((4,), name="a")
    encoder = Model(a, Dense(3, name="inner")(a), name="encoder")
    deep = Model(x := ramify.Input((4,), name="x"), torch.relu(encoder(x)), name="deep")
    b, c = ramify.Input((4,), name="b"), ramify.Input((4,), name="c")
    model = Model([b, c], deep(b) - deep(c))
    assert model.code.count("self.deep.encoder.inner(") == 2
    assert [k for k, _ in model.named_parameters()] == ["deep.encoder.inner.kernel", "deep.encoder.inner.bias"]
    x, y = torch.randn(2, 4), torch.randn(2, 4)
    inner = encoder.layers[-1]
    torch.testing.assert_close(model([x, y]), torch.relu(inner(x)) - torch.relu(inner(y)))


def test_groups_tell_where_a_call_comes_from():
    a = ramify.Input((4,), name="a")
    encoder = Model(a, Dense(3, name="inner")(a), name="encoder")
    b = ramify.Input((4,), name="b")
    module = lower(Graph(b, encoder(b) + 1))
    groups = {
        node.name: node.meta.get("group") for node in module.graph.nodes if node.op in ("call_module", "call_function")
    }
    assert groups == {"encoder_inner": "encoder", "add": ""}


def test_depth_of_nesting_is_no_limit():
    x = ramify.Input((2,))
    model = Model(x, x + 1)
    for _ in range(150):
        x = ramify.Input((2,))
        model = Model(x, model(x) + 1)
    assert model(torch.zeros(1, 2)).tolist() == [[151.0, 151.0]]


def test_a_mode_given_to_a_nested_model_reaches_its_layers_alone():
    class Mode(ramify.Layer):
        def call(self, x, training=None):
            return x * 0 + float(training)

    def network(name):
        i = ramify.Input((1,))
        return Model(i, Mode()(i), name=name)

    frozen, free = network("frozen"), network("free")
    i = ramify.Input((1,))
    model = Model(i, [frozen(i, training=False), free(i)])
    x = torch.ones(1, 1)
    assert [t.item() for t in model(x, training=True)] == [1.0, 1.0]  # as in Keras, whoever calls has the last word
    assert [t.item() for t in model(x)] == [0.0, 0.0]
    model.train()
    assert [t.item() for t in model(x)] == [0.0, 1.0]


def test_a_model_with_hooks_is_called_rather_than_inlined():
    a = ramify.Input((4,))
    encoder = Model(a, Dense(3)(a), name="encoder")
    seen = []
    encoder.register_forward_hook(lambda *_: seen.append(1))
    b = ramify.Input((4,))
    Model(b, encoder(b) + 1)(torch.ones(1, 4))
    assert seen


def test_hooks_on_layers_fire():
    a = ramify.Input((4,))
    layer = Dense(3)
    model = Model(a, layer(a))
    seen = []
    layer.register_forward_hook(lambda *_: seen.append(1))
    model(torch.ones(1, 4))
    model(torch.ones(1, 4))
    assert seen == [1, 1]


def test_nested_results_are_taken_apart_where_they_are_used():
    class Split(ramify.Layer):
        def call(self, x):
            return {"low": x[:, :2], "rest": [x[:, 2:], x.sum(-1)]}

    a = ramify.Input((5,))
    parts = Split()(a)
    graph = Graph(a, [parts["rest"][1], parts["low"]])
    x = torch.randn(2, 5)
    total, low = lower(graph)(x)
    torch.testing.assert_close(total, x.sum(-1))
    torch.testing.assert_close(low, x[:, :2])


def test_arrays_and_constants_among_the_arguments():
    a = ramify.Input((3,))
    weights = torch.arange(3.0)
    graph = Graph(a, torch.where(a > 0, a * weights, torch.zeros(())))
    x = torch.randn(4, 3)
    torch.testing.assert_close(lower(graph)(x), torch.where(x > 0, x * weights, torch.zeros(())))


def test_run_graph_equals_the_lowered_code():
    a, b = ramify.Input((4,), name="a"), ramify.Input((4,), name="b")
    shared = Dense(4, activation="tanh")
    out = {"sum": shared(a) + shared(b), "parts": [torch.cat([a, b], -1), a[:, 0]]}
    graph = Graph([a, b], out)
    x, y = torch.randn(2, 4), torch.randn(2, 4)
    torch.testing.assert_close(run_graph(graph, [x, y]), lower(graph)(x, y))


@pytest.mark.parametrize("depth", [10_000])
def test_ten_thousand_layers_with_skips(depth):
    a = ramify.Input((2,))
    x = skip = a
    add = ramify.layers.Add()
    for i in range(depth):
        x = operator.add(x, 1) if i % 100 else Dense(2)(x)
        if i % 50 == 49:
            x = skip = add([x, skip])
    graph = Graph(a, x)
    assert len(graph.nodes) == depth + depth // 50
    assert lower(graph)(torch.zeros(1, 2)).shape == (1, 2)
    assert len(graph.layers) == depth // 100 + 2
