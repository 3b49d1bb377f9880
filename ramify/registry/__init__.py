"""Names in files: which class or function a name stands for, and how an object becomes a config and back."""

from ramify.registry.names import (
    CustomObjectScope,
    also,
    builtin,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    lookup,
    module_of,
    names_in,
    public_module,
    register_keras_serializable,
    serializable,
)
from ramify.registry.objects import deserialize, function_dict, is_safe, loading, serialize, serialize_instance, sharing
from ramify.registry.values import decode, encode, is_value

__all__ = [
    "CustomObjectScope",
    "also",
    "builtin",
    "custom_object_scope",
    "decode",
    "deserialize",
    "encode",
    "function_dict",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_safe",
    "is_value",
    "loading",
    "lookup",
    "module_of",
    "names_in",
    "public_module",
    "register_keras_serializable",
    "serializable",
    "serialize",
    "serialize_instance",
    "sharing",
]
