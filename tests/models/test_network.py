"""Models as functions, as modules, and as parts of one another."""

import copy
import pickle

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, DuplicateNameError, GraphError, InputError, ShapeError

Dense, Input, Model = ramify.layers.Dense, ramify.Input, ramify.Model


def two_inputs():
    a, b = Input((4,), name="a"), Input((3,), name="b")
    joint = ramify.layers.Concatenate(name="join")([Dense(5, name="left")(a), Dense(5, name="right")(b)])
    return Model({"a": a, "b": b}, {"sum": Dense(1, name="s")(joint), "kind": Dense(2, name="k")(joint)}, name="pair")


class TestStructures:
    def test_dicts_in_and_out(self):
        model = two_inputs()
        x = {"b": torch.randn(2, 3), "a": torch.randn(2, 4)}
        out = model(x)
        assert list(out) == ["kind", "sum"]
        torch.testing.assert_close(out, model([x["a"], x["b"]]))
        torch.testing.assert_close(out, model({**x, "spare": torch.ones(9)}))
        assert model.input_names == ["a", "b"]
        assert model.output_names == ["kind", "sum"]
        assert model.output_shape == {"kind": (None, 2), "sum": (None, 1)}

    def test_a_list_of_one_is_the_tensor_itself(self):
        a = Input((4,))
        model = Model([a], [a * 2])
        assert isinstance(model(torch.ones(1, 4)), torch.Tensor)
        assert model.input is a

    def test_lists_tuples_and_nesting(self):
        a, b = Input((2,)), Input((2,))
        model = Model((a, [b]), [(a + b,), {"d": a - b}])
        x, y = torch.randn(1, 2), torch.randn(1, 2)
        out = model((x, [y]))
        assert isinstance(out, list)
        assert isinstance(out[0], tuple)
        torch.testing.assert_close(out[1]["d"], x - y)


class TestFeeding:
    def test_arrays_lists_and_other_dtypes_are_taken(self):
        a = Input((2,))
        model = Model(a, a * 2)
        for value in ([[1, 2]], np.array([[1, 2]]), np.array([[1.0, 2.0]], "float64"), torch.tensor([[1, 2]])):
            out = model(value)
            assert out.dtype is torch.float32
            assert out.tolist() == [[2.0, 4.0]]

    def test_integers_stay_integers_where_the_input_says_so(self):
        a = Input((2,), dtype="int32")
        assert Model(a, a + 1)(np.array([[1, 2]])).dtype is torch.int32

    def test_a_last_axis_of_one_may_be_missing_or_extra(self):
        a = Input((1,))
        assert Model(a, a * 2)(torch.ones(3)).shape == (3, 1)
        b = Input((4,))
        assert Model(b, b * 2)(torch.ones(3, 4, 1)).shape == (3, 4)

    def test_a_wrong_shape_names_the_input(self):
        with pytest.raises(ShapeError, match=r"input 'b' of Functional 'pair' takes shape \(None, 3\), but received"):
            two_inputs()({"a": torch.ones(1, 4), "b": torch.ones(1, 4)})

    @pytest.mark.parametrize("value", ["text", None, object()])
    def test_what_is_no_data_is_refused(self, value):
        with pytest.raises(InputError, match=r"The input 'a'.*Feed an array"):
            two_inputs()({"a": value, "b": torch.ones(1, 3)})

    def test_optional_inputs_may_be_left_out(self):
        a, b = Input((2,), name="a"), Input((2,), name="b", optional=True)

        class AddIfGiven(ramify.Layer):
            def call(self, x, y=None):
                return x if y is None else x + y

        model = Model([a, b], AddIfGiven()(a, b))
        x = torch.ones(1, 2)
        assert model({"a": x}).tolist() == model([x, None]).tolist() == [[1.0, 1.0]]
        assert model([x, x]).tolist() == [[2.0, 2.0]]


