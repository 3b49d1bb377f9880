"""How an object becomes plain data as Keras files hold it, and back."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.registry import values
from ramify.registry.bytecode import function_of, is_bytecode
from ramify.registry.names import (
    builtin,
    custom_name_of,
    get_registered_name,
    lookup,
    module_of,
    public_module,
    unknown,
)

_FUNCTION = ("function", "builtin_function_or_method", "method", "type")
# Where Keras looks for classes that are public nowhere.
_SPECIAL_NAME = {
    ("keras", "Functional"): ("keras.src.models.functional", "Functional"),
    ("keras", "CustomScaleLayer"): ("keras.src.applications.inception_resnet_v2", "CustomScaleLayer"),
    ("keras", "LayerScale"): ("keras.src.applications.convnext", "LayerScale"),
    ("keras", "StochasticDepth"): ("keras.src.applications.convnext", "StochasticDepth"),
}


class _State(threading.local):
    def __init__(self) -> None:
        self.safe = True
        self.blank = False
        self.written: dict[int, tuple[Any, list[dict[str, Any]]]] | None = None
        self.finished: set[int] = set()
        self.made: dict[Any, Any] | None = None


class _Process:
    """What holds in all threads."""

    runs_code = False


_state = _State()


# ---- objects to data ----


def serialize(obj: Any) -> Any:
    """Turn an object into plain data as Keras files hold it.

    Objects with `get_config` become ``{"module", "class_name", "config", "registered_name"}``; built-in functions their
    name and others a dict with it; arrays, tensors and slices dicts of Keras's kind; lists, tuples, dicts, numbers and
    strings stay what they are.

    Raises:
        ArgumentError: anything else.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, (list, tuple)):
        return type(obj)(map(serialize, obj)) if type(obj) in (list, tuple) else [serialize(i) for i in obj]
    if isinstance(obj, Mapping):
        # Some configs remember the object that they describe, and finished ones may still get a number: they stay.
        if hasattr(obj, "value") or id(obj) in _state.finished:
            return obj
        return {key: serialize(value) for key, value in obj.items()}
    encoded = values.encode(obj)
    if encoded is not None:
        return encoded
    if isinstance(obj, torch.dtype):
        return str(obj).removeprefix("torch.")
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return serialize_instance(obj)
    if callable(obj) and hasattr(obj, "__name__"):
        return get_registered_name(obj) if module_of(obj) is not None else function_dict(obj)
    raise ArgumentError(
        f"{type(obj).__name__} cannot stand in a config: it is no plain value and has no `get_config`. "
        "Override `get_config` of the object that holds it."
    )


def function_dict(function: Any) -> dict[str, Any]:
    """A function by its registered name, or its own."""
    name = get_registered_name(function)
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def serialize_instance(obj: Any) -> dict[str, Any]:
    """An object with `get_config` as a dict, with the shapes it was built for and how it was compiled, where it was."""
    cls = type(obj)
    module, registered = module_of(cls), custom_name_of(cls)
    if module is None:
        module = None if cls.__module__ in ("__main__", "builtins") else cls.__module__
        registered = registered or cls.__name__
    module, registered = _SPECIAL_NAME.get((module or "", cls.__name__), (module, registered))
    data = {
        "module": module,
        "class_name": cls.__name__,
        "config": serialize(obj.get_config()),
        "registered_name": registered,
    }
    build = obj.get_build_config() if hasattr(obj, "get_build_config") else None
    if build is not None:
        data["build_config"] = _written_build(build)
    if hasattr(obj, "get_compile_config"):
        data["compile_config"] = serialize(obj.get_compile_config()) or {}
    return noted(obj, data)


def noted(obj: Any, data: dict[str, Any]) -> dict[str, Any]:
    """The dict that describes an object; within `sharing`, it gets a number if the object is described elsewhere."""
    if _state.written is not None:
        _state.written.setdefault(id(obj), (obj, []))[1].append(data)
        _state.finished.add(id(data))
    return data


def _written_build(build: Mapping[str, Any]) -> dict[str, Any]:
    """The shapes for a build under the names that Keras looks for."""
    shapes = {name: serialize(shape) for name, shape in build.items() if shape is not None}
    if "shapes_dict" in shapes or not shapes:
        return shapes or {"input_shape": None}
    return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}


@contextmanager
def sharing() -> Iterator[None]:
    """While configs are written within, what stands in several places gets one number, and is one when loaded."""
    if _state.written is not None:
        yield
        return
    _state.written = {}
    try:
        yield
        groups = [places for _, places in _state.written.values() if len(places) > 1]
        for number, places in enumerate(groups):
            for place in places:
                if place["class_name"] != "InputLayer":
                    place["shared_object_id"] = number
    finally:
        _state.written = None
        _state.finished.clear()


# ---- data to objects ----


