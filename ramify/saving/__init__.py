"""Files that outlive the program: `.keras`, `.weights.h5`, `.safetensors`, JSON and configs."""

from ramify.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from ramify.saving import application_layers as _application_layers  # noqa: F401 - for files that name them
from ramify.saving.checkpoint import load_checkpoint, save_checkpoint
from ramify.saving.editor import KerasFileEditor
from ramify.saving.models import load_model, model_from_json, save_model
from ramify.saving.objects import deserialize_keras_object, serialize_keras_object
from ramify.saving.report import LoadReport
from ramify.saving.saver import Saver
from ramify.saving.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "LoadReport",
    "Saver",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_checkpoint",
    "load_model",
    "load_weights",
    "model_from_json",
    "register_keras_serializable",
    "save_checkpoint",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
