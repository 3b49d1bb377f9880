"""The base class: calls, modes, masks, losses, dtypes, configs, shapes."""

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, InputError, ShapeError
from ramify.graph import is_probing
from ramify.layers import Dense, Input, InputSpec, Layer
from tests.layers.scale import Scale


class Mode(Layer):
    def call(self, x, training=None):
        return x * 0 + float(training)


class Outer(Layer):
    def __init__(self):
        super().__init__()
        self.inner = Mode()

    def call(self, x):
        return self.inner(x)


class TestCalling:
    def test_built_by_the_first_call_symbolic_or_real(self):
        for value in (Input((3,)), torch.ones(2, 3), np.ones((2, 3), "float32"), [[1.0, 2.0, 3.0]]):
            layer = Scale()
            assert not layer.built
            assert layer(value).shape[-1] == 3
            assert layer.built
            assert tuple(layer.gain.shape) == (3,)

    def test_forward_and_call_are_the_same(self):
        class Torch(Layer):
            def forward(self, x):
                return x + 1

        assert Torch()(torch.zeros(1)).item() == 1
        assert Torch().call(torch.zeros(1)).item() == 1
        assert Scale()(torch.ones(1, 1)).item() == 2

    def test_a_layer_without_call_says_so(self):
        with pytest.raises(ArgumentError, match="defines neither `call` nor `forward`"):
            Layer()(torch.ones(1))

    @pytest.mark.parametrize("value", [5, 1.5, "text"])
    def test_raw_values_are_refused(self, value):
        with pytest.raises(InputError, match="where a tensor belongs"):
            Dense(2)(value)

    def test_an_array_beside_a_symbolic_tensor_is_refused(self):
        with pytest.raises(InputError, match=r"NumPy array of shape \(1, 3\) at position 1"):
            ramify.layers.Add()([Input((3,)), np.ones((1, 3))])

    def test_any_arguments(self):
        class Mix(Layer):
            def call(self, first, *, second=None, options=()):
                out = first
                if second is not None:
                    out = out + second["x"][0]
                return out * len(options)

        a, b = Input((3,)), Input((3,))
        out = Mix()(a, second={"x": [b]}, options=(1, 2))
        model = ramify.Model([a, b], out)
        x, y = torch.randn(2, 3), torch.randn(2, 3)
        torch.testing.assert_close(model([x, y]), (x + y) * 2)

    def test_an_error_in_call_is_told_with_its_place(self):
        class Broken(Layer):
            def call(self, x):
                raise KeyError("own")

        with pytest.raises(KeyError) as caught:
            Broken(name="b")(Input((3,)))
        assert "Broken 'b', called on shape (None, 3)" in caught.value.__notes__[0]

    def test_probing_is_visible_to_the_layer_and_leaves_no_trace(self):
        states = []

        class Counter(Layer):
            def build(self, input_shape):
                self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

            def call(self, x):
                states.append(is_probing())
                self.count.add_(1)
                return x + self.count

        layer = Counter()
        layer(Input((2,)))
        assert set(states) == {True}
        assert layer.count.item() == 0
        layer(torch.ones(1, 2))
        assert layer.count.item() == 1
        assert states[-1] is False

    def test_sublayers_build_inside_a_probe_with_real_weights_and_unknown_sizes(self):
        shapes = []

        class Inner(Scale):
            def build(self, input_shape):
                shapes.append(input_shape)
                super().build(input_shape)

        class Block(Layer):
            def __init__(self):
                super().__init__()
                self.inner = Inner()

            def call(self, x):
                return self.inner(x)

        block = Block()
        block(Input((None, 3)))
        assert shapes == [(None, None, 3)]
        assert block.inner.gain.device.type == "cpu"
        assert block.inner.gain.path.endswith("inner/gain")


