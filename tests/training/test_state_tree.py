"""State as a tree, and losses of numbers from outside, beside Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, NotBuiltError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = {"o": X[:, :1], "p": X[:, 1:2] * 2}


def build(lib):
    x = lib.Input((4,))
    h = lib.layers.Dense(2, name="d", kernel_regularizer=lib.regularizers.L2(0.1))(
        lib.layers.BatchNormalization(name="bn")(x)
    )
    model = lib.Model(x, {"o": lib.layers.Dense(1, name="o")(h), "p": lib.layers.Dense(1, name="p")(h)})
    loss, weights = {"o": "mse", "p": "mse"}, {"o": 2.0, "p": 0.5}
    model.compile(lib.optimizers.Adam(0.01, epsilon=1e-3), loss, weights, metrics={"o": ["mae"]})
    return model


@pytest.fixture
def pair():
    real, ours = build(keras), build(ramify)
    ours.set_weights(real.get_weights())
    for model in (real, ours):
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    return real, ours


def leaves(tree, path=()):
    if not isinstance(tree, dict):
        return {path: tree}
    return {p: leaf for key, inner in tree.items() for p, leaf in leaves(inner, (*path, key)).items()}


def test_the_tree_has_keras_names_and_numbers(pair):
    real, ours = pair
    want, got = (leaves(model.get_state_tree(value_format="numpy_array")) for model in pair)
    want, got = (
        {
            tuple(part.rstrip("_0123456789") if part.startswith("adam_") else part for part in path): v
            for path, v in t.items()
        }
        for t in (want, got)
    )
    assert list(got) == list(want)
    for path, value in want.items():
        np.testing.assert_allclose(got[path], value, rtol=1e-5, atol=1e-6, err_msg="/".join(path))
    ours.set_state_tree(real.get_state_tree(value_format="numpy_array"))
    for mine, value in zip(leaves(ours.get_state_tree("numpy_array")).values(), want.values(), strict=True):
        np.testing.assert_array_equal(mine, value)


def test_training_goes_on_from_a_tree_as_if_nothing_had_happened(pair):
    _, ours = pair
    kept = ours.get_state_tree("numpy_array")
    ours.fit(X, Y, shuffle=False, verbose=0)
    want = leaves(ours.get_state_tree("numpy_array"))
    other = build(ramify)
    other.fit(X, Y, verbose=0)
    other.set_state_tree(kept)
    other.fit(X, Y, shuffle=False, verbose=0)
    for got, (path, value) in zip(leaves(other.get_state_tree("numpy_array")).values(), want.items(), strict=True):
        np.testing.assert_array_equal(got, value, err_msg="/".join(path))


def test_tensors_are_the_models_own_and_arrays_are_copies(pair):
    _, ours = pair
    tensors, arrays = ours.get_state_tree(), ours.get_state_tree("numpy_array")
    before = arrays["trainable_variables"]["o"]["kernel"].copy()
    ours.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(arrays["trainable_variables"]["o"]["kernel"], before)
    now = ours.get_layer("o").kernel.numpy()
    np.testing.assert_array_equal(tensors["trainable_variables"]["o"]["kernel"].detach(), now)
    assert not np.array_equal(now, before)


def test_a_part_is_set_and_what_does_not_fit_changes_nothing(pair):
    _, ours = pair
    kernel = ours.get_layer("o").kernel
    ours.set_state_tree({"trainable_variables": {"o": {"kernel": np.ones((2, 1))}}})
    assert kernel.tolist() == [[1.0], [1.0]]
    fine = {"o": {"kernel": np.zeros((2, 1))}}
    for tree, message in (
        ({"trainable_variables": {**fine, "q": {"kernel": 1.0}}}, "'trainable_variables/q/kernel'"),
        ({"trainable_variables": {**fine, "p": {"kernel": np.ones(3)}}}, r"shape \(3,\).*\(2, 1\)"),
        ({"trainable_variables": fine, "weights": {}}, "'weights'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            ours.set_state_tree(tree)
    assert kernel.tolist() == [[1.0], [1.0]]
    with pytest.raises(ArgumentError, match="'numpy_array'"):
        ours.get_state_tree("list")


def test_a_tree_before_compile_and_paths_that_are_shared():
    x = ramify.Input((3,))
    model = ramify.Model(x, ramify.layers.Dense(1)(x))
    assert model.get_state_tree()["optimizer_variables"] == {}
    twins = ramify.Sequential(
        [ramify.Model(x, ramify.layers.Dense(3, name="d")(x), name=name) for name in ("one", "two")]
    )
    twins.build((None, 3))
    tree = twins.get_state_tree("numpy_array")["trainable_variables"]
    assert sum(np.size(leaf) for leaf in leaves(tree).values()) == twins.count_params()


def outside(model):
    lists = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    return [[torch.tensor(np.asarray(v.numpy())) for v in variables] for variables in lists]


def test_the_stateless_loss_equals_keras_and_changes_nothing(pair):
    batch = {name: torch.tensor(value) for name, value in Y.items()}
    made = []
    for model in pair:
        start = outside(model)
        y_pred, _ = model.stateless_call(*start[:2], torch.tensor(X))
        loss, after = model.stateless_compute_loss(*start, x=torch.tensor(X), y=batch, y_pred=y_pred)
        for kind, now in zip(start, outside(model), strict=True):
            assert all(map(torch.equal, kind, now))
        made.append([loss.detach(), *after[2]])
    np.testing.assert_allclose(np.float32(made[1]), np.float32(made[0]), rtol=1e-5)
    given = [torch.full_like(w, 0.5) for w in outside(pair[1])[0]]
    losses = [m.stateless_compute_loss(given, *outside(m)[1:], y=batch, y_pred=batch)[0] for m in pair]
    torch.testing.assert_close(*(loss.detach() for loss in losses))


def test_the_stateless_loss_goes_through_torch_func(pair):
    _, ours = pair
    trainable, rest, measured = outside(ours)
    x, y = torch.tensor(X), {name: torch.tensor(value) for name, value in Y.items()}

    def loss(weights):
        y_pred, _ = ours.stateless_call(weights, rest, x, training=False)
        return ours.stateless_compute_loss(weights, rest, measured, x, y, y_pred)[0]

    ours.zero_grad()
    ours.compute_loss(x, y, ours(x)).backward()
    for got, weight in zip(torch.func.grad(loss)(trainable), ours.trainable_variables, strict=True):
        torch.testing.assert_close(got, weight.grad)
    with pytest.raises(ArgumentError, match="8 `trainable_variables`, but 1"):
        ours.stateless_compute_loss(trainable[:1], rest, measured, y=y, y_pred=y)
    with pytest.raises(NotBuiltError, match="no weights"):
        ramify.Sequential([ramify.layers.Dense(1)]).stateless_compute_loss([], [], [])


def test_add_metric_says_what_to_do_instead(pair):
    with pytest.raises(ArgumentError, match=r"compile\(metrics="):
        pair[1].add_metric(ramify.metrics.Mean())
