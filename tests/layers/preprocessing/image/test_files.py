"""Files of Keras with image layers load here, and ours there, and neither augments when it predicts."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify

LAYERS = [
    ("RandomFlip", ()),
    ("RandomRotation", (0.2,)),
    ("RandAugment", ()),
    ("AugMix", ()),
    ("CutMix", ()),
    ("RandomColorJitter", ()),
    ("AutoContrast", ()),
    ("Resizing", (5, 6)),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "args"), LAYERS)
@pytest.mark.parametrize(("maker", "reader"), [(keras, ramify), (ramify, keras), (ramify, ramify)])
def test_files(maker, reader, name, args, tmp_path):
    inputs = maker.Input((8, 8, 3))
    changed = getattr(maker.layers, name)(*args)(inputs)
    model = maker.Model(inputs, maker.layers.Conv2D(2, 3)(changed))
    model.save(tmp_path / "m.keras")
    again = reader.models.load_model(tmp_path / "m.keras")
    x = np.random.rand(4, 8, 8, 3).astype("float32") * 255
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-3)
