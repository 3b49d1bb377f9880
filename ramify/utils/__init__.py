"""Helpers that stand beside models."""

import typing

from ramify.callbacks.progress import Progbar
from ramify.lazy import attributes as _attributes
from ramify.lazy import lazy as _lazy
from ramify.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from ramify.training.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from ramify.utils.arrays import normalize, pad_sequences, to_categorical
from ramify.utils.seeding import set_random_seed
from ramify.utils.state import clear_session, is_keras_tensor, standardize_dtype

if typing.TYPE_CHECKING:
    from ramify.visualize.plot import plot_model

Sequence = PyDataset
__getattr__ = _attributes(__name__, {"plot_model": _lazy("ramify.visualize.plot")})

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
