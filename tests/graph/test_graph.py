"""Graphs: order, checks, feeding, names, copies."""

import copy
import pickle

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import DisconnectedError, DuplicateNameError, GraphError, InputError
from ramify.graph import Graph, lower

Dense = ramify.layers.Dense


def diamond():
    a = ramify.Input((4,), name="a")
    left, right = Dense(3, name="left")(a), Dense(3, name="right")(a)
    return a, left, right, ramify.layers.Add(name="meet")([left, right])


def test_nodes_come_after_what_they_read():
    a, _, _, out = diamond()
    graph = Graph(a, torch.relu(out) * 2)
    seen = {a}
    for node in graph.nodes:
        assert set(node.inputs) <= seen
        seen.update(node.output_values)


def test_only_what_the_outputs_need_is_in_the_graph():
    a, left, _, _ = diamond()
    assert [node.target.name for node in Graph(a, left).nodes] == ["left"]


def test_a_graph_may_start_in_the_middle():
    a, left, right, out = diamond()
    tail = Graph([left, right], out)
    x = torch.randn(2, 4)
    whole = lower(Graph(a, out))(x)
    parts = lower(Graph(a, [left, right]))(x)
    torch.testing.assert_close(lower(tail)(*parts), whole)


def test_a_missing_input_is_named_with_the_path_from_it():
    a, b = ramify.Input((4,), name="a"), ramify.Input((4,), name="b")
    out = Dense(1, name="head")(ramify.layers.Add(name="meet")([Dense(3, name="left")(a), Dense(3, name="right")(b)]))
    with pytest.raises(DisconnectedError) as caught:
        Graph(a, out)
    message = str(caught.value)
    assert "needs the input 'b' of shape (None, 4)" in message
    assert "Input 'b' -> Dense 'right' -> Add 'meet' -> Dense 'head' -> output" in message
    assert "Add 'b' to `inputs`" in message


WRONG = [
    (lambda a, out: (np.ones((2, 3)), out), r"`inputs` is a NumPy array of shape \(2, 3\)"),
    (lambda a, out: (a, 5.0), r"`outputs` is a float \(5.0\)"),
    (lambda a, out: (a, [out, None]), r"`outputs`\[1\] is missing"),
    (lambda a, out: (a, {"x": Dense(2, name="never")}), r"`outputs`\['x'\] is the layer 'never' itself.*layer\(x\)"),
    (lambda a, out: ([], out), "`inputs` is empty"),
    (lambda a, out: (torch.ones(2), out), r"`inputs` is a Tensor of shape \(2,\)"),
]


@pytest.mark.parametrize(("make", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_symbolic_tensor_is_refused(make, words):
    a, _, _, out = diamond()
    with pytest.raises(InputError, match=words):
        Graph(*make(a, out))


def test_one_tensor_twice_is_refused():
    a, _, _, out = diamond()
    with pytest.raises(GraphError, match="given twice"):
        Graph([a, a], out)


def test_two_inputs_of_one_name_are_refused():
    a, b = ramify.Input((4,), name="same"), ramify.Input((4,), name="same")
    with pytest.raises(DuplicateNameError, match="Two inputs are named 'same'"):
        _ = Graph([a, b], a + b).input_names


class TestFeeding:
    def setup_method(self):
        self.a, self.b = ramify.Input((4,), name="a"), ramify.Input((3,), name="b")

    def test_by_position_and_by_name(self):
        graph = Graph([self.a, self.b], self.a.sum(-1) + self.b.sum(-1))
        assert graph.match_inputs([1, 2]) == graph.match_inputs((1, 2)) == [1, 2]
        assert graph.match_inputs({"b": 2, "a": 1, "spare": 3}) == [1, 2]

    def test_by_the_keys_of_a_dict_of_inputs(self):
        graph = Graph({"first": self.b, "second": self.a}, self.a.sum(-1) + self.b.sum(-1))
        assert graph.input_names == ["first", "second"]
        assert graph.match_inputs({"second": 1, "first": 2}) == [2, 1]
        assert graph.match_inputs({"a": 1, "b": 2}) == [2, 1]

    def test_nested(self):
        graph = Graph({"x": [self.a, {"y": self.b}]}, self.a.sum(-1) + self.b.sum(-1))
        assert graph.match_inputs({"x": [1, {"y": 2}]}) == [1, 2]

    def test_a_single_input(self):
        graph = Graph(self.a, self.a * 2)
        assert graph.match_inputs(1) == graph.match_inputs([1]) == graph.match_inputs({"a": 1}) == [1]

    def test_missing_and_surplus_values_are_named(self):
        graph = Graph([self.a, self.b], self.a.sum(-1) + self.b.sum(-1))
        with pytest.raises(InputError, match=r"takes 2 input\(s\) \(a, b\), but 3 were given"):
            graph.match_inputs([1, 2, 3])
        with pytest.raises(InputError, match=r"No value for the input 'b'.*keys \['a'\]"):
            graph.match_inputs({"a": 1})


def test_module_names_are_unique_and_valid():
    a = ramify.Input((4,))
    x = Dense(4, name="block.one")(a)
    x = Dense(4, name="block_one")(x)
    x = Dense(4, name="forward")(x)
    x = Dense(4, name="lambda")(x)
    names = list(Graph(a, x).module_names.values())
    assert len(set(names)) == len(names)
    assert "forward" not in names
    lower(Graph(a, x))(torch.ones(1, 4))


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))], ids=["deepcopy", "pickle"])
def test_a_copy_computes_the_same_with_weights_of_its_own(clone):
    a, _, _, out = diamond()
    graph = Graph({"x": a}, [out, torch.relu(out)[:, 0]])
    other = clone(graph)
    x = torch.randn(3, 4)
    torch.testing.assert_close(lower(other)(x), lower(graph)(x))
    assert next(n.target for n in other.nodes if hasattr(n.target, "units")) is not graph.nodes[0].target
    assert other.input_names == graph.input_names


def test_copies_of_deep_graphs_do_not_recurse():
    a = ramify.Input((2,))
    x = a
    for _ in range(3000):
        x = x + 1
    assert len(copy.deepcopy(Graph(a, x)).nodes) == 3000
