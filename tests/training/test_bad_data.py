"""Bad data: the error names the input, shows what was expected beside what came, and leaves the model usable."""

from __future__ import annotations

import os
import signal

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

import ramify
from ramify import layers
from ramify.errors import RamifyError, WorkerError
from ramify.training.data import PyDataset

A, B, ONE, PAIR = np.ones((8, 4)), np.ones((8, 3)), np.ones((8, 1)), np.ones((8, 2))
GOOD = {"a": A, "b": B}
Y = {"o": ONE, "p": PAIR}


def two(loss="mse"):
    """Two named inputs, two named outputs."""
    a, b = ramify.Input((4,), name="a"), ramify.Input((3,), name="b")
    h = layers.Concatenate()([a, b])
    model = ramify.Model({"a": a, "b": b}, {"o": layers.Dense(1, name="o")(h), "p": layers.Dense(2, name="p")(h)})
    model.compile("sgd", loss)
    return model, (GOOD, Y)


def listed():
    """Two inputs in a list, one output."""
    a, b = ramify.Input((4,), name="a"), ramify.Input((3,), name="b")
    model = ramify.Model([a, b], layers.Dense(1, name="o")(layers.Concatenate()([a, b])))
    model.compile("sgd", "mse")
    return model, ([A, B], ONE)


def one(loss="mse", units=1):
    """One input, one output."""
    a = ramify.Input((4,), name="a")
    model = ramify.Model(a, layers.Dense(units, activation="softmax" if units > 1 else None, name="o")(a))
    model.compile("sgd", loss)
    return model, (A, np.zeros(8, int) if "sparse" in loss else np.ones((8, units)))


def words():
    """Whole numbers into an embedding."""
    a = ramify.Input((4,), name="a", dtype="int32")
    model = ramify.Model(a, layers.Dense(1, name="o")(layers.Flatten()(layers.Embedding(5, 2, name="words")(a))))
    model.compile("sgd", "mse")
    return model, (np.ones((8, 4), int), ONE)


def sparse():
    return one("sparse_categorical_crossentropy", 3)


def categorical():
    return one("categorical_crossentropy", 3)


class Ragged(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, i):
        return (A[i, : 2 + 2 * (i != 3)], ONE[i])


class Batches(PyDataset):
    """Gives what it was given, batch by batch."""

    def __init__(self, *batches, **kwargs):
        super().__init__(**kwargs)
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, i):
        return self.batches[i]


def generator(*batches):
    yield from batches


