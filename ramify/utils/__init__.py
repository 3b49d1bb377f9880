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
from ramify.saving import deserialize_keras_object, serialize_keras_object
from ramify.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from ramify.training.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from ramify.utils import bounding_boxes
from ramify.utils.arrays import normalize, pad_sequences, to_categorical
from ramify.utils.feature_space import FeatureSpace
from ramify.utils.files import get_file
from ramify.utils.folders import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
)
from ramify.utils.images import array_to_img, img_to_array, load_img, save_img
from ramify.utils.samples import SampleDataset
from ramify.utils.seeding import set_random_seed
from ramify.utils.series import timeseries_dataset_from_array
from ramify.utils.settings import Config
from ramify.utils.splitting import split_dataset
from ramify.utils.state import clear_session, get_source_inputs, is_keras_tensor, standardize_dtype

if typing.TYPE_CHECKING:
    from ramify.visualize.dot import model_to_dot
    from ramify.visualize.plot import plot_model

Sequence = PyDataset
__getattr__ = _attributes(
    __name__, {"model_to_dot": _lazy("ramify.visualize.dot"), "plot_model": _lazy("ramify.visualize.plot")}
)

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "SampleDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
