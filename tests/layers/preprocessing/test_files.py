"""Vocabularies in configs and files, strings and integers in models, and what is refused."""

from __future__ import annotations

import builtins
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import ramify
from ramify.errors import ArgumentError, FileFormatError, NotBuiltError, RamifyError, ShapeError, UnsafeFileError
from ramify.layers.preprocessing import HashedCrossing, Hashing, IntegerLookup, StringLookup, TextVectorization

IDS = np.array([[4], [4], [5], [9]])


def _model(**kwargs: Any) -> Any:
    inputs = ramify.Input((1,), dtype="int64")
    lookup = IntegerLookup(**kwargs)
    if "vocabulary" not in kwargs:
        lookup.adapt(IDS)
    x = lookup(inputs)
    out = ramify.layers.Embedding(9, 2)(x) if lookup.output_mode == "int" else ramify.layers.Dense(2)(x)
    return ramify.Model(inputs, out)


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count", "tf_idf"])
@pytest.mark.parametrize("given", [{}, {"vocabulary": [4, 5, 9]}])
def test_model_with_integer_lookup_travels(tmp_path: Path, mode: str, given: dict[str, Any]) -> None:
    if given and mode == "tf_idf":
        given = {**given, "idf_weights": [1.0, 2.0, 3.0]}
    model = _model(output_mode=mode, **given)
    model.save(tmp_path / "m.keras")
    loaded = ramify.saving.load_model(tmp_path / "m.keras")
    data = np.array([[4], [5], [7], [9]])
    assert torch.equal(torch.as_tensor(model(data)), torch.as_tensor(loaded(data)))
    assert ("assets/layers/integer_lookup/vocabulary.txt" in zipfile.ZipFile(tmp_path / "m.keras").namelist()) != bool(
        given
    )


def test_integer_layers_train_and_hash_in_a_graph() -> None:
    inputs = ramify.Input((1,), dtype="int64")
    hashed = Hashing(7, output_mode="one_hot")(inputs)
    crossed = HashedCrossing(5, output_mode="one_hot")((inputs, inputs))
    assert hashed.shape == (None, 7)
    assert crossed.shape == (None, 5)
    out = ramify.layers.Dense(1)(
        ramify.layers.Concatenate()([hashed, crossed, IntegerLookup(vocabulary=[4, 5], output_mode="one_hot")(inputs)])
    )
    model = ramify.Model(inputs, out)
    model.compile("sgd", "mse")
    many = np.tile(IDS, (16, 1))
    first = model.fit(many, np.ones((64, 1), "float32"), epochs=4, batch_size=16, verbose=0).history["loss"]
    assert first[-1] < first[0]
    expected = Hashing(7)(IDS)
    part = ramify.Model(inputs, Hashing(7)(inputs))
    assert torch.equal(torch.as_tensor(part(IDS)), expected)


def test_string_lookups_assets(tmp_path: Path) -> None:
    for make in (StringLookup, TextVectorization):
        layer = make()
        layer.adapt(["b", "a", "b", "é"])
        layer.save_assets(tmp_path)
        assert (tmp_path / "vocabulary.txt").read_bytes().decode().split("\n") == layer.get_vocabulary()
        other = make.from_config(layer.get_config())
        with pytest.raises(NotBuiltError, match="vocabulary"):
            other(["a"])
        other.load_assets(tmp_path)
        assert torch.equal(layer(["a", "b", "q", "é"]), other(["a", "b", "q", "é"]))


def test_line_breaks_and_weights_survive(tmp_path: Path) -> None:
    layer = TextVectorization(split="character", standardize=None, output_mode="tf_idf")
    layer.adapt(["a\nb", "b\r", "a"])
    layer.save_assets(tmp_path)
    other = TextVectorization.from_config(layer.get_config())
    other.load_assets(tmp_path)
    assert other.get_vocabulary() == layer.get_vocabulary()
    assert torch.equal(other(["ab\n\r"]), layer(["ab\n\r"]))


