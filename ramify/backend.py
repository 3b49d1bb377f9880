"""What Keras keeps under ``keras.backend``: defaults, names, questions about dtypes. The engine is always PyTorch."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ramify import dtypes
from ramify.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from ramify.promotion import result_dtype
from ramify.utils.state import clear_session, is_keras_tensor, standardize_dtype

_uids: Counter[str] = Counter()


def get_uid(prefix: str = "") -> int:
    """A number that rises by one with every call for the same prefix.

    >>> get_uid("doc"), get_uid("doc")
    (1, 2)
    """
    _uids[prefix] += 1
    return _uids[prefix]


def result_type(*dtypes_: Any) -> str:
    """The name of the dtype that values of several dtypes are brought to; Python's types count as weak.

    >>> result_type("int32", "float16"), result_type("bfloat16", float)
    ('float16', 'bfloat16')
    """
    return dtypes.name(result_dtype(*dtypes_))


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is a floating one.

    >>> is_float_dtype("bfloat16")
    True
    """
    return dtypes.to_torch(dtype).is_floating_point


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is an integer one, signed or not.

    >>> is_int_dtype("uint8"), is_int_dtype("bool")
    (True, False)
    """
    return "int" in dtypes.name(dtype)


__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
