"""Where batches come from: every kind of source gives the same training, and bad data gives precise errors."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import ramify
from ramify.errors import RamifyError
from ramify.training.data import Placement, PyDataset, adapter_for, arrays

RNG = np.random.default_rng(0)
X = RNG.random((40, 4), dtype=np.float32)
Y = RNG.random((40, 1), dtype=np.float32)
HERE = Placement(torch.device("cpu"), torch.float32)


def batches(*data, **kwargs):
    return list(adapter_for(*data, placement=HERE, **kwargs).epoch())


class Chunks(PyDataset):
    def __init__(self, n=5, **kwargs):
        super().__init__(**kwargs)
        self.n, self.epochs = n, []

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]

    def on_epoch_begin(self):
        self.epochs.append("begin")

    def on_epoch_end(self):
        self.epochs.append("end")


class Rows(Dataset):
    def __len__(self):
        return 40

    def __getitem__(self, i):
        return X[i], Y[i]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(X, Y, strict=True))


class Again:
    """An iterable that can be started anew."""

    def __iter__(self):
        return ((X[i : i + 8], Y[i : i + 8]) for i in range(0, 40, 8))


SOURCES = {
    "arrays": lambda: (X, Y),
    "doubles": lambda: (X.astype("float64"), Y.astype("float64")),
    "tensors": lambda: (torch.from_numpy(X), torch.from_numpy(Y)),
    "lists": lambda: (X.tolist(), Y.tolist()),
    "pandas": lambda: (pd.DataFrame(X), pd.Series(Y[:, 0])),
    "fortran": lambda: (np.asfortranarray(X), Y),
    "reversed": lambda: (X[::-1][::-1], Y),
    "big endian": lambda: (X.astype(">f4"), Y.astype(">f8")),
    "PyDataset": lambda: (Chunks(),),
    "threads": lambda: (Chunks(workers=3),),
    "processes": lambda: (Chunks(workers=2, use_multiprocessing=True),),
    "TensorDataset": lambda: (TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)),),
    "Dataset": lambda: (Rows(),),
    "IterableDataset": lambda: (Stream(),),
    "DataLoader": lambda: (DataLoader(Rows(), batch_size=8),),
    "iterable": lambda: (Again(),),
    "generator": lambda: (iter(Again()),),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_gives_the_same_batches(name):
    got = batches(*SOURCES[name](), batch_size=8)
    assert len(got) == 5
    for i, (x, y) in enumerate(got):
        assert x.dtype == y.dtype == torch.float32
        np.testing.assert_array_equal(x.numpy(), X[8 * i : 8 * i + 8])
        np.testing.assert_array_equal(y.numpy(), Y[8 * i : 8 * i + 8])


def model():
    x = ramify.Input((4,))
    made = ramify.Model(x, ramify.layers.Dense(1, kernel_initializer="ones")(x))
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_trains_alike(name):
    want = model().fit(X, Y, batch_size=8, shuffle=False, verbose=0).history
    got = model().fit(*SOURCES[name](), batch_size=8, shuffle=False, verbose=0).history
    assert got["loss"] == pytest.approx(want["loss"], rel=1e-6)


def test_unshuffled_batches_are_views_of_the_data():
    (x, _), *_ = batches(X, Y, batch_size=8)
    assert x.data_ptr() == X.ctypes.data


def test_dtypes_arrive_as_they_should():
    whole = RNG.integers(0, 255, (6, 2))
    for dtype, want in (
        ("uint8", torch.uint8),
        ("int32", torch.int32),
        ("int64", torch.int64),
        ("bool", torch.bool),
        ("uint16", torch.int32),
        ("float16", torch.float32),
    ):
        (batch,) = batches(whole.astype(dtype))
        assert batch.dtype is want
    (batch,) = batches(pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2]}))
    assert batch.dtype is torch.float32


def test_nested_structures_keep_their_shape():
    data = {"a": X, "b": [X[:, :1], (X[:, 1:2],)]}
    got = batches(data, [Y, None], batch_size=16)
    assert [b[0]["b"][1][0].shape[0] for b in got] == [16, 16, 8]
    assert got[0][1][1] is None
    np.testing.assert_array_equal(got[1][0]["a"].numpy(), X[16:32])


def test_shuffling_keeps_inputs_and_targets_together():
    for x, y in batches(np.arange(100), np.arange(100) * 2, batch_size=7, shuffle=True):
        assert torch.equal(y, x * 2)


def test_large_rows_are_fetched_one_batch_at_a_time():
    wide = RNG.random((6, 300_000), dtype=np.float32)
    got = batches(wide, batch_size=2, shuffle=True)
    assert [len(b) for b in got] == [2, 2, 2]
    assert sorted(float(b[i, 0]) for b in got for i in range(2)) == sorted(map(float, wide[:, 0]))


def test_read_only_arrays_are_taken():
    frozen = X.copy()
    frozen.flags.writeable = False
    assert len(batches(frozen)) == 2


def test_the_split_takes_the_last_samples():
    m = model()
    want = m.evaluate(X[32:], Y[32:], verbose=0)
    m.compile(ramify.optimizers.SGD(0.0), "mse")
    assert m.fit(X, Y, validation_split=0.2, verbose=0).history["val_loss"] == [pytest.approx(want)]


@pytest.mark.parametrize(
    "data",
    [(X, Y), [X, Y], (X, Y, np.ones(40)), TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), Chunks(), Again()],
)
def test_validation_data_of_many_kinds(data):
    m = model()
    want = m.evaluate(X, Y, verbose=0)
    m.compile(ramify.optimizers.SGD(0.0), "mse")
    assert m.fit(X, Y, validation_data=data, verbose=0).history["val_loss"] == [pytest.approx(want, rel=1e-5)]


def test_the_order_of_a_py_dataset_is_shuffled_and_it_is_told_of_epochs():
    data = Chunks(n=5)
    seen = []
    data.__class__.__getitem__, plain = lambda self, i: (seen.append(i), plain(self, i))[1], data.__class__.__getitem__
    try:
        model().fit(data, epochs=2, verbose=0)
    finally:
        data.__class__.__getitem__ = plain
    assert sorted(seen) == sorted([*range(5)] * 2)
    assert seen != [*range(5)] * 2
    assert data.epochs == ["begin", "end"] * 2


def test_steps_go_on_where_the_last_epoch_stopped():
    seen = []

    def endless():
        i = 0
        while True:
            seen.append(i)
            yield X[:4] + i, Y[:4]
            i += 1

    history = model().fit(endless(), steps_per_epoch=3, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    assert seen == [0, 1, 2, 3, 4, 5]
    assert len(model().fit(X, Y, batch_size=10, steps_per_epoch=6, epochs=2, verbose=0).epoch) == 2
    assert model().predict(endless(), steps=2, verbose=0).shape == (8, 1)


def test_a_generator_that_ends_early_is_told_of_and_stops_training():
    m = model()
    with pytest.warns(UserWarning, match="ran out in epoch 2 after 2 of 3 batches"):
        history = m.fit(iter(list(Again())), steps_per_epoch=3, epochs=4, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match="ran out in epoch 2 after 0"):
        assert m.fit(iter(Again()), epochs=3, verbose=0).epoch == [0]
    m.fit(X, Y, verbose=0)


def test_an_error_in_a_generator_comes_through_and_the_model_stays_usable():
    def broken():
        yield X[:4], Y[:4]
        raise OSError("the disk is gone")

    m = model()
    with pytest.raises(OSError, match="the disk is gone"):
        m.fit(broken(), verbose=0)
    assert not m.training
    assert math.isfinite(m.fit(X, Y, verbose=0).history["loss"][0])


@pytest.mark.parametrize("workers", [{"workers": 2}, {"workers": 2, "use_multiprocessing": True}])
def test_an_error_in_a_worker_comes_through(workers):
    class Bad(Chunks):
        def __getitem__(self, i):
            if i == 3:
                raise ValueError("sample 3 is damaged")
            return super().__getitem__(i)

    with pytest.raises(ValueError, match="sample 3 is damaged"):
        model().fit(Bad(**workers), shuffle=False, verbose=0)


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        ((X, Y[:30]), {}, r"different numbers of samples \(x: 40, y: 30\)"),
        (({"a": X, "b": X[:3]}, Y), {}, r"x\['a'\]: 40, x\['b'\]: 3, y: 40"),
        ((X[:0], Y[:0]), {}, "no samples"),
        ((np.array(["a"] * 40), Y), {}, "x holds strings"),
        ((X, np.array([None] * 40)), {}, "y holds Python objects"),
        ((np.array(["2020-01-01"] * 40, "datetime64[D]"), Y), {}, "x holds dates"),
        (([[1, 2], [3]], [1, 2]), {}, "rows of different lengths"),
        (([X, None], Y), {}, "takes 1 input.*but 2 were given"),
        (([X, "b"], Y), {}, r"x\[1\] holds strings"),
        (([], Y), {}, "holds no batches|empty list|brings its own"),
        ((np.float32(3), np.float32(3)), {}, "first axis counts samples"),
        ((None,), {}, "x is None"),
        ((7,), {}, "no source of data"),
        ((Chunks(), Y), {}, "y was passed beside a Chunks"),
        ((Chunks(n=0),), {}, "holds no batches"),
        ((iter([]),), {}, "gave no batches"),
        ((iter([(X, Y, Y, Y)]),), {}, "has 4 parts"),
        ((Chunks(),), {"validation_split": 0.2}, "validation_split needs arrays"),
        ((X, Y), {"validation_split": 1.5}, "between 0 and 1"),
        ((X[:1], Y[:1]), {"validation_split": 0.2}, "leaves none for training"),
        ((X, Y), {"validation_data": (X,)}, "has 1 parts"),
        ((X, Y), {"batch_size": 0}, "batch_size must be"),
        ((X, Y), {"steps_per_epoch": -1}, "steps_per_epoch must be"),
        ((X, Y), {"class_weight": {"a": {0: 1.0}}}, "dict of dicts by output name"),
        ((X,), {"class_weight": {0: 1.0}}, "class_weight needs targets"),
        ((X, Y), {"sample_weight": np.ones(3)}, "sample_weight: 3"),
    ],
)
def test_bad_data_is_named(data, arguments, message):
    m = model()
    with pytest.raises(RamifyError, match=message):
        m.fit(*data, verbose=0, **arguments)
    m.fit(X, Y, verbose=0)


def test_class_weight_by_output():
    x = ramify.Input((4,))
    heads = [ramify.layers.Dense(1, name=name, kernel_initializer="ones")(x) for name in "ab"]
    m = ramify.Model(x, heads)
    m.compile(ramify.optimizers.SGD(0.0), "mse")
    labels = (Y > 0.5).astype("int64")
    y = {"a": labels, "b": labels}
    plain = m.fit(X, y, verbose=0).history
    heavy = m.fit(X, y, class_weight={"a": {0: 2.0, 1: 2.0}}, verbose=0).history
    assert heavy["a_loss"] == pytest.approx([2 * plain["a_loss"][0]])
    assert heavy["b_loss"] == pytest.approx(plain["b_loss"])


def test_batches_for_a_gpu_are_pinned_and_sent_ahead(monkeypatch):
    pinned = []

    def pin(tensor):
        pinned.append(len(tensor))
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(arrays, "CHUNK", 16)  # two batches of two rows of one number
    assert Placement(torch.device("cuda"), torch.float32).pins
    placement = Placement(torch.device("meta"), torch.float32)  # elsewhere, as a GPU is
    for shuffle in (False, True):
        data = arrays.ArrayAdapter(torch.zeros(14, 1), placement, 2, shuffle)
        assert len(list(data.epoch())) == 7
        assert pinned == []
        placement.pins = True
        epoch, seen = data.epoch(), []
        for batch in epoch:
            assert batch.device.type == "meta"
            seen.append(list(pinned))
        assert seen == [[4] * 2] * 2 + [[4] * 3] * 2 + [[4, 4, 4, 2]] * 3  # the next chunk is under way
        placement.pins = False
        pinned.clear()
    placement.pins = True
    placement.place((np.zeros((3, 1), np.float32), torch.zeros(3, 1, device="meta")))
    assert pinned == [3]
