"""Columns of a table as vectors: what each kind of feature gives, in a call, in a model and after a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError, NotBuiltError
from ramify.layers import Discretization, HashedCrossing, Hashing, TextVectorization
from ramify.utils import FeatureSpace

DATA = {
    "price": np.array([1.0, 2.0, 3.0, 6.0], dtype="float32"),
    "rooms": np.array([3, 1, 3, 2]),
    "city": np.array(["Oslo", "Bern", "Oslo", "Rome"]),
}
ALL = {
    "price": "float",
    "norm": "float_normalized",
    "scaled": FeatureSpace.float_rescaled(2.0, 1.0),
    "cut": FeatureSpace.float_discretized(2, output_mode="int"),
    "rooms": "integer_categorical",
    "city": "string_categorical",
    "rooms_hash": FeatureSpace.integer_hashed(5, output_mode="int"),
    "city_hash": FeatureSpace.string_hashed(4),
}
TABLE = {
    **DATA,
    **dict.fromkeys(("norm", "scaled", "cut"), DATA["price"]),
    "rooms_hash": DATA["rooms"],
    "city_hash": DATA["city"],
}


def space(mode="dict"):
    made = FeatureSpace(
        dict(ALL),
        mode,
        crosses=[("rooms", "city"), FeatureSpace.cross(("city", "city_hash"), 7, "int")],
        crossing_dim=6,
    )
    made.adapt(TABLE)
    return made


def test_each_kind_of_feature():
    got = space()(TABLE)
    price = torch.tensor(DATA["price"])[:, None]
    torch.testing.assert_close(got["price"], price)
    torch.testing.assert_close(got["norm"], (price - price.mean()) / price.std(correction=0))
    torch.testing.assert_close(got["scaled"], price * 2 + 1)
    cut = Discretization(num_bins=2)
    cut.adapt(DATA["price"])
    assert got["cut"].tolist() == cut(price).tolist()
    assert got["rooms"].argmax(-1).tolist() == [1, 3, 1, 2]
    assert got["city"].argmax(-1).tolist() == [1, 3, 1, 2]
    assert got["city"].shape == (4, 4)
    assert got["rooms_hash"].ravel().tolist() == Hashing(5)(torch.tensor(DATA["rooms"])).tolist()
    assert got["city_hash"].argmax(-1).tolist() == Hashing(4)(DATA["city"]).tolist()
    rooms, city = (got[name].argmax(-1) for name in ("rooms", "city"))  # what is crossed is looked up first
    crossed = HashedCrossing(6)((rooms, city))
    assert got["rooms_X_city"].argmax(-1).tolist() == crossed.tolist()
    assert got["city_X_city_hash"].shape == (4, 1)


@pytest.mark.parametrize("mode", ["concat", "dict"])
def test_keras_gives_the_same_in_the_same_order(mode):
    answers = json.loads((Path(__file__).parent / "feature_space_answers.json").read_text(encoding="utf-8"))
    features = {
        "f": FeatureSpace.float_normalized(),
        "d": FeatureSpace.float_discretized(num_bins=4),
        "i": FeatureSpace.integer_categorical(),
        "s": FeatureSpace.string_categorical(num_oov_indices=2),
        "H": FeatureSpace.string_hashed(num_bins=5),
        "r": FeatureSpace.float_rescaled(scale=2.0, offset=1.0),
        "ih": FeatureSpace.integer_hashed(num_bins=7),
    }
    crosses = [(("s", "H"), 6), (("i", "s"), 9), (("d", "i"), 8)]
    made = FeatureSpace(features, mode, crosses=[FeatureSpace.cross(*cross) for cross in crosses])
    made.adapt(answers["data"])
    got = made({name: values[:6] for name, values in answers["data"].items()})
    wanted = answers[mode]
    if mode == "concat":
        got, wanted = {"all": got}, {"all": wanted}
    assert list(got) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(got[name].numpy(), values, rtol=1e-5, atol=1e-6, err_msg=name)


def test_side_by_side_and_one_sample():
    joined, apart = space("concat"), space()
    expected = torch.cat([value.float() for value in apart(TABLE).values()], -1)
    torch.testing.assert_close(joined(TABLE), expected)
    one = {column: values[1] for column, values in TABLE.items()}
    torch.testing.assert_close(joined(one), expected[1])
    assert apart(one)["city"].shape == (4,)
    torch.testing.assert_close(joined({column: values[:, None] for column, values in TABLE.items()}), expected)


def test_batches_teach_what_the_whole_teaches():
    made = FeatureSpace(dict(ALL), "concat")
    halves = [({column: values[i : i + 2] for column, values in TABLE.items()}, "target") for i in (0, 2)]
    made.adapt(part for part in halves)
    whole = FeatureSpace(dict(ALL), "concat")
    whole.adapt(TABLE)
    torch.testing.assert_close(made(TABLE), whole(TABLE))


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TABLE)
    made = FeatureSpace(dict(ALL), "concat")
    made.adapt(frame)
    torch.testing.assert_close(made(frame), made(TABLE))


def test_a_layer_of_ones_own():
    made = FeatureSpace({"city": FeatureSpace.feature("string", TextVectorization(output_mode="multi_hot"), "float")})
    made.adapt(DATA)
    assert made(DATA).shape == (4, 4)
    assert made.preprocessors["city"].get_vocabulary()[1] == "oslo"


def test_numbers_are_part_of_the_model():
    features = {"price": "float_normalized", "rooms": "integer_categorical"}
    made = FeatureSpace(features, crosses=[("rooms", "rooms")])
    made.adapt(DATA)
    inputs = made.get_inputs()
    assert {name: value.shape for name, value in inputs.items()} == {"price": (None, 1), "rooms": (None, 1)}
    assert set(made.get_preprocessed_features()) == {"price", "rooms", "rooms_X_rooms"}
    encoded = made.get_encoded_features()
    raw = ramify.Model(inputs, encoded)
    rows = {name: torch.tensor(DATA[name])[:, None] for name in features}
    torch.testing.assert_close(raw(rows), made(DATA))
    trained = ramify.Model(encoded, ramify.layers.Dense(1)(encoded))
    trained.compile("sgd", "mse")
    trained.fit(made(DATA), np.ones((4, 1)), verbose=0)


def test_strings_stay_before_the_model():
    made = space("concat")
    with pytest.raises(ArgumentError, match=r"\['city', 'city_hash'\] hold strings"):
        made.get_inputs()
    encoded = made.get_encoded_features()
    assert encoded.shape == (None, made(TABLE).shape[1])
    model = ramify.Model(encoded, ramify.layers.Dense(1)(encoded))
    assert model(made(TABLE)).shape == (4, 1)
    assert space("dict").get_encoded_features()["rooms_X_city"].shape == (None, 6)


@pytest.mark.parametrize("mode", ["concat", "dict"])
def test_a_file_keeps_what_was_learned(tmp_path, mode):
    made = space(mode)
    made.save(tmp_path / "space.keras")
    again = ramify.saving.load_model(tmp_path / "space.keras")
    torch.testing.assert_close(again(TABLE), made(TABLE))
    assert isinstance(again, FeatureSpace)


def test_what_needs_no_data_needs_no_adapt():
    made = FeatureSpace({"price": FeatureSpace.float_discretized(None, [2.0]), "rooms": "integer_hashed"})
    assert made(DATA).shape == (4, 34)
    with pytest.raises(NotBuiltError):
        FeatureSpace({"rooms": "integer_categorical"})(DATA)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"features": {}}, "needs features"),
        ({"features": {"a": "text"}}, "'a' is none of float"),
        ({"features": {"a": "float"}, "output_mode": "list"}, "output_mode is one of"),
        ({"features": {"a": "float"}, "crosses": [("a", "b")]}, r"names \['b'\]"),
        ({"features": {"a": "float"}, "crosses": [("a",)]}, "two features or more"),
    ],
)
def test_what_cannot_be_is_said(arguments, says):
    with pytest.raises(ArgumentError, match=says):
        FeatureSpace(**arguments)


def test_wrong_data_is_said():
    made = FeatureSpace({"price": "float_normalized"})
    for wrong, says in (([1.0], "dicts of columns"), ("rows", "received str"), ([], "no data"), ({"a": [1]}, "lacks")):
        with pytest.raises(ArgumentError, match=says):
            made.adapt(wrong)
    with pytest.raises(ArgumentError, match="dict of columns"):
        made(np.ones(3))
    with pytest.raises(ArgumentError, match="output_mode"):
        FeatureSpace.feature("float32", ramify.layers.Rescaling(2.0), "vector")
    with pytest.raises(ArgumentError, match="how many categories"):
        FeatureSpace({"price": FeatureSpace.feature("float32", ramify.layers.Rescaling(2.0), "one_hot")})(DATA)
