"""What hurt people in the Functional API for years, held as promises: building graphs, reaching into them, errors.

Every test names public threads in which users told of it (K: keras-team/keras, TF: tensorflow/tensorflow, TK:
keras-team/tf-keras, KC: keras-team/keras-core).
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, Sequential, layers, ops
from ramify.errors import DisconnectedError, GraphError, InputError


def test_a_disconnected_output_names_the_missing_input_and_the_layer_it_enters():  # K#10904, K#13722
    a, b = Input((4,), name="a"), Input((4,), name="b")
    out = layers.add([layers.Dense(4)(a), layers.Dense(4, name="side")(b)])
    with pytest.raises(DisconnectedError, match=r"needs the input 'b'.*Input 'b' -> Dense 'side'"):
        Model(a, out)


def test_a_layer_passed_as_an_output_was_never_called():  # K#14106
    with pytest.raises(InputError, match="never called"):
        Model(Input((4,)), layers.Dense(3))


def test_an_unreachable_output_fails_at_once_and_unused_inputs_are_legal():  # K#20719
    a, b = Input((4,)), Input((4,))
    with pytest.raises(DisconnectedError):
        Model(a, layers.Dense(2)(b))
    assert Model([a, b], layers.Dense(2)(a)).output_shape == (None, 2)


def test_swapped_feeds_are_caught_at_the_input_by_name():  # K#19951
    a, b = Input((4,), name="a"), Input((6,), name="b")
    model = Model({"a": a, "b": b}, layers.concatenate([a, b]))
    with pytest.raises(ramify.errors.ShapeError, match="input 'a'"):
        model({"a": torch.ones(1, 6), "b": torch.ones(1, 4)})


def test_two_thousand_layers():  # K#15596, K#11592
    x = start = Input((4,))
    for _ in range(2_000):
        x = layers.Activation("relu")(x)
    model = Model(start, x)
    assert model(torch.ones(1, 4)).sum() == 4


def test_layers_inside_a_nested_backbone_can_be_outputs():  # K#16123, K#16355, TF#44462
    image = Input((4, 4, 1))
    inner = Model(image, layers.Conv2D(2, 3, name="conv")(image), name="backbone")
    photo = Input((4, 4, 1))
    model = Model(photo, layers.Flatten()(inner(photo)))
    both = Model(model.input, [model.get_layer("backbone").get_layer("conv").output, model.output])
    maps, answer = both(torch.rand(2, 4, 4, 1))
    torch.testing.assert_close(maps.flatten(1), answer)


def test_a_sequential_model_has_input_and_output_once_it_is_built(tmp_path):  # K#20116
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    model(torch.ones(2, 4))
    model.save(tmp_path / "m.keras")
    for one in (model, ramify.models.load_model(tmp_path / "m.keras")):
        assert (one.input.shape, one.output.shape) == ((None, 4), (None, 2))
        assert Model(one.inputs, one.layers[0].output).output_shape == (None, 3)


def test_a_model_can_be_cut_in_two():  # K#14678, TF#43025
    start = Input((4,))
    middle = layers.Dense(5)(start)
    model = Model(start, layers.Dense(2)(middle))
    x = torch.rand(3, 4)
    torch.testing.assert_close(Model(middle, model.output)(Model(start, middle)(x)), model(x))


def test_the_output_of_a_shared_layer_is_never_silently_that_of_the_first_call():  # K#23238
    shared, a, b = layers.Dense(2), Input((4,)), Input((4,))
    first, second = shared(a), shared(b)
    with pytest.raises(GraphError, match="get_output_at"):
        _ = shared.output
    assert (shared.get_output_at(0), shared.get_output_at(1)) == (first, second)


def test_clones_start_from_the_given_tensors():  # TF#40617, TF#50791
    a = Input((4,))
    model = Model(a, layers.Dense(2)(a))
    new = Input((4,), name="new")
    assert ramify.models.clone_model(model, input_tensors=new).input is new


def test_automatic_names_do_not_depend_on_what_was_built_before():  # K#4875, K#11019
    def names():
        a = Input((4,))
        return [layer.name for layer in Model(a, layers.Dense(2)(layers.Dense(3)(a))).layers]

    assert names() == names() == ["input_layer", "dense_1", "dense"]


@pytest.mark.parametrize("keys", [("a", "b"), ("b", "a")])
def test_inputs_in_a_dict_are_routed_by_key(keys):  # K#20136, K#17169
    tensors = {key: Input((3,), name=f"{key}_in") for key in keys}
    model = Model(tensors, tensors["a"] - 2 * tensors["b"])
    out = model({"b": torch.ones(1, 3), "a": torch.zeros(1, 3)})
    assert (out == -2).all()


def test_spare_keys_are_ignored_and_missing_ones_named():  # K#23258
    a = Input((4,), name="a")
    model = Model({"a": a}, layers.Dense(2)(a))
    assert model({"a": torch.ones(1, 4), "spare": torch.ones(1, 9)}).shape == (1, 2)
    with pytest.raises(InputError, match=r"input 'a'.*'spare'"):
        model({"spare": torch.ones(1, 4)})


@pytest.mark.parametrize("fed", [{}])
def test_optional_inputs_may_be_none_or_left_out(fed):  # K#20997
    class Sum(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

    a, b = Input((4,), name="a"), Input((4,), name="b", optional=True)
    model = Model({"a": a, "b": b}, Sum()(a, b))
    model.compile(loss="mse")
    x = {"a": np.ones((2, 4), "float32"), **fed}
    assert model.predict(x, verbose=0).tolist() == np.ones((2, 4)).tolist()
    model.evaluate(x, np.ones((2, 4)), verbose=0)


def test_functions_of_torch_are_nodes():  # K#20124 and many others
    a = Input((4, 8))
    model = Model(a, torch.nn.functional.gelu(torch.einsum("bij,bkj->bik", a, a)))
    x = torch.rand(2, 4, 8)
    torch.testing.assert_close(model(x), torch.nn.functional.gelu(x @ x.mT))


def test_constants_and_indices_travel_with_the_file(tmp_path):  # TK#342, TF#38117, K#19561
    a = Input((4,))
    model = Model(a, (a[:, [0, 2]] * torch.tensor([1.0, 2.0]))[..., None])
    model.save(tmp_path / "m.keras")
    x = torch.rand(2, 4)
    torch.testing.assert_close(ramify.models.load_model(tmp_path / "m.keras")(x), model(x))


def test_unknown_sizes_can_be_reckoned_with():  # KC#835, K#18900, K#21519
    image = Input((None, None, 3))
    _, height, width, _ = ops.shape(image)
    model = Model(image, ops.reshape(image, (-1, height * width, 3)))
    assert model(torch.rand(2, 3, 4, 3)).shape == (2, 12, 3)
    assert model(torch.rand(2, 5, 7, 3)).shape == (2, 35, 3)


def test_whole_numbers_stay_whole():  # K#19629
    words = Input((3,), dtype="int64")
    assert Model(words, words + 1)(torch.tensor([[2**60, 1, 2]]))[0, 0] == 2**60 + 1


def test_modules_of_torch_tell_their_shape_and_save(tmp_path):  # K#18651, K#19226, K#18403, K#21350
    image = Input((8, 8, 3))
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 5), torch.nn.BatchNorm1d(5))
    out = layers.TorchModuleWrapper(module)(image)
    assert out.shape == (None, 5)
    model = Model(image, out)
    model.save_weights(tmp_path / "m.safetensors")
    x = torch.rand(2, 8, 8, 3)
    before = model(x)
    torch.nn.init.zeros_(module[1].weight)
    model.load_weights(tmp_path / "m.safetensors")
    torch.testing.assert_close(model(x), before)


def test_nested_models_are_readable_in_a_summary():  # TF#28154, K#19717, K#21815
    a = Input((4,))
    inner = Model(a, layers.Dense(3, name="deep")(a), name="inner")
    b = Input((4,))
    lines: list[str] = []
    Model(b, inner(b)).summary(expand_nested=True, print_fn=lambda line, **_: lines.append(line))
    assert any("deep" in line for line in "\n".join(lines).splitlines())