class TestTraining:
    def test_fresh_layers_are_in_inference_mode(self):
        assert Mode()(torch.ones(1)).item() == 0

    def test_argument_before_enclosing_call_before_flag(self):
        outer = Outer()
        assert outer(torch.ones(1)).item() == 0
        assert outer(torch.ones(1), training=True).item() == 1
        outer.train()
        assert outer(torch.ones(1)).item() == 1
        assert outer(torch.ones(1), training=False).item() == 0
        assert outer.inner(torch.ones(1), training=False).item() == 0

    def test_the_mode_of_a_call_ends_with_it(self):
        outer = Outer()
        outer(torch.ones(1), training=True)
        assert outer(torch.ones(1)).item() == 0

        class Fails(Layer):
            def call(self, x, training=None):
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            Fails()(torch.ones(1), training=True)
        assert Mode()(torch.ones(1)).item() == 0


class TestLosses:
    def test_add_loss_belongs_to_the_last_call(self):
        class Penalty(Layer):
            def call(self, x):
                self.add_loss(x.sum())
                return x

        layer = Penalty()
        layer(Input((2,)))
        assert layer.losses == []
        layer(torch.ones(1, 2))
        layer(torch.ones(1, 2) * 3)
        assert [v.item() for v in layer.losses] == [6.0]

    def test_a_shared_layer_adds_once_per_use(self):
        class Penalty(Layer):
            def call(self, x):
                self.add_loss(x.sum())
                return x

        shared, a, b = Penalty(), Input((2,)), Input((2,))
        model = ramify.Model([a, b], shared(a) + shared(b))
        for _ in range(2):
            model([torch.ones(1, 2), torch.ones(1, 2) * 2])
            assert [v.item() for v in model.losses] == [2.0, 4.0]

    def test_activity_regularizers_are_per_sample(self):
        a = Input((2,))
        model = ramify.Model(a, Dense(1, kernel_initializer="ones", activity_regularizer=lambda y: y.sum())(a))
        for value in (1.0, 2.0):
            model(torch.full((3, 2), value))
            assert [v.item() for v in model.losses] == [2.0 * value]


class TestMasks:
    def embedded(self):
        ids = Input((5,), dtype="int32")
        return ids, ramify.layers.Embedding(10, 3, mask_zero=True)(ids)

    def test_masks_are_edges_of_the_graph(self):
        class UsesMask(Layer):
            def call(self, x, mask=None):
                return x if mask is None else x * mask.unsqueeze(-1)

        ids, x = self.embedded()
        assert x.mask.shape == (None, 5)
        out = UsesMask()(Dense(3)(x))
        model = ramify.Model(ids, out)
        values = torch.tensor([[1, 2, 0, 0, 3]])
        assert (model(values)[0].abs().sum(-1) > 0).tolist() == [True, True, False, False, True]

    def test_outputs_carry_masks_to_the_loss_and_eager_calls_agree(self):
        ids, x = self.embedded()
        model = ramify.Model(ids, Dense(2)(x))
        values = torch.tensor([[1, 2, 0, 0, 3]])
        assert model(values)._ramify_mask.tolist() == [[True, True, False, False, True]]
        eager = model.layers[-1](model.layers[1](values))
        assert eager._ramify_mask.tolist() == [[True, True, False, False, True]]

    def test_nested_models_pass_masks_on(self):
        class UsesMask(Layer):
            def call(self, x, mask=None):
                return x * 0 if mask is None else x * 0 + mask.unsqueeze(-1)

        inner_in = Input((5, 3))
        inner = ramify.Model(inner_in, UsesMask()(Dense(3)(inner_in)))
        ids, x = self.embedded()
        model = ramify.Model(ids, inner(x))
        values = torch.tensor([[1, 2, 0, 0, 3]])
        assert model(values)[0, :, 0].tolist() == [1, 1, 0, 0, 1]
        assert inner(torch.ones(1, 5, 3))[0, :, 0].tolist() == [0] * 5

    def test_a_given_mask_wins(self):
        class UsesMask(Layer):
            def call(self, x, mask=None):
                return x * 0 + mask.unsqueeze(-1)

        ids, x = self.embedded()
        given = Input((5,), dtype="bool")
        model = ramify.Model([ids, given], UsesMask()(x, mask=given))
        out = model([torch.tensor([[1, 2, 0, 0, 3]]), torch.tensor([[False, True, True, True, True]])])
        assert out[0, :, 0].tolist() == [0, 1, 1, 1, 1]


