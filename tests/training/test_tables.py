"""Tables with named columns, as Hugging Face's `datasets` have them: a stand-in with the same protocol."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ramify
from ramify.errors import ArgumentError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")


class Table:
    """Rows by number or slice, columns by name; lists of Python numbers, as without a format."""

    def __init__(self, **columns):
        self.columns = columns
        self.column_names = list(columns)

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.columns[key]
        if isinstance(key, int):
            return {name: column[key] for name, column in self.columns.items()}
        rows = range(len(self))[key] if isinstance(key, slice) else key
        return {name: [column[i] for i in rows] for name, column in self.columns.items()}


def make(outputs=2, inputs=("x",)):
    given = {name: ramify.Input((4,), name=name) for name in inputs}
    h = ramify.layers.add(list(given.values())) if len(given) > 1 else given[inputs[0]]
    out = ramify.layers.Dense(outputs, activation="softmax", kernel_initializer="ones")(h)
    model = ramify.Model(given if len(given) > 1 else h, out)
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    return model


@pytest.mark.parametrize("name", ["label", "labels", "target"])
def test_a_table_trains_as_its_arrays_do(name):
    table = Table(**{"x": X.tolist(), name: Y.tolist()})
    fit = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    want = make().fit(X, Y, **fit).history
    assert make().fit(table, **fit).history["loss"] == pytest.approx(want["loss"], rel=1e-5)
    assert make().fit(table, validation_data=table, **fit).history["val_loss"] == pytest.approx(
        make().fit(X, Y, validation_data=(X, Y), **fit).history["val_loss"], rel=1e-5
    )
    model = make()
    np.testing.assert_allclose(model.predict(table, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    assert model.evaluate(table, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)


def test_columns_are_named():
    weight = RNG.random(20)
    table = Table(a=X.tolist(), b=(2 * X).tolist(), kind=Y.tolist(), w=weight.tolist())
    fit = {"shuffle": False, "verbose": 0}
    want = make(inputs="ab").fit({"a": X, "b": 2 * X}, Y, sample_weight=weight, **fit).history
    got = make(inputs="ab").fit(table, "kind", sample_weight="w", **fit).history
    assert got["loss"] == pytest.approx(want["loss"], rel=1e-5)


def test_tensors_in_columns_and_an_order_for_every_epoch():
    table = Table(x=list(torch.tensor(X)), label=torch.tensor(Y))
    seen = []

    class Watch(ramify.Model):
        def train_step(self, data):
            seen.append(data[0][:, 0].tolist())
            return super().train_step(data)

    x = ramify.Input((4,))
    model = Watch(x, ramify.layers.Dense(2, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(table, epochs=2, batch_size=20, verbose=0)
    assert seen[0] != seen[1]
    assert sorted(seen[0]) == sorted(seen[1]) == pytest.approx(sorted(X[:, 0].tolist()))


@pytest.mark.parametrize(
    ("table", "arguments", "message"),
    [
        (Table(x=[], label=[]), {}, "holds no rows"),
        (Table(x=X.tolist(), label=Y.tolist()), {"y": "kind"}, "no column 'kind'; its columns are 'x', 'label'"),
        (Table(label=Y.tolist()), {}, "No column is left"),
        (Table(x=X.tolist(), label=Y.tolist()), {"y": Y}, "names its columns"),
        (Table(x=[[1.0], [1.0, 2.0]], label=[0, 1]), {}, "'x' holds rows of different lengths"),
        (Table(x=["a", "b"], label=[0, 1]), {}, "x holds strings"),
    ],
)
def test_tables_that_do_not_fit(table, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        make().fit(table, verbose=0, **arguments)


class TensorFlowLike:
    """What `tf.data.Dataset` shows of itself: tensors that NumPy can read, and `element_spec`."""

    class Eager:
        def __init__(self, array):
            self._array, self.shape, self.dtype = array, array.shape, array.dtype

        def __array__(self, dtype=None, copy=None):
            return self._array

    element_spec = ()

    def __len__(self):
        return 5

    def __iter__(self):
        return ((self.Eager(X[i : i + 4]), self.Eager(Y[i : i + 4])) for i in range(0, 20, 4))


def test_data_sets_of_tensorflow_are_iterated_over():
    fit = {"epochs": 2, "shuffle": False, "verbose": 0}
    want = make().fit(X, Y, batch_size=4, **fit).history["loss"]
    assert make().fit(TensorFlowLike(), **fit).history["loss"] == pytest.approx(want, rel=1e-6)
