"""Ask real Keras (torch backend, with TensorFlow beside it, which its string layers need) and write down its answers.

Run by hand where both are installed; the tests read what it wrote: ``KERAS_BACKEND=torch python record_keras.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf  # noqa: F401 - Keras's string layers need it, and would find it only later

TEXTS = ["The quick brown fox, jumped!", "the LAZY  dog's fox", "", "fox fox\tthe\nend"]
WORDS = [["a", "b", "z"], ["b", "b", ""]]
LENGTHS = [
    "x" * n + "é" for n in (0, 1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 29, 31, 32, 33, 60, 62, 63, 64, 90, 127, 130, 300)
]
INTS = [0, 1, -1, 12, 999, -12345, 2**31, 2**62, -(2**63)]


def hashing() -> list[Any]:
    cases: list[Any] = []
    for bins in (2, 7, 1000, 2**31 - 1):
        for salt in (None, 0, 133, [133, 137], 2**40):
            cases.append(("Hashing", {"num_bins": bins, "salt": salt}, None, [LENGTHS]))
            cases.append(("Hashing", {"num_bins": bins, "salt": salt}, None, [INTS]))
    cases.append(("Hashing", {"num_bins": 3, "mask_value": ""}, None, [["a"], [""], ["b"], ["c"]]))
    cases.append(("Hashing", {"num_bins": 3, "mask_value": 7, "salt": 9}, None, [[7, 1, 2], [3, 4, 7]]))
    cases.append(("Hashing", {"num_bins": 1, "mask_value": 7}, None, [[7, 1, 2]]))
    cases += [
        ("Hashing", {"num_bins": 4, "output_mode": mode}, None, data)
        for mode in ("one_hot", "multi_hot", "count")
        for data in (["a", "b", "a"], [["a"], ["b"]], [["a", "b", "a"], ["c", "d", "e"]], [1, 2], [[1, 2], [2, 2]])
    ]
    for bins in (5, 1000, 2**31 - 1):
        cases.append(("HashedCrossing", {"num_bins": bins}, None, [["A", "B", "éé" * 20], [101, -102, 2**40]]))
        cases.append(("HashedCrossing", {"num_bins": bins}, None, [[1, 2, -3], [4, 5, 6], [7, 8, 9]]))
        cases.append(("HashedCrossing", {"num_bins": bins}, None, [[["a"], ["b"]], [["c"], ["d"]]]))
    cases += [
        ("HashedCrossing", {"num_bins": 4, "output_mode": mode}, None, data)
        for mode in ("one_hot", "int")
        for data in ([["a", "b"], [1, 2]], [[["a"], ["b"]], [[1], [2]]])
    ]
    return cases


def lookups() -> list[Any]:
    cases: list[Any] = []
    for mode in ("int", "one_hot", "multi_hot", "count", "tf_idf"):
        more = {"idf_weights": [0.5, 2.0, 3.0]} if mode == "tf_idf" else {}
        for data in (WORDS, ["a", "q"], [["c"], ["q"]]):
            for oov in (0, 1, 3):
                kwargs = {"vocabulary": ["a", "b", "c"], "output_mode": mode, "num_oov_indices": oov, **more}
                cases.append(("StringLookup", kwargs, None, data))
            if mode != "tf_idf":
                cases.append(
                    (
                        "StringLookup",
                        {"vocabulary": ["a"], "output_mode": mode, "mask_token": ""},
                        None,
                        [["a", ""], ["", "z"]],
                    )
                )
                cases.append(
                    ("IntegerLookup", {"vocabulary": [4], "output_mode": mode, "mask_token": 0}, None, [[4, 0], [0, 9]])
                )
        kwargs = {"vocabulary": [12, 36, -7], "output_mode": mode, **more}
        cases.append(("IntegerLookup", kwargs, None, [[12, 99, -7], [36, 36, 0]]))
        cases.append(("IntegerLookup", {**kwargs, "num_oov_indices": 2}, None, [[12, 99, -8], [36, 36, 0]]))
        for size in (None, 4, 9):
            for pad in (False, True):
                if pad and size is None:
                    continue
                kwargs = {"max_tokens": size, "output_mode": mode, "pad_to_max_tokens": pad and mode != "int"}
                cases.append(("StringLookup", kwargs, [*"cabbbacddd", "e"], WORDS))
                cases.append(("IntegerLookup", kwargs, [[5, 5, 5], [7, 7, 1], [1, 2, 3]], [[5, 1, 9], [7, 7, 0]]))
    cases += [
        ("StringLookup", {"vocabulary": ["a", "b"], "mask_token": ""}, None, WORDS),
        (
            "StringLookup",
            {"vocabulary": ["a", "b"], "mask_token": "", "num_oov_indices": 3},
            None,
            [["q", "r", "s", "", "a"]],
        ),
        ("StringLookup", {"vocabulary": ["", "[UNK]", "a", "b"], "mask_token": ""}, None, WORDS),
        ("StringLookup", {"vocabulary": ["[UNK]", "a", "b"]}, None, WORDS),
        ("StringLookup", {"vocabulary": ["a", "b"], "mask_token": "", "output_mode": "multi_hot"}, None, WORDS),
        ("StringLookup", {"mask_token": ""}, ["b", "b", "", "a", "", ""], WORDS),
        (
            "StringLookup",
            {"mask_token": "", "num_oov_indices": 2, "max_tokens": 4},
            ["b", "b", "", "a", "[UNK]"],
            WORDS,
        ),
        ("StringLookup", {"vocabulary": ["a", "b"], "num_oov_indices": 0}, None, ["a", "b"]),
        ("IntegerLookup", {"vocabulary": [12, 36], "num_oov_indices": 0}, None, [12, 36]),
        ("IntegerLookup", {"vocabulary": [12, 36], "num_oov_indices": 0}, None, [12, 37]),
        ("IntegerLookup", {"vocabulary": [12, 36], "mask_token": 0}, None, [[12, 0, 5]]),
        ("IntegerLookup", {"vocabulary": [12, 36], "mask_token": 0, "num_oov_indices": 3}, None, [[12, 0, 5, -6, 7]]),
        ("IntegerLookup", {"vocabulary": [0, -1, 12, 36], "mask_token": 0}, None, [[12, 0, 5]]),
        ("IntegerLookup", {"vocabulary": [12, 36], "invert": True}, None, [[1, 2], [0, 1]]),
        ("IntegerLookup", {"vocabulary": [12, 36], "invert": True, "mask_token": 0}, None, [[1, 2], [0, 3]]),
        ("IntegerLookup", {"vocabulary": [12, 36], "vocabulary_dtype": "int32"}, None, [[12, 2], [36, 3]]),
        ("IntegerLookup", {"mask_token": 0}, [[1, 1, 0, 0, 0, 3]], [[1, 3, 0, 8]]),
        (
            "IntegerLookup",
            {"vocabulary": [12, 36], "num_oov_indices": 5, "oov_method": "farmhash"},
            None,
            [[12, 3, 4, 5, 6, -7]],
        ),
        (
            "IntegerLookup",
            {"vocabulary": [12, 36], "num_oov_indices": 5, "salt": 3, "oov_method": "siphash"},
            None,
            [[12, 3, 4]],
        ),
        ("StringLookup", {"vocabulary": ["a"], "num_oov_indices": 5, "salt": 3}, None, [["a", "c", "d", "e", "f"]]),
        (
            "StringLookup",
            {"vocabulary": ["a"], "num_oov_indices": 5, "salt": [3, 4]},
            None,
            [["a", "c", "d", "e", "f"]],
        ),
        ("StringLookup", {"vocabulary": ["a", "a"]}, None, WORDS),
        ("StringLookup", {"vocabulary": ["[UNK]", "a", "[UNK]"]}, None, WORDS),
        ("StringLookup", {"vocabulary": ["a", "b", "c"], "max_tokens": 2}, None, WORDS),
        ("StringLookup", {"vocabulary": ["a", "b"], "output_mode": "one_hot"}, None, WORDS),
        ("StringLookup", {"output_mode": "tf_idf"}, [["a", "b"], ["a", "c"], ["a", "a"]], WORDS),
        ("StringLookup", {"output_mode": "tf_idf", "num_oov_indices": 2}, [["a", "b"], ["a", "c"], ["a", "a"]], WORDS),
    ]
    return cases


def texts() -> list[Any]:
    cases: list[Any] = []
    for standardize in (None, "lower", "strip_punctuation", "lower_and_strip_punctuation"):
        for split in (None, "whitespace", "character"):
            kwargs = {"standardize": standardize, "split": split}
            cases.append(("TextVectorization", kwargs, TEXTS, TEXTS))
    for mode in ("int", "multi_hot", "count", "tf_idf"):
        for grams in (None, 2, (1, 3), (2,)):
            for size in (None, 5, 40):
                for pad in (False, True):
                    if pad and (size is None or mode == "int"):
                        continue
                    kwargs = {"output_mode": mode, "ngrams": grams, "max_tokens": size, "pad_to_max_tokens": pad}
                    cases.append(("TextVectorization", kwargs, TEXTS, [*TEXTS, "the new dog, fox"]))
    cases += [("TextVectorization", {"output_sequence_length": length}, TEXTS, TEXTS) for length in (1, 3, 10)]
    cases += [
        ("TextVectorization", {"vocabulary": ["foo", "bar"]}, None, "Foo baz, BAR"),
        ("TextVectorization", {"vocabulary": ["foo", "bar"], "output_sequence_length": 4}, None, "Foo baz, BAR"),
        ("TextVectorization", {"vocabulary": ["foo", "bar"]}, None, [["Foo baz"], ["bar"]]),
        ("TextVectorization", {"vocabulary": ["foo", "bar"], "output_mode": "count"}, None, "Foo baz, BAR bar"),
        ("TextVectorization", {"vocabulary": ["", "[UNK]", "foo", "bar"]}, None, ["Foo baz", "bar"]),
        (
            "TextVectorization",
            {"vocabulary": ["[UNK]", "foo", "bar"], "output_mode": "count"},
            None,
            ["Foo baz", "bar"],
        ),
        (
            "TextVectorization",
            {"vocabulary": ["foo", "bar"], "idf_weights": [2.0, 3.0], "output_mode": "tf_idf"},
            None,
            ["Foo baz foo", "bar"],
        ),
        ("TextVectorization", {"vocabulary": ["foo", "bar"], "split": None}, None, [["Foo", "baz"], ["bar", "bar"]]),
        ("TextVectorization", {"vocabulary": ["é", "straße", "ß"], "split": "character"}, None, ["Éé ß", "a"]),
        (
            "TextVectorization",
            {"vocabulary": ["élan", "straße"]},
            None,
            ["Élan élan STRAßE\u00a0x", "straße\u3000élan"],
        ),
        ("TextVectorization", {}, ["Élan élan STRAßE\u00a0x «straße»", "a_b c-d e’f I'm ~^`|+=<>$"], ["élan"]),
        ("TextVectorization", {"ngrams": 2, "split": "character"}, ["abc", "ab"], ["abca", "b"]),
    ]
    return cases


def describe(case: Any) -> dict[str, Any]:
    name, kwargs, adapt, data = case
    record: dict[str, Any] = {"layer": name, "kwargs": kwargs, "adapt": adapt, "input": data}
    try:
        layer = getattr(keras.layers, name)(**kwargs)
        if adapt is not None:
            layer.adapt(np.array(adapt))
        if hasattr(layer, "get_vocabulary"):
            record["vocabulary"] = plain(layer.get_vocabulary())
            record["bare_vocabulary"] = plain(layer.get_vocabulary(include_special_tokens=False))
            record["size"] = int(layer.vocabulary_size())
        config = layer.get_config()
        record["config"] = plain(config)
        if name == "HashedCrossing":
            output = layer(tuple(np.array(one) for one in data))
        else:
            output = layer(data if isinstance(data, str) else np.array(data))
        record["output"], record["dtype"] = output.tolist(), str(output.dtype).removeprefix("torch.")
        record["shape"] = list(output.shape)
    except Exception as error:  # noqa: BLE001 - what Keras refuses is part of the record
        record["error"] = f"{type(error).__name__}: {str(error)[:200]}"
    return record


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


if __name__ == "__main__":
    records = [describe(case) for case in (*hashing(), *lookups(), *texts())]
    lines = ",\n".join(json.dumps(record) for record in records)
    Path(__file__).with_name("keras_answers.json").write_text(f"[\n{lines}\n]\n")