class TestLayersOfAModel:
    def test_get_layer(self):
        model = two_inputs()
        assert model.get_layer("left") is model.get_layer(index=2)
        with pytest.raises(ArgumentError, match=r"no layer 'lost'.*'left'"):
            model.get_layer("lost")
        with pytest.raises(ArgumentError, match="none at index 99"):
            model.get_layer(index=99)
        with pytest.raises(ArgumentError, match="either a name or an index"):
            model.get_layer()

    def test_features_from_inside(self):
        model = two_inputs()
        features = Model(model.input, [layer.output for layer in model.layers if layer.name in ("left", "join")])
        x = [torch.randn(2, 4), torch.randn(2, 3)]
        left, joined = features(x)
        torch.testing.assert_close(left, model.get_layer("left")(x[0]))
        torch.testing.assert_close(joined[:, :5], left)

    def test_head_and_tail_make_the_whole(self):
        model = two_inputs()
        middle = model.get_layer("join").output
        head, tail = Model(model.input, middle), Model(middle, model.output)
        x = [torch.randn(2, 4), torch.randn(2, 3)]
        torch.testing.assert_close(tail(head(x)), model(x))

    def test_a_layer_called_twice_has_no_single_output(self):
        layer, a, b = Dense(2, name="shared"), Input((3,)), Input((3,))
        x, y = layer(a), layer(b)
        with pytest.raises(GraphError, match="'shared' was called 2 times, so `output` is ambiguous"):
            _ = layer.output
        assert layer.get_output_at(1) is y
        assert x is not y

    def test_a_layer_never_called_has_no_output(self):
        with pytest.raises(GraphError, match="never called"):
            _ = Dense(2).output

    def test_shared_layers_count_once(self):
        layer, a, b = Dense(2), Input((3,)), Input((3,))
        model = Model([a, b], layer(a) + layer(b))
        assert model.count_params() == 3 * 2 + 2
        assert len(list(model.parameters())) == 2


class TestNames:
    def test_automatic_names_depend_on_the_model_alone(self):
        def build():
            a = Input((2,))
            hidden = Dense(2)(a)
            return Model(a, Dense(1)(hidden))

        first, second = build(), build()
        expected = ["input_layer", "dense", "dense_1"]
        assert [la.name for la in first.layers] == [la.name for la in second.layers] == expected
        assert list(first.state_dict()) == list(second.state_dict())
        assert [w.path for w in second.weights] == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]

    def test_given_names_must_differ(self):
        a = Input((2,))
        with pytest.raises(DuplicateNameError, match="Two layers are named 'same'"):
            Model(a, Dense(2, name="same")(Dense(2, name="same")(a)))

    def test_automatic_names_make_way_for_given_ones(self):
        a = Input((2,))
        model = Model(a, Dense(2)(Dense(2, name="dense")(a)))
        assert [la.name for la in model.layers][1:] == ["dense", "dense_1"]

    def test_one_backbone_twice_with_automatic_names(self):
        def backbone():
            i = Input((2,))
            return Model(i, Dense(2)(i))

        a = Input((2,))
        model = Model(a, backbone()(a) + backbone()(a))
        assert [la.name for la in model.layers[1:]] == ["functional", "functional_1"]
        assert "functional_1.dense.kernel" in model.state_dict()

    def test_a_layer_may_be_named_like_a_property(self):
        a = Input((2,), name="input")
        model = Model(a, Dense(2, name="output")(a), name="model")
        assert list(model.state_dict()) == ["output.kernel", "output.bias"]
        assert model.get_submodule("output") is model.get_layer("output")


class TestErrors:
    def test_both_ends_are_needed(self):
        a = Input((2,))
        for arguments, word in (({"inputs": a}, "`outputs` is missing"), ({"outputs": a * 2}, "`inputs` is missing")):
            with pytest.raises(ArgumentError, match=word):
                Model(**arguments)
        with pytest.raises(ArgumentError, match="`inputs` and `outputs` are missing"):
            Model()

    def test_a_subclassed_model_has_no_graph(self):
        class Own(Model):
            def call(self, x):
                return x

        with pytest.raises(GraphError, match="has no graph"):
            _ = Own().inputs


