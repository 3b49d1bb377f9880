"""The contract table: the rows of `rows/`, one or more for every public layer; `test_layers.py` is the contract."""

from __future__ import annotations

from tests.contract.rows import convolutional, core, images, normalization, preprocessing, sequences, shaping

ABSTRACT = {
    "Layer": "the base class: a subclass defines `call`",
    "Merge": "the base of the merging layers: a subclass defines `merge`",
    "Wrapper": "the base of layers around a layer: a subclass defines `call`",
    "InputLayer": "computes nothing; every model of the contract has one",
}

FOREIGN = {
    "JaxLayer": "needs jax, which the tests cannot count on: tests/layers/foreign/ run it where it is installed",
    "FlaxLayer": "needs jax and flax: likewise",
    "TFSMLayer": "needs tensorflow: likewise",
}

ROWS = [
    *core.ROWS,
    *convolutional.ROWS,
    *normalization.ROWS,
    *shaping.ROWS,
    *sequences.ROWS,
    *preprocessing.ROWS,
    *images.ROWS,
]
