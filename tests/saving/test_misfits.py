"""Weights that are missing, left over, renamed, of another shape or another dtype: all are told, nothing is changed."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import ramify
from ramify.errors import FileFormatError

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own


def build(k, *, units=3, dtype="float32", last="LayerNormalization", name="named"):
    class Counted(k.layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight(shape=(2,), dtype=dtype, initializer="ones", name="count", trainable=False)

        def call(self, x):
            return x

    x = k.Input((4,))
    h = k.layers.Dense(4, name=name)(x)
    h = Counted(name="counted")(k.layers.Dense(units, name="wide")(h))
    return k.Model(x, getattr(k.layers, last)(name="last")(h))


OTHER = {"units": 5, "dtype": "int32", "last": "BatchNormalization", "name": "renamed"}
KINDS = [".weights.h5", ".weights.json", ".keras", ".safetensors", ".h5"]


def saved(kind, folder):
    path = folder / f"m{kind}"
    if kind == ".h5":
        build(keras).save(path)
    elif kind == ".keras":
        build(ramify).save(path)
    else:
        build(ramify).save_weights(path, **({"max_shard_size": 1e-7} if kind == ".weights.json" else {}))
    return path


def bytes_of(model):
    return [w.tobytes() for w in model.get_weights()]


TOLD = {
    "h5": [
        "(4, 5), in the file (4, 3)",
        "(5,), in the file (3,)",
        "dtype int32, in the file float32",
        "BatchNormalization 'last': all 4 weight(s) are missing",
        "'layers/layer_normalization/vars' in the file belongs to nothing",
    ],
    ".safetensors": [
        "'renamed.kernel' is missing",
        "'named.kernel' in the file belongs to nothing",
        "'wide.kernel' has shape (4, 5), in the file (4, 3)",
        "'wide.bias' has shape (5,), in the file (3,)",
        "'counted.count' has dtype torch.int32, in the file F32",
        "'last.gamma' has shape (5,), in the file (3,)",
        "'last.moving_mean' is missing",
    ],
    ".h5": [
        "(4, 5), in the file (4, 3)",
        "(5,), in the file (3,)",
        "dtype int32, in the file float32",
        "BatchNormalization 'last': has 4 weight(s), the file 2",
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_does_not_fit_is_told_and_nothing_changes(kind, tmp_path):
    path = saved(kind, tmp_path)
    model = build(ramify, **OTHER)
    before = bytes_of(model)
    with pytest.raises(FileFormatError, match="nothing was loaded") as error:
        model.load_weights(path)
    for words in TOLD.get(kind, TOLD["h5"]):
        assert words in str(error.value), (words, str(error.value))
    assert bytes_of(model) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", OTHER)
def test_each_alone(kind, change, tmp_path):
    """One difference is enough; a layer of another name still has its place where files count layers."""
    path = saved(kind, tmp_path)
    model = build(ramify, **{change: OTHER[change]})
    model.set_weights([np.full_like(w, 7) for w in model.get_weights()])
    before = bytes_of(model)
    if change == "name" and kind != ".safetensors":
        model.load_weights(path)
        assert all(one != other for one, other in zip(bytes_of(model), before, strict=True))
        return
    with pytest.raises(FileFormatError, match="nothing was loaded"):
        model.load_weights(path)
    assert bytes_of(model) == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits_is_taken_where_that_is_wished(kind, tmp_path):
    path = saved(kind, tmp_path)
    model = build(ramify, **{**OTHER, "name": "named"})
    zeros = [np.zeros_like(w) for w in model.get_weights()]
    model.set_weights(zeros)
    with pytest.warns(UserWarning, match="left as it was"):
        report = model.load_weights(path, skip_mismatch=True)
    assert np.any(model.get_layer("named").kernel.numpy())
    assert not np.any(model.get_layer("wide").kernel.numpy())
    assert not np.any(model.get_layer("counted").count.numpy())
    assert len(report.left) >= 3
