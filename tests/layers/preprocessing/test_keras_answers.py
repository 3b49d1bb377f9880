"""Hashing, crossing, lookups and texts against what real Keras answered; see `record_keras.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ramify.errors import RamifyError
from ramify.layers import preprocessing

RECORDS = json.loads(Path(__file__).with_name("keras_answers.json").read_text())


def _data(value: Any) -> Any:
    return value if isinstance(value, str) else np.array(value)


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['layer']}-{r['kwargs']}"[:90])
def test_as_keras(record: dict[str, Any]) -> None:
    make = getattr(preprocessing, record["layer"])
    if "error" in record:
        with pytest.raises(RamifyError):
            make(**record["kwargs"])(_data(record["input"]))
        return
    layer = make(**record["kwargs"])
    if record["adapt"] is not None:
        layer.adapt(_data(record["adapt"]))
    if "vocabulary" in record:
        assert layer.get_vocabulary() == record["vocabulary"]
        assert layer.get_vocabulary(include_special_tokens=False) == record["bare_vocabulary"]
        assert layer.vocabulary_size() == record["size"]
    _check_config(layer, record["config"])
    _check_output(layer, record)
    if record["adapt"] is None:
        _check_output(make.from_config(json.loads(json.dumps(layer.get_config()))), record)


def _check_config(layer: Any, expected: dict[str, Any]) -> None:
    ours = json.loads(json.dumps(layer.get_config()))
    for config in (ours, expected):
        config.pop("name")
    assert ours == expected


def _check_output(layer: Any, record: dict[str, Any]) -> None:
    data = record["input"]
    output = layer([np.array(one) for one in data] if record["layer"] == "HashedCrossing" else _data(data))
    assert list(output.shape) == record["shape"]
    np.testing.assert_allclose(output.numpy(), np.array(record["output"]), rtol=1e-6)
    vectors = record["kwargs"].get("output_mode", "int") != "int"
    # Keras declares float vectors in graphs and returns integers; here they are what they are declared to be.
    assert str(output.dtype).removeprefix("torch.") == ("float32" if vectors else record["dtype"])
