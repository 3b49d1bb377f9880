"""Checkpoints hold all that training goes on from, and nothing that could run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

import ramify
from ramify import layers
from ramify.errors import ArgumentError, FileFormatError
from ramify.saving.state_tree import put_together, take_apart

X = np.random.default_rng(0).random((24, 3), dtype=np.float32)
Y = X.sum(1, keepdims=True)

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
keys = st.text() | st.integers() | st.booleans() | st.none() | st.tuples(st.integers(), st.text())
trees = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner) | st.dictionaries(keys, inner) | st.tuples(inner, inner) | st.sets(st.integers(), max_size=1)
    ),
    max_leaves=12,
)


@given(trees)
def test_nested_values_come_back_as_they_were(value):
    tensors = {}
    text = json.dumps(take_apart(value, tensors))
    back = put_together(json.loads(text), tensors)
    assert back == value
    assert repr(back) == repr(value)  # 1 is not True, nor 1.0


@pytest.mark.parametrize(
    "value",
    [
        torch.arange(6, dtype=torch.int16).reshape(2, 3).t(),
        torch.ones(2, dtype=torch.bfloat16),
        torch.tensor(float("nan")),
        torch.empty(0, 3),
        np.arange(4.0).reshape(2, 2)[:, ::-1],
        np.array(True),
        np.arange(3, dtype=">i4"),
    ],
    ids=range(7),
)
def test_tensors_and_arrays_come_back_as_they_were(value):
    tensors = {}
    back = put_together(json.loads(json.dumps(take_apart([value], tensors))), tensors)[0]
    assert type(back) is type(value)
    assert back.shape == value.shape
    if isinstance(value, np.ndarray):
        np.testing.assert_array_equal(back, value)
    else:
        assert back.dtype == value.dtype
        torch.testing.assert_close(back, value, rtol=0, atol=0, equal_nan=True)


def test_numbers_that_json_does_not_know():
    for value in (float("inf"), float("-inf")):
        assert put_together(json.loads(json.dumps(take_apart(value, {}))), {}) == value
    assert np.isnan(put_together(json.loads(json.dumps(take_apart(float("nan"), {}))), {}))


def test_objects_are_refused_by_name():
    for value in (object(), print, np.array(["a"]), {"a": {1: {"b": object()}}}):
        with pytest.raises(ArgumentError, match="state"):
            take_apart(value, {})


def model(optimizer="adam"):
    ramify.utils.set_random_seed(2)
    x = ramify.Input((3,))
    h = layers.BatchNormalization()(layers.Dense(8)(x))
    made = ramify.Model(x, layers.Dense(1)(layers.Dropout(0.2, seed=3)(h)))
    made.compile(optimizer, "mse")
    return made


@pytest.mark.parametrize("optimizer", ["adam", torch.optim.Adam], ids=["own", "torch"])
def test_training_goes_on_from_a_checkpoint(tmp_path, optimizer):
    m = model(optimizer)
    m.fit(X, Y, epochs=2, verbose=0)
    m.save_checkpoint(tmp_path / "a.ckpt")
    m.fit(X, Y, epochs=2, verbose=0)
    other = model(optimizer)
    other.load_checkpoint(tmp_path / "a.ckpt")
    other.fit(X, Y, epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(m.get_weights(), other.get_weights(), strict=True))
    with pytest.raises(FileExistsError):
        m.save_checkpoint(tmp_path / "a.ckpt", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]


def test_the_file_holds_numbers_and_json_only(tmp_path):
    m = model(torch.optim.Adam)
    m.fit(X, Y, verbose=0)
    m.save_checkpoint(tmp_path / "a.ckpt")
    with safetensors.safe_open(tmp_path / "a.ckpt", "pt") as file:
        names = set(file.keys())
        json.loads(file.get_tensor("tree").numpy().tobytes())
        assert set(file.metadata()) == {"format", "version", "sha256"}
    assert all(name == "tree" or name.startswith(("weights/", "state/")) for name in names)
    data = (tmp_path / "a.ckpt").read_bytes()
    assert b"PK\x03\x04" not in data  # torch.save would have written a zip with a pickle


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    m = model()
    m.fit(X, Y, verbose=0)
    path = tmp_path / "a.ckpt"
    m.save_checkpoint(path)
    whole, seen = path.read_bytes(), []

    def failing(file):
        seen.extend(sorted(one.name for one in tmp_path.iterdir()))
        raise OSError("no space left")

    monkeypatch.setattr("ramify.saving.files.sync", failing)
    with pytest.raises(OSError, match="no space left"):
        m.save_checkpoint(path)
    assert [one.name for one in tmp_path.iterdir()] == ["a.ckpt"]
    assert path.read_bytes() == whole
    # While it is written there is one file beside the old one, under a name that BackupAndRestore tidies up.
    assert len(seen) == 2
    assert seen[0].startswith(".a.ckpt.")
    assert seen[0].endswith(".tmp")


def test_custom_layers_save_what_they_say(tmp_path):
    class Counter(layers.Layer):
        """Keeps a number that is no weight."""

        count = 0

        def call(self, inputs):
            return inputs

        def save_own_variables(self, store):
            store["count"] = np.array(self.count)

        def load_own_variables(self, store):
            self.count = int(store["count"])

    def made():
        x = ramify.Input((3,))
        m = ramify.Model(x, layers.Dense(1)(Counter(name="counter")(x)))
        m.compile("sgd", "mse")
        return m

    first, second = made(), made()
    first.get_layer("counter").count = 7
    first.save_checkpoint(tmp_path / "a.ckpt")
    second.load_checkpoint(tmp_path / "a.ckpt")
    assert second.get_layer("counter").count == 7


def test_what_does_not_fit_or_is_damaged_is_refused(tmp_path):
    path = tmp_path / "a.ckpt"
    m = model()
    m.fit(X, Y, verbose=0)
    m.save_checkpoint(path)
    whole = path.read_bytes()
    before = m.get_weights()

    def refused(match):
        with pytest.raises(FileFormatError, match=match):
            m.load_checkpoint(path)
        assert all(np.array_equal(a, b) for a, b in zip(before, m.get_weights(), strict=True))

    for at in (9, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        refused("damaged|no checkpoint")
    for cut in (0, 5, 100, len(whole) - 1):
        path.write_bytes(whole[:cut])
        refused("damaged")
    safetensors.torch.save_file({"a": torch.ones(1)}, path)
    refused("no checkpoint of this library")
    path.unlink()
    refused("There is no checkpoint")
    x = ramify.Input((3,))
    other = ramify.Model(x, layers.Dense(1)(x))
    other.compile("adam", "mse")
    other.save_checkpoint(path)
    refused("does not fit")
    unbuilt = ramify.Sequential([layers.Dense(1)])
    with pytest.raises(ArgumentError, match="no weights to save yet"):
        unbuilt.save_checkpoint(path)
