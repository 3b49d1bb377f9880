"""A size of 1 broadcasts: it tells nothing of an unknown size that it meets."""

from __future__ import annotations

import keras
import pytest

import ramify


@pytest.mark.parametrize("name", ["add", "maximum", "floor_divide", "equal"])
@pytest.mark.parametrize("other", [(3, 1), (1, 5), (1, 1), (3, 5)])
def test_an_unknown_size_that_meets_one_stays_unknown(name, other):
    def shape(library):
        x, y = (library.Input(batch_shape=s, dtype="float32") for s in ((None, None), other))
        return tuple(getattr(library.ops, name)(x, y).shape)

    assert shape(ramify) == shape(keras)


def test_a_length_of_one_is_matched_where_nothing_broadcasts():
    x, y = ramify.Input(batch_shape=(None, None, 3)), ramify.Input(batch_shape=(2, 1, 4))
    assert ramify.layers.Concatenate()([x, y]).shape == (2, 1, 7)