@pytest.mark.parametrize("name", ["vocabulary.txt", "vocabulary.json"])
def test_damaged_assets(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="damaged"):
        StringLookup().load_assets(tmp_path)
    (tmp_path / name).write_text("[UNK]\na\na" if name.endswith("txt") else '["[UNK]", "a", "a"]')
    with pytest.raises(FileFormatError, match="more than once"):
        StringLookup().load_assets(tmp_path)


@pytest.mark.parametrize("make", [StringLookup, IntegerLookup, TextVectorization])
def test_vocabulary_from_the_users_own_file(tmp_path: Path, make: Any) -> None:
    (tmp_path / "words.txt").write_text("12\n7\n")
    layer = make(vocabulary=str(tmp_path / "words.txt"))
    assert [str(token) for token in layer.get_vocabulary(include_special_tokens=False)] == ["12", "7"]
    assert "words.txt" not in json.dumps(layer.get_config())
    again = make.from_config(layer.get_config())
    assert again.get_vocabulary() == layer.get_vocabulary()


@pytest.mark.parametrize("make", [StringLookup, IntegerLookup, TextVectorization])
@pytest.mark.parametrize("where", ["canary", "file:///etc/passwd", "http://127.0.0.1:9/x"])
def test_a_config_makes_nobody_read_files(
    tmp_path: Path, make: Any, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "canary").write_text("secret")
    path = str(tmp_path / "canary") if where == "canary" else where
    monkeypatch.setattr(Path, "read_text", _never)
    monkeypatch.setattr(builtins, "open", _never)
    config = {**make().get_config(), "vocabulary": path}
    with pytest.raises(UnsafeFileError, match="may not"):
        make.from_config(config)
    with pytest.raises(UnsafeFileError):
        ramify.saving.deserialize_keras_object(
            {"module": "keras.layers", "class_name": make.__name__, "config": config, "registered_name": None}
        )


def _never(*args: Any, **_: Any) -> Any:
    raise AssertionError(f"something was read: {args}")


@pytest.mark.parametrize(
    "data",
    [["b", "a"], ("b", "a"), np.array(["b", "a"]), np.array(["b", "a"], object), [b"b", b"a"], np.array([b"b", b"a"])],
)
def test_all_kinds_of_strings(data: Any) -> None:
    assert StringLookup(vocabulary=["a", "b"])(data).tolist() == [2, 1]
    assert TextVectorization(vocabulary=["a", "b"])(data).tolist() == [[3], [2]]
    assert Hashing(3)(data).tolist() == Hashing(3)(["b", "a"]).tolist()
    learned = StringLookup()
    learned.adapt(data)
    assert learned.get_vocabulary() == ["[UNK]", "b", "a"]


def test_inverse() -> None:
    layer = StringLookup(vocabulary=["a", "b"], invert=True)
    assert layer(np.array([[1, 0, 2], [9, -1, 1]])).tolist() == [["a", "[UNK]", "b"], ["[UNK]", "[UNK]", "a"]]


def test_learning_in_batches() -> None:
    layer = TextVectorization(ngrams=2)
    layer.adapt(DataLoader(["a b", "b", "b a"], batch_size=2))
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "a", "b a", "a b"]
    layer.adapt(["c"])
    assert layer.get_vocabulary() == ["", "[UNK]", "c"]
    numbers = IntegerLookup()
    numbers.adapt(DataLoader(torch.tensor([9, 10, 100, 9, 10, 100, -5, -5]), batch_size=3))
    assert numbers.get_vocabulary() == [-1, 100, 10, 9, -5]


