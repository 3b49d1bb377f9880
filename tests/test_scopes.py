"""Scopes, variables and policies by path: what code tells layers from outside is what Keras's tells its own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, ShapeError


def numbers(value):
    return np.asarray(keras.ops.convert_to_numpy(value)).tolist()


def same(use):
    """What is done with either library gives one answer."""
    ours, theirs = use(ramify), use(keras)
    assert ours == theirs
    return ours


# ---- StatelessScope ----


def test_a_stateless_scope_has_numbers_of_its_own():
    def use(library):
        given, free = (library.Variable(np.ones(2, "float32")) for _ in range(2))
        with library.StatelessScope([(given, torch.full((2,), 5.0))]) as scope:
            seen = [numbers(given.value)]
            given.assign(torch.zeros(2))
            free.assign_add(torch.ones(2))
            seen += [numbers(given + 1), numbers(free.value)]
        after = [numbers(given.value), numbers(free.value)]
        return seen, after, [numbers(scope.get_current_value(v)) for v in (given, free)]

    seen, after, kept = same(use)
    assert seen == [[5.0, 5.0], [1.0, 1.0], [2.0, 2.0]]
    assert (after, kept) == ([[1.0, 1.0]] * 2, [[0.0, 0.0], [2.0, 2.0]])


def test_scopes_within_scopes_and_variables_that_no_one_touched():
    def use(library):
        changed, still = library.Variable(1.0), library.Variable(7.0)
        with library.StatelessScope() as outer:
            changed.assign(2.0)
            with library.StatelessScope() as inner:
                changed.assign(3.0)
            between = numbers(changed)
        values = [numbers(scope.get_current_value(changed)) for scope in (outer, inner)]
        return between, numbers(changed), values, outer.get_current_value(still)

    assert same(use) == (2.0, 1.0, [2.0, 3.0], None)


def test_a_scope_gives_numbers_back_after_an_error():
    weight = ramify.Variable(1.0)
    with pytest.raises(KeyError), ramify.StatelessScope([(weight, torch.tensor(4.0))]):
        raise KeyError
    assert numbers(weight) == 1.0


@pytest.mark.parametrize("collect", [False, True])
def test_a_scope_collects_losses(collect):
    def use(library):
        layer = library.layers.Dense(1, activity_regularizer="l1", kernel_initializer="ones")
        layer.build((None, 2))
        with library.StatelessScope(collect_losses=collect) as scope:
            layer(torch.ones(1, 2))
        return [numbers(loss) for loss in scope.losses or []]

    assert len(same(use)) == collect


@pytest.mark.parametrize("pair", [lambda v: (v, torch.ones(3)), lambda v: (3, torch.ones(2))])
def test_pairs_that_do_not_fit_are_refused(pair):
    for library in (keras, ramify):
        with pytest.raises(ValueError, match="StatelessScope"):
            library.StatelessScope([pair(library.Variable(np.ones(2)))])


# ---- name_scope ----


def test_paths_follow_the_scopes():
    def use(library):
        def path():
            return library.Variable(1.0, name="v").path

        with library.name_scope("a"):
            with library.name_scope("b"):
                inner = path()
            with library.name_scope("c", override_parent="x/y"):
                elsewhere = path()
            outer = path()
            layer = library.layers.Dense(1, name="d")
            layer.build((None, 2))
        return inner, elsewhere, outer, path(), [weight.path for weight in layer.weights]

    assert same(use) == ("a/b/v", "x/y/c/v", "a/v", "v", ["a/d/kernel", "a/d/bias"])


@pytest.mark.parametrize("name", ["a/b", 3])
def test_a_scope_is_called_by_a_word(name):
    for library in (keras, ramify):
        with pytest.raises(ValueError, match="name"):
            library.name_scope(name)


# ---- DTypePolicyMap ----


def policies(library, **more):
    made = {"encoder/.*": "bfloat16", "encoder/first": "mixed_bfloat16", **more}
    named = {path: library.DTypePolicy(name) for path, name in made.items()}
    return library.dtype_policies.DTypePolicyMap(library.DTypePolicy("float32"), named)


def test_a_map_answers_for_paths():
    def use(library):
        found = policies(library)
        names = [found[path].name for path in ("encoder/first", "encoder/second", "decoder/first")]
        inside = ["encoder/second" in found, "encoder/.*" in found]
        return names, list(found), len(found), inside, found.name, found.compute_dtype, found.variable_dtype

    assert same(use)[0] == ["mixed_bfloat16", "bfloat16", "float32"]


def test_a_map_changes_and_comes_back_from_its_config():
    def use(library):
        found = policies(library)
        del found["encoder/.*"]
        found["head"] = library.DTypePolicy("float16")
        config = library.dtype_policies.serialize(found)
        twin = library.dtype_policies.deserialize(config)
        return {path: policy.name for path, policy in twin.items()}, twin["other"].name, config["class_name"]

    assert same(use) == ({"encoder/first": "mixed_bfloat16", "head": "float16"}, "float32", "DTypePolicyMap")


def test_what_a_map_refuses():
    for library in (keras, ramify):
        with pytest.raises(ValueError, match="already"):
            policies(library)["encoder/.*"] = library.DTypePolicy("float32")
        with pytest.raises(ValueError, match="match"):
            policies(library, **{".*/second": "float16"})["encoder/second"]


def test_layers_take_their_policies_from_a_map():
    def use(library):
        dtype = policies(library, **{"d": "bfloat16", ".*/query": "float16", "block/e": "mixed_bfloat16"})
        plain = library.layers.Dense(1, name="d", dtype=dtype)
        plain.build((None, 2))
        with library.name_scope("block"):
            scoped = library.layers.Dense(1, name="e", dtype=dtype)
            scoped.build((None, 2))
        attention = library.layers.MultiHeadAttention(1, 2, name="attention", dtype=dtype)
        attention.build((1, 2, 3), (1, 2, 3))
        called = library.layers.Dense(1, name="d", dtype=dtype)
        called.build((None, 2))
        kinds = {w.path: str(w.dtype).split(".")[-1] for x in (plain, scoped, attention) for w in x.weights}
        outputs = [str(x(torch.ones(1, 2)).dtype) for x in (plain, scoped, called)]
        symbolic = str(plain(library.Input((2,))).dtype).split(".")[-1]
        return kinds, outputs, symbolic, [(x.compute_dtype, x.variable_dtype) for x in (plain, scoped)]

    kinds, outputs, symbolic, _ = same(use)
    assert (kinds["d/kernel"], kinds["block/e/kernel"], kinds["attention/query/kernel"]) == (
        "bfloat16", "float32", "float16",
    )  # fmt: skip
    assert kinds["attention/key/kernel"] == "float32"
    assert (outputs[:2], symbolic) == (["torch.bfloat16"] * 2, "bfloat16")


def test_a_layer_keeps_its_map_in_files(tmp_path):
    x = ramify.Input((2,))
    layer = ramify.layers.Dense(1, name="d", dtype=policies(ramify, d="bfloat16"))
    model = ramify.Model(x, layer(x))
    model.save(tmp_path / "model.keras")
    twin = ramify.models.load_model(tmp_path / "model.keras").get_layer("d")
    assert twin.get_config()["dtype"] == layer.get_config()["dtype"]
    assert twin.kernel.dtype == torch.bfloat16
    assert torch.equal(twin.kernel, layer.kernel)


# ---- Variable ----


def test_a_variable_tells_and_takes():
    def use(library):
        v = library.Variable(np.ones((2, 3), "float32"), name="v")
        told = [tuple(v.shape), str(v.dtype).split(".")[-1], v.trainable, v.name, v.path, v.ndim, v.constraint]
        v.assign(np.full((2, 3), 2.0))
        v.assign_sub(np.ones((2, 3)))
        v.assign_add(np.full((2, 3), 0.5))
        v.trainable = False
        return told, numbers(v), v.trainable

    assert same(use)[1] == [[1.5] * 3] * 2


OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "@", "<", "<=", ">", ">=", "==", "!="]


@pytest.mark.parametrize("sign", OPERATORS)
def test_a_variable_is_a_number_among_numbers(sign):
    def use(library):
        names = {"a": library.Variable(np.array([[3.0, 2.0], [1.0, 4.0]], "float32")), "b": torch.full((2, 2), 2.0)}
        return [numbers(eval(f"{x} {sign} {y}", names)) for x, y in (("a", "b"), ("a", "a"), ("b", "a"))]

    same(use)


def test_variables_of_initializers():
    def use(library):
        made = [
            library.Variable("ones", shape=(2,), dtype="float16"),
            library.Variable(lambda shape, dtype: library.ops.full(shape, 3, dtype), shape=(2,)),
            library.Variable(library.initializers.Constant(2), shape=(1, 2), dtype="int32", trainable=False),
        ]
        return [(numbers(v), str(v.dtype).split(".")[-1]) for v in made]

    assert [kind for _, kind in same(use)] == ["float16", "float32", "int32"]


@pytest.mark.parametrize("aggregation", ["none", "mean", "sum", "only_first_replica"])
def test_ways_to_put_replicas_together(aggregation):
    assert same(lambda library: library.Variable(1.0, aggregation=aggregation).aggregation) == aggregation


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda library: library.Variable("ones"), ArgumentError),
        (lambda library: library.Variable("ones", shape=(None,)), ShapeError),
        (lambda library: library.Variable(1.0, aggregation="best"), ArgumentError),
        (lambda library: library.Variable(1.0, name="a/b"), ArgumentError),
        (lambda library: library.Variable(np.ones(2)).assign(np.ones(3)), ShapeError),
    ],
)
def test_what_variables_refuse(use, error):
    with pytest.raises(ValueError):
        use(keras)
    with pytest.raises(error):
        use(ramify)
