import keras
import numpy as np
import pytest
import torch

from ramify import utils
from ramify.errors import ArgumentError


@pytest.mark.parametrize("x", [[0, 2, 1], [[0], [3]], [[0, 1], [2, 0]], np.zeros((0,), "int64"), 2])
@pytest.mark.parametrize("num_classes", [None, 5])
def test_to_categorical(x, num_classes):
    if np.size(x) == 0 and num_classes is None:
        pytest.skip("Keras takes the maximum of nothing")
    ours, theirs = utils.to_categorical(x, num_classes), keras.utils.to_categorical(x, num_classes)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.shape == theirs.shape


def test_to_categorical_of_tensors_and_bad_numbers():
    assert torch.equal(utils.to_categorical(torch.tensor([1, 0])), torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    with pytest.raises(ArgumentError, match="class numbers from -1 to 4, but there are 3 classes"):
        utils.to_categorical([-1, 4], 3)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_normalize(order, axis):
    x = np.array([[3.0, -4.0, 0.0], [0.0, 0.0, 0.0]])
    # Keras takes axis 0 for -1.
    expected = keras.utils.normalize(x.T, -1, order).T if axis == 0 else keras.utils.normalize(x, axis, order)
    np.testing.assert_allclose(utils.normalize(x, axis, order), expected)
    np.testing.assert_allclose(utils.normalize(torch.tensor(x), axis, order), utils.normalize(x, axis, order))
    with pytest.raises(ArgumentError, match="positive integer"):
        utils.normalize(x, axis, 0)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [None, 2, 4])
@pytest.mark.parametrize(
    "sequences", [[[1, 2, 3], [4], []], [[[1, 2]], [[3, 4], [5, 6], [7, 8]]]], ids=["flat", "nested"]
)
def test_pad_sequences(sequences, maxlen, truncating, padding):
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": 9}
    ours, theirs = utils.pad_sequences(sequences, **options), keras.utils.pad_sequences(sequences, **options)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_pad_sequences_refuses():
    with pytest.raises(ArgumentError, match="padding='pre' or 'post'"):
        utils.pad_sequences([[1]], padding="left")
    with pytest.raises(ArgumentError, match="Sequence 1 has elements of shape"):
        utils.pad_sequences([[[1, 2]], [[1]]])


def test_one_seed_for_all():
    def draw():
        return np.random.rand(), torch.rand(1).item()

    utils.set_random_seed(3)
    first = draw()
    utils.set_random_seed(3)
    assert draw() == first
    for wrong in (-1, 2**32, 1.5, True):
        with pytest.raises(ArgumentError, match="is no seed"):
            utils.set_random_seed(wrong)