class TestDtypes:
    def test_floats_are_cast_to_the_compute_dtype_and_integers_are_not(self):
        class Same(Layer):
            def call(self, x):
                return x

        assert Same()(torch.ones(1, dtype=torch.float64)).dtype is torch.float32
        assert Same(dtype="float64")(torch.ones(1)).dtype is torch.float64
        assert Same()(torch.ones(1, dtype=torch.int64)).dtype is torch.int64
        assert Same(autocast=False)(torch.ones(1, dtype=torch.float64)).dtype is torch.float64

    @pytest.mark.parametrize("half", ["bfloat16", "float16"])
    def test_mixed_precision_keeps_float32_weights_and_trains_them(self, half):
        layer = Dense(2, dtype=f"mixed_{half}")
        symbolic = layer(Input((3,)))
        out = layer(torch.ones(1, 3))
        assert symbolic.dtype is out.dtype is getattr(torch, half)
        assert layer.kernel.dtype is torch.float32
        out.sum().backward()
        assert layer.kernel.grad.dtype is torch.float32
        assert (layer.compute_dtype, layer.variable_dtype) == (half, "float32")

    def test_an_unknown_dtype_is_refused(self):
        with pytest.raises(ArgumentError, match="Unknown dtype 'floaty'"):
            Dense(2, dtype="floaty")


class TestConfig:
    def test_captured_from_the_constructor(self):
        config = Scale(factor=3.0, name="s").get_config()
        assert config["factor"] == 3.0
        assert config["name"] == "s"
        assert Scale.from_config(config).factor == 3.0

    def test_what_cannot_be_written_says_which_argument(self):
        class Holds(Layer):
            def __init__(self, thing):
                super().__init__()

        with pytest.raises(ArgumentError, match="The argument 'thing' of Holds"):
            Holds(object()).get_config()

    @pytest.mark.parametrize("name", ["a/b", "", 5])
    def test_names(self, name):
        with pytest.raises(ArgumentError, match="is no name for a layer"):
            Dense(2, name=name)

    def test_unknown_arguments(self):
        with pytest.raises(ArgumentError, match="Dense takes no argument 'unit'"):
            Dense(2, unit=3)


class TestShapes:
    def test_output_shapes_are_derived_without_building_the_layer(self):
        layer = Dense(7)
        assert layer.compute_output_shape((None, 5, 3)) == (None, 5, 7)
        assert not layer.built
        assert layer.compute_output_shape((2, 9)) == (2, 7)

    def test_several_inputs(self):
        assert ramify.layers.Concatenate()([Input((2,)), Input((3,))]).shape == (None, 5)
        assert ramify.layers.Concatenate().compute_output_shape([(None, 2), (None, 3)]) == (None, 5)

    def test_a_declared_shape_serves_where_values_would_be_needed(self):
        class Unique(Layer):
            def call(self, x):
                return torch.nonzero(x).to(x.dtype)

            def compute_output_shape(self, input_shape):
                return (None, len(input_shape))

        assert Unique()(Input((3,))).shape == (None, 2)

    def test_rank_and_size_are_checked_with_a_mend(self):
        with pytest.raises(ShapeError, match=r"at least 2 axes, .* shape \(3,\).*Add the missing"):
            Dense(2)(torch.ones(3))
        layer = Dense(2)
        layer.build((None, 3))
        with pytest.raises(ShapeError, match="size 3 on axis -1"):
            layer(Input((4,)))

    def test_input_spec(self):
        spec = InputSpec(ndim=3, axes={1: 4}, max_ndim=3)
        assert InputSpec.from_config(spec.get_config()).axes == {1: 4}
        spec.check(torch.ones(1, 4, 2), "it")
        with pytest.raises(ShapeError, match="it takes inputs with 3 axes"):
            spec.check(torch.ones(1, 4), "it")


def test_torch_modules_as_layers():
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    a = Input((3,))
    model = ramify.Model(a, ramify.layers.TorchModuleWrapper(module)(a))
    assert model.output_shape == (None, 4)
    assert len(model.trainable_weights) == 4
    before = module[1].running_mean.clone()
    model(torch.randn(8, 3), training=True)
    assert not torch.equal(before, module[1].running_mean)
