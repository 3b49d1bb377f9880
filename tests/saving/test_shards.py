"""Weights in several files beside an index."""

from __future__ import annotations

import json
import os

import h5py
import keras
import numpy as np
import pytest

import ramify
from ramify.errors import ArgumentError, FileFormatError, UnsafeFileError

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own
X = np.ones((2, 4), "float32")


def build(k=ramify):
    x = k.Input((4,))
    h = k.layers.BatchNormalization()(k.layers.Dense(6)(x))
    model = k.Model(x, k.layers.Dense(2, name="last")(h))
    model.set_weights([np.full(w.shape, i + 1, "float32") for i, w in enumerate(model.get_weights())])
    return model


def fresh(k=ramify):
    model = build(k)
    model.set_weights([0 * w for w in model.get_weights()])
    return model


@pytest.mark.parametrize("size", [5e-8, 1e-7, 3e-7, 1])
def test_both_ways(size, tmp_path):
    ours, theirs = build(), build(keras)
    ours.save_weights(tmp_path / "ours.weights.json", max_shard_size=size)
    there = fresh(keras)
    there.load_weights(tmp_path / "ours.weights.json")
    for a, b in zip(there.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    theirs.save_weights(tmp_path / "theirs.weights.json", max_shard_size=max(size, 1e-7))
    here = fresh()
    report = here.load_weights(tmp_path / "theirs.weights.json")
    assert len(report.loaded) == 8
    assert not report.left
    for a, b in zip(here.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_shard_is_larger_than_it_may_be(tmp_path):
    build().save_weights(tmp_path / "m.weights.json", max_shard_size=1.2e-7)  # 129 bytes
    index = json.loads((tmp_path / "m.weights.json").read_text())
    shards = {name for names in index["weight_map"].values() for name in names}
    assert len(shards) > 2
    for name in shards:
        sizes = []
        with h5py.File(tmp_path / name) as file:
            file.visititems(
                lambda path, item, sizes=sizes: sizes.append(item.nbytes) if path.rpartition("/")[2].isdigit() else None
            )
        assert sum(sizes) <= 129
    assert index["metadata"]["total_size"] == sum(w.nbytes for w in build().get_weights())


def test_the_optimizer_comes_along(tmp_path):
    model, other = build(), build()
    for one in (model, other):
        one.compile("adam", "mse")
    model.fit(X, np.ones((2, 2)), epochs=3, verbose=0)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=2e-7)
    other.fit(X, np.ones((2, 2)), verbose=0)
    other.load_weights(tmp_path / "m.weights.json")
    losses = [one.fit(X, np.ones((2, 2)), epochs=2, verbose=0).history["loss"] for one in (model, other)]
    assert losses[0] == losses[1]


def test_names_that_are_wrong(tmp_path):
    with pytest.warns(UserWarning, match="an index"):
        build().save_weights(tmp_path / "m.weights.h5", max_shard_size=1)
    assert (tmp_path / "m.weights.json").exists()
    with pytest.raises(ArgumentError, match="that of the index"):
        build().save_weights(tmp_path / "m.json", max_shard_size=1)
    with pytest.raises(ArgumentError, match="above 0"):
        build().save_weights(tmp_path / "m.weights.json", max_shard_size=0)
    with pytest.raises(FileExistsError):
        build().save_weights(tmp_path / "m.weights.json", overwrite=False, max_shard_size=1)


ELSEWHERE = ["../x.h5", "/etc/x.h5", "a\\x.h5", "C:x.h5", ".x.h5", "x.txt", "a/x.h5", "a" * 5000 + ".h5", "\ud800.h5"]


@pytest.mark.parametrize("name", ELSEWHERE, ids=range(len(ELSEWHERE)))
def test_f14_an_index_that_points_elsewhere(name, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    build().save_weights(tmp_path / "x.weights.h5")
    (tmp_path / "x.weights.h5").rename(tmp_path / "x.h5")
    (folder / "m.weights.json").write_text(json.dumps({"weight_map": {"/layers/dense/vars": [name]}}))
    with pytest.raises(UnsafeFileError, match="lie beside their index"):
        build().load_weights(folder / "m.weights.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_f14_a_shard_that_is_no_file(tmp_path):
    (tmp_path / "m.weights.json").write_text(json.dumps({"weight_map": {"/layers/dense/vars": ["x.h5"]}}))
    os.mkfifo(tmp_path / "x.h5")
    with pytest.raises(FileFormatError, match="no regular file"):
        build().load_weights(tmp_path / "m.weights.json")
    (tmp_path / "x.h5").unlink()
    (tmp_path / "x.h5").symlink_to("/etc/hostname")
    with pytest.raises(FileFormatError, match="no regular file"):
        build().load_weights(tmp_path / "m.weights.json")


@pytest.mark.parametrize(
    "index", ["{}", "[1]", '{"weight_map": {}}', '{"weight_map": {"/a": []}}', "nothing", '{"weight_map": {"/a": 3}}']
)
def test_a_damaged_index(index, tmp_path):
    (tmp_path / "m.weights.json").write_text(index)
    with pytest.raises(FileFormatError):
        build().load_weights(tmp_path / "m.weights.json")


def test_an_array_in_the_wrong_shard(tmp_path):
    build().save_weights(tmp_path / "m.weights.json", max_shard_size=1.2e-7)
    index = json.loads((tmp_path / "m.weights.json").read_text())
    last = index["weight_map"].pop("/layers/dense_1/vars")
    (tmp_path / "m.weights.json").write_text(json.dumps(index))
    with pytest.raises(FileFormatError):
        fresh().load_weights(tmp_path / "m.weights.json")
    assert last
