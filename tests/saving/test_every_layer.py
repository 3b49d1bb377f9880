"""Every layer of the contract table in a model of its own, in files both ways against real Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify
from tests.contract.row import flat
from tests.contract.table import ROWS

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own

KERAS_CANNOT = {
    "RandomShear": "read the file that it wrote itself",
    "Equalization": "put it into a graph",
}

CASES = [
    pytest.param(row, id=f"{row.name}-{i}")
    for i, row in enumerate(ROWS)
    if not {"keras", "config", "inference"} & set(row.exceptions) and row.name not in KERAS_CANNOT
]


def model_of(row, library):
    inputs = row.symbols(row.shapes[0], library)
    outputs = row.call(row.layer(library), inputs)
    return library.Model(flat(inputs), outputs[0] if len(outputs) == 1 else outputs)


def changed(model):
    """Numbers that no initializer gives."""
    rng = np.random.default_rng(0)
    model.set_weights(
        [w + rng.uniform(0.1, 0.5, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w for w in model.get_weights()]
    )
    return model


def results(model, row):
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()
    arrays = flat(row.data(row.shapes[0]))
    found = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    return [np.asarray(leaf.detach(), dtype="float64") for leaf in flat(found)]


def check(model, row, expected):
    tolerance = max(row.tolerance[0], 1e-5)
    found = results(model, row)
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        scale = max(1.0, float(np.abs(want).max(initial=0)))
        np.testing.assert_allclose(got / scale, want / scale, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("row", CASES)
def test_both_ways(row, tmp_path):
    theirs = changed(model_of(row, keras))
    expected = results(theirs, row)
    theirs.save(tmp_path / "theirs.keras")
    here = ramify.saving.load_model(tmp_path / "theirs.keras")
    check(here, row, expected)
    ours = changed(model_of(row, ramify))
    expected = results(ours, row)
    ours.save(tmp_path / "ours.keras")
    check(keras.models.load_model(tmp_path / "ours.keras"), row, expected)
    check(ramify.saving.load_model(tmp_path / "ours.keras"), row, expected)
