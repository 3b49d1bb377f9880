"""Exported models: programs that give the model's outputs, of any batch size, without the library."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pytest
import torch

import ramify
from ramify import layers
from ramify.errors import ArgumentError, NotBuiltError

needs_onnx = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="ONNX is not there",
)


def branching():
    """Inputs and outputs in dicts, an op node, an input's name on an output, dropout and batch normalization."""
    left, right = ramify.Input((6,), name="left"), ramify.Input((8, 8, 2), name="right")
    x = layers.BatchNormalization()(layers.Conv2D(3, 3, activation="relu")(right))
    x = layers.GlobalAveragePooling2D()(x)
    both = layers.Dropout(0.9)(layers.concatenate([x, torch.tanh(left) * 2]))
    model = ramify.Model({"right": right, "left": left}, {"left": layers.Dense(2)(both), "deep": layers.Dense(4)(both)})
    model.compile("sgd", "mse")
    model.fit(feed(3), {"left": np.ones((3, 2)), "deep": np.ones((3, 4))}, verbose=0)
    return model


def feed(count):
    generator = torch.Generator().manual_seed(count)
    return {
        "right": torch.randn(count, 8, 8, 2, generator=generator),
        "left": torch.randn(count, 6, generator=generator),
    }


@pytest.mark.parametrize("count", [1, 3, 7])
def test_a_torch_program_gives_the_outputs_at_any_batch_size(count, tmp_path):
    model = branching()
    model.export(tmp_path / "m.pt2", verbose=False)
    program = torch.export.load(tmp_path / "m.pt2").module()
    expected = model(feed(count), training=False)
    for key, value in program(feed(count)).items():
        torch.testing.assert_close(value, expected[key], rtol=1e-5, atol=1e-6)


def test_exporting_changes_nothing_in_the_model(tmp_path, capsys):
    model = branching()
    model.train()
    layer_modes = [module.training for module in model.modules()]
    before = [weight.clone() for weight in model.state_dict().values()]
    model.export(tmp_path / "m.pt2")
    assert capsys.readouterr().out == f"Exported '{model.name}' to {tmp_path / 'm.pt2'}.\n"
    assert [module.training for module in model.modules()] == layer_modes
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["m.pt2"]


def test_lengths_stay_open_where_the_computation_leaves_them(tmp_path):
    x = ramify.Input((None, 16))
    model = ramify.Model(x, layers.LayerNormalization()(layers.MultiHeadAttention(2, 8)(x, x, use_causal_mask=True)))
    model.export(tmp_path / "m.pt2", verbose=False)
    program = torch.export.load(tmp_path / "m.pt2").module()
    for shape in ((2, 5, 16), (1, 40, 16)):
        data = torch.randn(shape)
        torch.testing.assert_close(program(data), model(data), rtol=1e-5, atol=1e-5)


def test_a_length_that_is_fixed_is_told_and_can_be_chosen(tmp_path):
    x = ramify.Input((None, 5), name="words")
    model = ramify.Model(x, layers.LSTM(4)(x))
    with pytest.warns(UserWarning, match="fixes axis 1 of input 'words' to 32"):
        model.export(tmp_path / "m.pt2", verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.export(tmp_path / "m.pt2", verbose=False, input_signature=[ramify.InputSpec(shape=(None, 6, 5))])
    data = torch.randn(3, 6, 5)
    got = torch.export.load(tmp_path / "m.pt2").module()(data)
    torch.testing.assert_close(got, model(data), rtol=1e-5, atol=1e-6)


def test_a_subclass_says_what_it_takes(tmp_path):
    class Twice(ramify.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs) * 2

    model = Twice()
    model(torch.ones(1, 4))
    with pytest.raises(NotBuiltError, match="input_signature"):
        model.export(tmp_path / "m.pt2")
    model.export(tmp_path / "m.pt2", verbose=False, input_signature=ramify.InputSpec(shape=(None, 4)))
    data = torch.randn(5, 4)
    torch.testing.assert_close(torch.export.load(tmp_path / "m.pt2").module()(data), model(data))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("m", {"format": "tf_saved_model"}, "'onnx', from which others convert"),
        ("m.tflite", {}, "m.tflite"),
        ("m.onnx", {"format": "torch"}, "ends in .pt2"),
        ("m.pt2", {"opset_version": 18}, "takes no 'opset_version'"),
    ],
)
def test_what_cannot_be_written_is_refused(name, options, message, tmp_path):
    x = ramify.Input((4,))
    with pytest.raises(ArgumentError, match=message):
        ramify.Model(x, layers.Dense(2)(x)).export(tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_an_export_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    x = ramify.Input((4,))
    model = ramify.Model(x, layers.Dense(2)(x))
    (tmp_path / "m.pt2").write_bytes(b"old")

    def full(program, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch.export, "save", full)
    with pytest.raises(OSError, match="No space"):
        model.export(tmp_path / "m.pt2")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("m.pt2", b"old")]


@needs_onnx
def test_onnx_gives_the_outputs_under_the_models_names(tmp_path):
    import onnxruntime

    model = branching()
    model.export(tmp_path / "m.onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    assert [one.name for one in session.get_inputs()] == ["left", "right"]
    assert [one.name for one in session.get_outputs()] == ["deep", "left_output"]
    got = session.run(None, {name: value.numpy() for name, value in feed(5).items()})
    expected = model(feed(5), training=False)
    np.testing.assert_allclose(got[0], expected["deep"].detach(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got[1], expected["left"].detach(), rtol=1e-4, atol=1e-5)


@needs_onnx
def test_what_onnx_cannot_say_is_told(tmp_path):
    x = ramify.Input((6, 5), name="words")
    model = ramify.Model(x, torch.linalg.eigvals(x[:, :5]).real, name="eigen")
    with pytest.raises(ArgumentError, match="'eigen' computes something that ONNX has no translation of"):
        model.export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