class TestAsATorchModule:
    def test_state_dict_round_trip_and_torch_optimizers(self):
        model, other = two_inputs(), two_inputs()
        other.load_state_dict(model.state_dict())
        x = [torch.randn(2, 4), torch.randn(2, 3)]
        torch.testing.assert_close(model(x), other(x))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        before = [p.detach().clone() for p in model.parameters()]
        model(x)["sum"].sum().backward()
        optimizer.step()
        moved = [not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
        assert sum(moved) >= 5

    @pytest.mark.parametrize(
        "clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
    )
    def test_copies_are_independent(self, clone):
        model = two_inputs()
        other = clone(model)
        x = [torch.randn(2, 4), torch.randn(2, 3)]
        torch.testing.assert_close(model(x), other(x))
        with torch.no_grad():
            other.get_layer("left").kernel.zero_()
        assert model.get_layer("left").kernel.abs().sum() > 0
        assert other.get_layer("left").kernel.path == "left/kernel"

    def test_moving_to_another_dtype_and_back(self):
        a = Input((2,))
        model = Model(a, Dense(2)(a) + torch.ones(2))
        model.double()
        assert model.layers[1].kernel.dtype is torch.float64

    def test_meta_and_cpu(self):
        a = Input((2,))
        model = Model(a, Dense(2)(a) * torch.ones(2))
        model.to("meta")
        assert model(torch.ones(1, 2, device="meta")).device.type == "meta"

    def test_train_and_eval_flags(self):
        a = Input((100,))
        model = Model(a, ramify.layers.Dropout(0.5)(a))
        x = torch.ones(1, 100)
        assert torch.equal(model(x), x)
        assert not torch.equal(model.train()(x), x)
        assert torch.equal(model(x, training=False), x)
        assert torch.equal(model.eval()(x), x)
        assert not torch.equal(model(x, training=True), x)

    def test_torch_compile_and_export(self):
        model = two_inputs()
        x = {"a": torch.randn(2, 4), "b": torch.randn(2, 3)}
        compiled = torch.compile(model.lowered, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(x["a"], x["b"]), model(x))
        exported = torch.export.export(model.lowered, (x["a"], x["b"]))
        torch.testing.assert_close(exported.module()(x["a"], x["b"]), model(x))


class TestSubclassed:
    def test_call_and_layers(self):
        class Residual(Model):
            def __init__(self):
                super().__init__()
                self.blocks = [Dense(4, activation="relu") for _ in range(2)]
                self.heads = {"a": Dense(1), "b": Dense(2)}
                self.norm = ramify.layers.LayerNormalization()

            def call(self, x, training=None):
                for block in self.blocks:
                    x = x + block(x)
                return {key: head(self.norm(x)) for key, head in self.heads.items()}

        model = Residual()
        out = model(torch.randn(3, 4))
        assert {k: tuple(v.shape) for k, v in out.items()} == {"a": (3, 1), "b": (3, 2)}
        assert len(model.layers) == 5
        assert len(model.weights) == 2 * 2 + 2 * 2 + 2
        assert [k for k in model.state_dict() if k.startswith("blocks")] == [
            "blocks.0.kernel", "blocks.0.bias", "blocks.1.kernel", "blocks.1.bias",
        ]  # fmt: skip
        symbolic = model(Input((4,)))
        assert symbolic["b"].shape == (None, 2)
        outer = Model(i := Input((4,)), model(i)["a"] * 2)
        x = torch.randn(2, 4)
        torch.testing.assert_close(outer(x), model(x)["a"] * 2)

    def test_functional_inside_a_subclass(self):
        class Wrapped(Model):
            def __init__(self):
                i = Input((2,))
                super().__init__(inputs=i, outputs=Dense(3)(i))

            def double(self, x):
                return self(x) * 2

        model = Wrapped()
        assert model.output_shape == (None, 3)
        assert model.double(torch.ones(1, 2)).shape == (1, 3)


class TestWeights:
    def test_get_and_set(self):
        model, other = two_inputs(), two_inputs()
        other.set_weights(model.get_weights())
        for a, b in zip(model.weights, other.weights, strict=True):
            torch.testing.assert_close(a, b)

    def test_a_wrong_count_or_shape_changes_nothing(self):
        model = two_inputs()
        before = model.get_weights()
        with pytest.raises(ShapeError, match="has 8 weights, but 7 were given"):
            model.set_weights(before[:-1])
        with pytest.raises(ShapeError, match="has shape"):
            model.set_weights([w + 1 for w in before[:-1]] + [np.zeros(17)])
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_freezing(self):
        model = two_inputs()
        model.get_layer("left").trainable = False
        assert len(model.trainable_weights) == 6
        assert len(model.non_trainable_weights) == 2
        assert not model.get_layer("left").kernel.requires_grad
        model.trainable = False
        assert model.trainable_weights == []
        model.trainable = True
        assert len(model.trainable_weights) == 8

    def test_variables_answer_what_keras_users_ask(self):
        layer = Dense(2, name="d")
        layer.build((None, 3))
        kernel = layer.kernel
        assert (kernel.name, kernel.path, kernel.trainable, kernel.value is kernel) == (
            "kernel",
            "d/kernel",
            True,
            True,
        )
        kernel.assign(np.ones((3, 2)))
        kernel.assign_add(np.ones((3, 2)))
        kernel.assign_sub(np.full((3, 2), 0.5))
        np.testing.assert_array_equal(np.array(kernel), np.full((3, 2), 1.5, "float32"))
        assert isinstance(kernel, torch.nn.Parameter)
        with pytest.raises(ShapeError, match="'d/kernel' of shape"):
            kernel.assign(np.ones((2, 2)))