@contextmanager
def loading(
    *, safe: bool | None = None, blank: bool | None = None, made: dict[Any, Any] | None = None
) -> Iterator[None]:
    """While objects are made within, those with the same number in the config are one.

    Args:
        safe: whether code in files is refused; what holds outside, when not given.
        blank: whether weights are left without values, because a file is about to give them.
        made: table of the numbered objects; what holds outside, when not given. A file has numbers of its own.
    """
    before = _state.safe, _state.blank, _state.made
    _state.safe = _state.safe if safe is None else safe
    _state.blank = _state.blank if blank is None else blank
    _state.made = made if made is not None else _state.made if _state.made is not None else {}
    try:
        yield
    finally:
        _state.safe, _state.blank, _state.made = before


def awaits_weights() -> bool:
    """Whether the weights of what is being made will be read from a file."""
    return _state.blank


def is_safe() -> bool:
    """Whether what asks for code out of a file is refused.

    It always is, but within a call that was told ``safe_mode=False``, and after `allow_code`.
    """
    return _state.safe and not _Process.runs_code


def allow_code(allowed: bool = True) -> None:
    """Let files and configs bring code along, whatever the calls that read them say."""
    _Process.runs_code = allowed


def deserialize(
    config: Any, module: str | None = None, custom_objects: Mapping[str, Any] | None = None, what: str = "object"
) -> Any:
    """Turn what `serialize` made back into an object.

    Args:
        config: a name, a ``{"class_name", "config"}`` dict, or a value that is returned as it is.
        module: where names are looked up, such as ``"keras.initializers"``.
        custom_objects: name -> class or function, looked up first.
        what: the word for it in error messages.

    Raises:
        ArgumentError: a name that is not registered.
        UnsafeFileError: a function as bytecode.
    """
    if isinstance(config, str):
        found = lookup(config, module, custom_objects) if config else None
        if found is None:
            raise ArgumentError(unknown(what, config, module))
        return found() if inspect.isclass(found) else found
    if not isinstance(config, Mapping):
        return config
    if values.is_value(config):
        return values.decode(config)
    if is_bytecode(config):
        return config.value if hasattr(config, "value") else function_of(config, f"the {what}", safe=is_safe())
    return once(config, lambda: _make(config, module, custom_objects, what))


def once(config: Mapping[str, Any], make: Callable[[], Any]) -> Any:
    """The object that was made for a config with the same number, else what `make` makes."""
    number, made = config.get("shared_object_id"), _state.made
    if made is None or number is None:
        return make()
    key = number, config.get("class_name")
    if key not in made:
        made[key] = make()
    return made[key]


def _make(config: Mapping[str, Any], module: str | None, custom_objects: Mapping[str, Any] | None, what: str) -> Any:
    name = config.get("class_name")
    if name in _FUNCTION and isinstance(config.get("config"), str):
        name = config["config"]
        found = lookup(name, module, custom_objects)
        found = lookup(name) if found is None else found
        if found is None or inspect.isclass(found):
            raise ArgumentError(unknown("function" if what == "object" else what, name, module))
        return found
    found = _find_class(config, module, custom_objects)
    if found is None:
        raise ArgumentError(unknown(what, config.get("registered_name") or name, public_module(config.get("module"))))
    if not inspect.isclass(found):
        return found
    inner = _decoded(config.get("config") or {})
    if isinstance(inner, dict) and inner.get("quantization_config", ...) is None:
        # Keras writes it for every layer that it could quantize.
        inner = {key: value for key, value in inner.items() if key != "quantization_config"}
    made = found.from_config(inner) if hasattr(found, "from_config") else found(**inner)
    _build(made, config.get("build_config"))
    return made


def _decoded(config: Any) -> Any:
    """A config with arrays and the like in place of what stands for them; objects in it are left to their owners."""
    if isinstance(config, list):
        return [_decoded(item) for item in config]
    if not isinstance(config, Mapping) or hasattr(config, "value"):
        return config
    if values.is_value(config):
        return values.decode(config)
    return config if "class_name" in config else {key: _decoded(item) for key, item in config.items()}


def _find_class(config: Mapping[str, Any], module: str | None, custom_objects: Mapping[str, Any] | None) -> Any:
    """Built-in classes by their module and name, users' by the name they were registered under."""
    name, registered = config.get("class_name"), config.get("registered_name")
    if not isinstance(name, str):
        return None
    home = public_module(config.get("module")) or module
    own = (home or "").split(".")[0] == "keras" and (registered is None or ">" not in str(registered))
    if own:
        found = builtin(name, home)
        if found is not None:
            return found
    for word in (registered, name):
        found = lookup(word, home, custom_objects) if isinstance(word, str) else None
        if found is not None:
            return found
    return lookup(name, module, custom_objects)


def _build(made: Any, config: Any) -> None:
    """Build a layer for the shapes it had. A functional graph builds its layers by calling them."""
    if not config or getattr(made, "built", True) or not hasattr(made, "build_from_config"):
        return
    shapes = config.get("shapes_dict", config) if isinstance(config, Mapping) else {}
    if any(shape is not None for shape in shapes.values()):
        made.build_from_config(shapes)
