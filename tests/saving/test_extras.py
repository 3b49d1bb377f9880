"""Reports, names, random and metric state: what goes beyond Keras's files."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, layers, metrics, saving
from ramify.errors import DuplicateNameError, FileFormatError

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")


def named(*names, units=4):
    x = y = Input((4,))
    for name in names:
        y = layers.Dense(units, name=name)(y)
    return Model(x, y)


@pytest.mark.parametrize("kind", [".weights.h5", ".safetensors", ".keras", ".weights.json"])
def test_by_name_and_its_report(kind, tmp_path):
    model, other = named("a", "b", "c"), named("c", "new", "a")
    path = tmp_path / f"m{kind}"
    if kind == ".keras":
        model.save(path)
    else:
        model.save_weights(path, max_shard_size=1e-7 if kind.endswith("json") else None)
    kept = other.get_layer("new").get_weights()
    report = other.load_weights(path, by_name=True)
    for name in "ac":
        for ours, theirs in zip(other.get_layer(name).get_weights(), model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(other.get_layer("new").get_weights()[0], kept[0])
    assert len(report.loaded) == 4
    assert any("new" in one for one in report.left)
    assert report.unused
    assert "4 weight(s) loaded" in str(report)
    assert not model.load_weights(path).left


@pytest.mark.parametrize("kind", [".weights.h5", ".safetensors"])
def test_skipping_tells_what_was_skipped(kind, tmp_path):
    named("a", "b").save_weights(tmp_path / f"m{kind}")
    x = Input((4,))
    other = Model(x, layers.Dense(2, name="b")(layers.Dense(4, name="a")(x)))
    with pytest.warns(UserWarning, match="left as it was"):
        report = other.load_weights(tmp_path / f"m{kind}", skip_mismatch=True)
    assert len(report.loaded) == 2
    assert len(report.left) == 2
    with pytest.raises(FileFormatError, match=r"\(4, 2\), in the file \(4, 4\)"):
        other.load_weights(tmp_path / f"m{kind}", by_name=True)


def dropping(seed):
    x = Input((4,))
    h = layers.Dropout(0.5, seed=seed)(layers.Dense(8)(x))
    model = Model(x, layers.GaussianNoise(0.1, seed=3)(layers.Dense(2)(h)))
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("seed", [7, "generator"])
def test_random_streams_go_on(seed, tmp_path):
    model = dropping(ramify.random.SeedGenerator(5) if seed == "generator" else seed)
    fit = {"x": X, "y": X[:, :2], "epochs": 2, "shuffle": False, "verbose": 0}
    model.fit(**fit)
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras")
    assert loaded.fit(**fit).history["loss"] == model.fit(**fit).history["loss"]
    if seed == 7:  # Keras does not read its own generators as seeds
        assert isinstance(keras.models.load_model(tmp_path / "m.keras"), keras.Model)


def test_metrics_go_on(tmp_path):
    class Counting(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seen = metrics.Mean(name="seen")

        def call(self, x):
            return x

    x = Input((4,))
    layer = Counting()
    model = Model(x, layer(x))
    layer.seen.update_state([2.0, 4.0])
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras", custom_objects={"Counting": Counting})
    seen = loaded.layers[1].seen
    seen.update_state([9.0])
    assert float(seen.result()) == 5.0


def several_outputs(k):
    x = k.Input((4,))
    model = k.Model(x, {"a": k.layers.Dense(1, name="a")(x), "b": k.layers.Dense(2, name="b")(x)})
    model.compile(
        "sgd",
        {"a": "mse", "b": "mae"},
        metrics={"a": ["mae", "mse"], "b": k.metrics.MeanSquaredError(name="q")},
        weighted_metrics={"a": "mae"},
    )
    return model


Y = {"a": X[:, :1], "b": X[:, :2]}


def measured(model):
    """The values of all metrics after one batch more, as in a loop of one's own: nothing is reset."""
    y, predicted = {name: torch.from_numpy(one) for name, one in Y.items()}, model(torch.from_numpy(X))
    model.compute_loss(torch.from_numpy(X), y, predicted)
    return {name: float(value) for name, value in model.compute_metrics(X, y, predicted).items()}


def test_metrics_of_compile_go_on(tmp_path):
    """Keras 3.15 keeps no state of metrics in its files, and reads ours without it; here, it is kept."""
    model = several_outputs(ramify)
    model.train_on_batch(X, Y)
    model.save(tmp_path / "m.keras")
    here, there = saving.load_model(tmp_path / "m.keras"), keras.models.load_model(tmp_path / "m.keras")
    fresh, got, expected = measured(there), measured(here), measured(model)
    assert got == expected
    assert set(fresh) == set(got)
    assert len(got) == 7
    for name, value in got.items():  # the step in between changed the predictions: the mean over both is another one
        assert value != pytest.approx(fresh[name], rel=1e-4), name
    there.save(tmp_path / "k.keras")
    back = saving.load_model(tmp_path / "k.keras")
    for name, value in measured(back).items():
        assert value == pytest.approx(fresh[name], rel=1e-5)
    here = saving.load_model(tmp_path / "m.keras")
    here.reset_metrics()
    for name, value in measured(here).items():
        assert value == pytest.approx(fresh[name], rel=1e-5)


@pytest.mark.parametrize("state", [{"loss": 5}, {"loss": ["x", None]}, {"loss": [[1, [2]], 1]}, {"loss": [10**40, 1]}])
@pytest.mark.parametrize("key", ["metrics", "compile_metrics"])
def test_damaged_state_of_metrics_is_told(key, state):
    model = several_outputs(ramify)
    with pytest.raises(FileFormatError, match="state of metrics"):
        saving.extras.restore_metrics(model, {"ramify": {key: state}}, "m.keras")
    for other in ({}, {"ramify": 3}, {"ramify": {key: [1]}}, {"ramify": {key: {"loss": [[1.0, 2.0]], "zzz": [1]}}}):
        saving.extras.restore_metrics(model, other, "m.keras")


def test_damaged_random_state_is_told(tmp_path):
    model = dropping(7)
    path = next(path for path, _ in saving.extras._streams(model))
    with pytest.raises(FileFormatError, match="random state"):
        saving.extras.restore_random(model, {path: {"cpu": "AAAA"}}, "m.keras")


def test_models_of_one_name_are_told_apart(tmp_path):
    def tower():
        i = Input((4,))
        return Model(i, layers.Dense(4)(i), name="tower")

    x = Input((4,))
    model = Model(x, layers.Add()([tower()(x), tower()(x), tower()(x)]))
    assert [one.name for one in model.layers if isinstance(one, Model)] == ["tower", "tower_1", "tower_2"]
    model.save(tmp_path / "m.keras")
    data = torch.ones(1, 4)
    torch.testing.assert_close(saving.load_model(tmp_path / "m.keras")(data), model(data), rtol=0, atol=0)
    stack = ramify.Sequential([Input((4,)), tower(), tower()])
    assert [one.name for one in stack.layers] == ["tower", "tower_1"]
    with pytest.raises(DuplicateNameError):
        named("a", "a")