def test_functions_as_steps() -> None:
    layer = TextVectorization(standardize=str.upper, split=lambda text: text.split("-"), vocabulary=["A", "B"])
    assert layer(["a-b", "b"]).tolist() == [[2, 3], [3, 0]]


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: StringLookup(vocabulary=["a"])(torch.tensor([1])), ArgumentError, "no tensor can hold"),
        (lambda: StringLookup(vocabulary=["a"])(ramify.Input((1,))), RamifyError, "no tensor can hold"),
        (lambda: StringLookup(vocabulary=["a", ""], mask_token=""), ArgumentError, "mask token"),
        (lambda: StringLookup(vocabulary=[]), ArgumentError, "empty"),
        (lambda: StringLookup(vocabulary=[1]), ArgumentError, "wrong type"),
        (lambda: StringLookup(vocabulary={"a"}), ArgumentError, "list"),
        (lambda: StringLookup(max_tokens=1), ArgumentError, "max_tokens=1"),
        (lambda: StringLookup(num_oov_indices=-1), ArgumentError, "0 or more"),
        (lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf"), ArgumentError, "idf"),
        (lambda: StringLookup(vocabulary=["a"], idf_weights=[1.0]), ArgumentError, "tf_idf"),
        (lambda: StringLookup(invert=True, output_mode="count"), ArgumentError, "invert"),
        (lambda: StringLookup(pad_to_max_tokens=True), ArgumentError, "max_tokens"),
        (lambda: StringLookup(sparse=True), ArgumentError, "sparse"),
        (lambda: StringLookup(vocabulary=["a"]).adapt(["a"]), ArgumentError, "given"),
        (lambda: StringLookup(vocabulary=["a"])([["a"], ["a", "b"]]), ArgumentError, "string"),
        (lambda: IntegerLookup()(np.array([1])), NotBuiltError, "adapt"),
        (lambda: IntegerLookup(vocabulary=[1])(["x"]), ArgumentError, "StringLookup"),
        (lambda: TextVectorization(standardize="x"), ArgumentError, "standardize"),
        (lambda: TextVectorization(split="x"), ArgumentError, "split"),
        (lambda: TextVectorization(ngrams="a"), ArgumentError, "ngrams"),
        (lambda: TextVectorization(ragged=True), ArgumentError, "ragged"),
        (lambda: TextVectorization(output_mode="one_hot"), ArgumentError, "one_hot"),
        (lambda: TextVectorization(output_mode="count", output_sequence_length=3), ArgumentError, "int"),
        (lambda: TextVectorization(vocabulary=["a"])([["a", "b"]]), ShapeError, "alone"),
        (lambda: Hashing(0), ArgumentError, "num_bins=0"),
        (lambda: Hashing(3, salt=[1]), ArgumentError, "salt"),
        (lambda: Hashing(3, salt="a"), ArgumentError, "salt"),
        (lambda: HashedCrossing(3, output_mode="count"), ArgumentError, "count"),
        (lambda: HashedCrossing(3)(np.array([1])), ArgumentError, "two"),
        (lambda: HashedCrossing(3)((np.array([1]), np.array([[1]]))), ShapeError, "one shape"),
        (lambda: HashedCrossing(3)((np.array([[1, 2]]), np.array([[1, 2]]))), ShapeError, "one shape"),
        (lambda: HashedCrossing(3)((np.array([1.0]), np.array([1.0]))), ArgumentError, "integers"),
    ],
)
def test_errors(make: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_a_file_that_keras_wrote() -> None:
    """Its vocabulary was learned, and so is an asset; the expected output is what Keras computed."""
    model = ramify.saving.load_model(Path(__file__).with_name("keras_integer_lookup.keras"))
    expected = torch.tensor([[0.30723310, 1.08234644], [-0.33616263, 0.18838072]])
    torch.testing.assert_close(model(np.array([[4], [7]])), expected)


def test_traced_and_exported() -> None:
    class Both(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hashing = Hashing(1000, salt=3)
            self.lookup = IntegerLookup(vocabulary=[4, 5], num_oov_indices=0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.hashing.call(x) + self.lookup.call(x)

    module = Both()
    exported = torch.export.export(module, (torch.tensor([4, 5]),), strict=False).module()
    assert torch.equal(exported(torch.tensor([5, 4])), module(torch.tensor([5, 4])))
    assert not torch.equal(exported(torch.tensor([5, 4])), exported(torch.tensor([4, 5])))
