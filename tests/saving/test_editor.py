"""`KerasFileEditor`: the same file with other weights in it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify
from ramify import Input, Model, Sequential, layers
from ramify.errors import ArgumentError, FileFormatError
from ramify.saving import KerasFileEditor


def build(units=3):
    x = Input((4,))
    return Model(x, layers.Dense(2, name="last")(layers.Dense(units, name="first")(x)), name="net")


@pytest.fixture(params=["m.weights.h5", "m.keras", "m.weights.json"])
def path(request, tmp_path):
    path = tmp_path / request.param
    model = build()
    if path.suffix == ".keras":
        model.save(path)
    else:
        model.save_weights(path, max_shard_size=1e-7 if path.suffix == ".json" else None)
    return path


def test_what_is_in_a_file(path, capsys):
    editor = KerasFileEditor(path)
    assert list(editor.weights_dict) == ["layers/dense", "layers/dense_1"]
    assert editor.weights_dict["layers/dense"]["0"].shape == (4, 3)
    editor.summary()
    shown = capsys.readouterr().out
    assert "dense 'first'" in shown
    assert "0: shape=(4, 3), dtype=float32" in shown
    assert (editor.config is None) == (path.suffix != ".keras")


def test_comparing(path, capsys):
    editor = KerasFileEditor(path)
    assert editor.compare(build()) == {"status": "success", "error_count": 0, "match_count": 4, "errors": []}
    found = editor.compare(build(5))
    assert found["status"] == "error"
    assert found["error_count"] == 3
    assert found["match_count"] == 1
    assert "(4, 5), in the file (4, 3)" in capsys.readouterr().out


def test_changing_and_saving(path, tmp_path):
    editor = KerasFileEditor(path)
    editor.delete_object("last")
    editor.add_object("layers/dense_1", {"0": np.ones((3, 7)), "1": np.zeros(7)})
    editor.delete_weight("first", "1")
    editor.add_weights("layers/dense", {"1": np.full(3, 0.5, "float32")})
    editor.save(tmp_path / "new.weights.h5")
    x = Input((4,))
    model = Model(x, layers.Dense(7)(layers.Dense(3)(x)))
    model.load_weights(tmp_path / "new.weights.h5")
    assert model.layers[1].bias.numpy().tolist() == [0.5] * 3
    assert model.layers[2].kernel.numpy().tolist() == [[1.0] * 7] * 3
    x = keras.Input((4,))
    theirs = keras.Model(x, keras.layers.Dense(7)(keras.layers.Dense(3)(x)))
    theirs.load_weights(tmp_path / "new.weights.h5")
    np.testing.assert_array_equal(theirs.get_weights()[2], np.ones((3, 7)))


def test_renaming(tmp_path):
    inner = Sequential([Input((4,)), layers.Dense(4)], name="inner")
    model = Sequential([Input((4,)), inner])
    model.save_weights(tmp_path / "m.weights.h5")
    editor = KerasFileEditor(tmp_path / "m.weights.h5")
    editor.rename_object("inner", "functional")
    assert list(editor.weights_dict) == ["layers/functional/layers/dense"]
    editor.resave_weights(tmp_path / "n.weights.h5")
    x = i = Input((4,))
    functional = Model(i, layers.Dense(4)(i))
    ramify.Model(x, functional(x)).load_weights(tmp_path / "n.weights.h5")
    with pytest.raises(ArgumentError, match="already"):
        editor.add_object("layers/functional/layers/dense", {})


def test_half_precision_stays(tmp_path):
    model = Sequential([Input((3,)), layers.Dense(2, dtype="bfloat16")])
    model.save_weights(tmp_path / "m.weights.h5")
    KerasFileEditor(tmp_path / "m.weights.h5").save(tmp_path / "n.weights.h5")
    other = Sequential([Input((3,)), layers.Dense(2, dtype="bfloat16")])
    assert other.load_weights(tmp_path / "n.weights.h5").loaded
    assert (other.layers[0].kernel == model.layers[0].kernel).all()


def test_what_it_refuses(path, tmp_path):
    editor = KerasFileEditor(path)
    with pytest.raises(ArgumentError, match="no single object 'gone'"):
        editor.delete_object("gone")
    with pytest.raises(ArgumentError, match="has no '7'"):
        editor.delete_weight("first", "7")
    with pytest.raises(ArgumentError, match="no name for an object"):
        editor.rename_object("first", "../x")
    with pytest.raises(ArgumentError, match=r"\.weights\.h5"):
        editor.save(tmp_path / "m.h5x")
    with pytest.raises(FileFormatError):
        KerasFileEditor(tmp_path / "gone.weights.h5")
    (tmp_path / "text.txt").write_text("")
    with pytest.raises(ArgumentError, match="The editor opens"):
        KerasFileEditor(tmp_path / "text.txt")
