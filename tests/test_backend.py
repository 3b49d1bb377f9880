import itertools

import keras
import pytest

import ramify
from ramify.errors import ArgumentError

DTYPES = ["bool", "int8", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


@pytest.mark.parametrize("pair", list(itertools.product([*DTYPES, int, float], DTYPES)), ids=str)
def test_dtypes_meet_as_in_keras(pair):
    assert ramify.backend.result_type(*pair) == keras.backend.result_type(*pair)


@pytest.mark.parametrize("dtype", DTYPES)
def test_questions_about_dtypes(dtype):
    assert ramify.backend.is_float_dtype(dtype) == keras.backend.is_float_dtype(dtype)
    assert ramify.backend.is_int_dtype(dtype) == keras.backend.is_int_dtype(dtype)


def test_the_engine_is_torch():
    assert ramify.backend.backend() == ramify.config.backend() == "torch"
    ramify.config.set_backend("torch")
    with pytest.raises(ArgumentError, match="PyTorch alone"):
        ramify.config.set_backend("jax")


def test_numbers_rise_per_prefix():
    first = ramify.backend.get_uid("test")
    assert ramify.backend.get_uid("test") == first + 1
    assert ramify.version() == ramify.__version__