DATES = np.array(["2020-01-01"] * 8, "datetime64[D]")
CASES = {
    # which model, what `fit` gets, what the message says
    "one array for two inputs": (two, (A, Y), r"takes 2 input\(s\) \(a, b\), but 1"),
    "an input is missing": (two, ({"a": A}, Y), r"input 'b'.*keys \['a'\], the inputs are \['a', 'b'\]"),
    "an input has another name": (two, ({"a": A, "c": B}, Y), r"input 'b'.*keys \['a', 'c'\]"),
    "inputs are swapped": (two, ({"a": B, "b": A}, Y), r"'a'.*takes shape \(None, 4\), but received \(8, 3\)"),
    "too many inputs": (listed, ([A, B, B], ONE), r"takes 2 input\(s\) \(a, b\), but 3"),
    "too few inputs": (listed, ([A], ONE), r"takes 2 input\(s\) \(a, b\), but 1"),
    "an input is None": (listed, ([A, None], ONE), r"input 'b'.*takes .* shape \(None, 3\), but received None"),
    "a named input is None": (two, ({"a": None, "b": B}, Y), r"input 'a'.*shape \(None, 4\), but received None"),
    "all inputs are None": (listed, ([None, None], ONE[:0]), "holds no samples"),
    "features are missing": (one, (A[:, :3], ONE), r"'a'.*takes shape \(None, 4\), but received \(8, 3\)"),
    "an axis too many": (one, (np.ones((8, 4, 2)), ONE), r"'a'.*takes shape \(None, 4\), but received \(8, 4, 2\)"),
    "an axis too few": (one, (A[:, 0], ONE), r"'a'.*takes shape \(None, 4\), but received \(8,\)"),
    "a batch axis is missing": (one, (np.float32(1), ONE), "first axis counts samples"),
    "a dict of another name": (one, ({"z": A}, ONE), r"input 'a'.*keys \['z'\]"),
    "integers outside the rows": (words, (np.full((8, 4), 7), ONE), "'words' has the rows 0 to 4.*from 7 to 7"),
    "fewer targets": (one, (A, ONE[:5]), "x: 8, y: 5"),
    "inputs of different lengths": (two, ({"a": A, "b": B[:3]}, Y), r"x\['a'\]: 8, x\['b'\]: 3"),
    "fewer weights": (one, (A, ONE, {"sample_weight": np.ones(3)}), "sample_weight: 3"),
    "no samples": (one, (A[:0], ONE[:0]), "holds no samples"),
    "no targets": (one, (A,), "No target for the output 'o'"),
    "targets of another name": (two, (GOOD, {"o": ONE, "q": PAIR}), "key 'q'.*outputs are 'o', 'p'"),
    "a target is missing": (two, (GOOD, {"o": ONE}), "No target for the output 'p'"),
    "too few targets": (two, (GOOD, [ONE]), r"1 entries.*2 outputs \('o', 'p'\)"),
    "one target for two outputs": (two, (GOOD, ONE), r"one array.*2 outputs \('o', 'p'\)"),
    "weights of another name": (two, (GOOD, Y, {"sample_weight": {"z": np.ones(8)}}), "key 'z'.*'o', 'p'"),
    "classes in place of rows": (categorical, (A, np.ones((8, 2))), r"\(8, 2\).*\(8, 3\)"),
    "too many columns": (two, (GOOD, {"o": ONE, "p": np.ones((8, 5))}), r"'p'.*\(8, 5\).*\(8, 2\)"),
    "strings": (one, (np.array(["x"] * 8), ONE), "x holds strings"),
    "lists of strings": (one, ([["x", "y"]] * 8, ONE), "holds strings"),
    "string targets": (one, (A, np.array(["x"] * 8)), "y holds strings"),
    "objects": (one, (np.array([object()] * 8), ONE), "x holds Python objects"),
    "dates": (one, (A, DATES), "y holds dates"),
    "rows of different lengths": (one, ([[1, 2], [3]], [1, 2]), "rows of different lengths"),
    "a frame with words": (one, (pd.DataFrame({"a": ["x"] * 8}), ONE), "x holds Python objects|x holds strings"),
    "a path": (one, ("data.csv",), "x is a str"),
    "nothing": (one, (None,), "x is None"),
    "an empty list": (listed, ([], ONE), "empty list"),
    "a symbolic tensor": (one, (ramify.Input((4,)), ONE), "symbolic"),
    "a generator that gives nothing": (one, (generator,), "gave no batches"),
    "a generator of another width": (one, (lambda: generator((B, ONE)),), r"'a'.*\(None, 4\).*\(8, 3\)"),
    "a generator of uneven batches": (one, (lambda: generator((A, ONE[:3])),), "x: 8, y: 3"),
    "a generator of too many parts": (one, (lambda: generator((A, ONE, ONE, ONE)),), "has 4 parts"),
    "a generator of strings": (one, (lambda: generator("x"),), "x holds strings"),
    "a generator of nothings": (one, (lambda: generator(None),), "'a'.*received None"),
    "a generator that turns bad": (one, (lambda: generator((A, ONE), (A, None)),), "No target for the output 'o'"),
    "a generator and targets": (one, (lambda: generator((A, ONE)), ONE), "y was passed beside a generator"),
    "a PyDataset without batches": (one, (Batches,), "holds no batches"),
    "a PyDataset of uneven batches": (two, (lambda: Batches((GOOD, {"o": ONE, "p": PAIR[:2]})),), r"y\['p'\]: 2"),
    "samples of different shapes": (one, (Ragged,), "Ragged for batch 0 have different shapes"),
    "a loader of different shapes": (one, (lambda: DataLoader(Ragged(), 4),), "Ragged.*different shapes"),
    "a loader without targets": (one, (lambda: DataLoader(TensorDataset(torch.ones(8, 4)), 4),), "No target"),
    "a split of a generator": (one, (lambda: generator(A), None, {"validation_split": 0.5}), "needs arrays"),
    "validation of another width": (one, (A, ONE, {"validation_data": (B, ONE)}), r"\(None, 4\).*\(8, 3\)"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_data(name):
    make, given, message = CASES[name]
    model, good = make()
    options = given[2] if len(given) > 2 else {}
    x, *y = given[:2]
    x = x() if callable(x) and not isinstance(x, np.ndarray) else x
    with pytest.raises(RamifyError, match=message):
        model.fit(x, *y, verbose=0, **options)
    assert not model.training
    assert np.isfinite(model.fit(*good, verbose=0).history["loss"][0])
    assert np.isfinite(model.evaluate(*good, verbose=0, return_dict=True)["loss"])


def test_a_generator_that_raises_gives_its_own_error_and_the_model_goes_on():
    def broken():
        yield A, ONE
        raise OSError("the disk is gone")

    model, good = one()
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.raises(OSError, match="the disk is gone"):
            call(broken(), verbose=0)
    assert np.isfinite(model.fit(*good, verbose=0).history["loss"][0])


class Killed(Batches):
    """The process that makes batch 2 is killed, as by a system that is out of memory."""

    def __getitem__(self, i):
        if i == 2 and torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(i)


@pytest.mark.parametrize("loader", [False, True])
def test_a_worker_that_is_killed_is_named_and_the_model_goes_on(loader):
    model, good = one()
    data = Killed(*[(A, ONE)] * 5, workers=2, use_multiprocessing=True)
    if loader:
        data = DataLoader(data, batch_size=None, num_workers=2)
    with pytest.raises(WorkerError, match=r"process that made batches of the Killed died.*fewer workers"):
        model.fit(data, shuffle=False, verbose=0)
    assert np.isfinite(model.fit(*good, verbose=0).history["loss"][0])


def test_targets_that_are_no_numbers_stop_training_where_that_is_asked_for():
    model, good = one()
    start = model.get_weights()
    history = model.fit(A, ONE * np.nan, epochs=3, verbose=0, callbacks=[ramify.callbacks.TerminateOnNaN()])
    assert len(history.history["loss"]) == 1
    model.set_weights(start)
    assert np.isfinite(model.fit(*good, verbose=0).history["loss"][0])


def test_the_table_is_long_enough():
    assert len(CASES) >= 40
