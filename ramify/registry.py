"""Names in files: which class or function a name stands for, and how an object becomes a config and back.

Built-in classes are registered under the module they have in Keras files (``keras.layers``, ``keras.losses``, ...);
users' classes under ``package>name``. Nothing is ever imported because a file says so: what is not in the table, or in
the `custom_objects` that the caller passes, is refused.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import torch

from ramify.errors import ArgumentError

T = TypeVar("T")

_builtin: dict[tuple[str, str], Any] = {}
_module_of: dict[Any, str] = {}
_custom: dict[str, Any] = {}
_custom_name_of: dict[Any, str] = {}


class _Scope(threading.local):
    def __init__(self) -> None:
        self.stack: list[Mapping[str, Any]] = []


_scope = _Scope()


def serializable(module: str, *aliases: str) -> Callable[[T], T]:
    """Register a built-in class or function under the Keras module it is public in, and under further names.

    Args:
        module: dotted public module, such as ``"keras.layers"``.
        *aliases: other names the same object goes by in configs, such as ``"mse"``.
    """

    def register(obj: T) -> T:
        names = (obj.__name__, *aliases)  # type: ignore[attr-defined]
        for name in names:
            _builtin[module, name] = obj
        _module_of.setdefault(obj, module)
        return obj

    return register


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Register a class or function of your own, so that configs and files may name it.

    Args:
        package: the first part of the registered name; keeps two libraries with equal class names apart.
        name: the second part; the object's own name when not given.

    Raises:
        ArgumentError: a class without `get_config`, or a name that holds ``>``.

    Example:

    >>> from ramify import registry
    >>> @registry.register_keras_serializable(package="docs")
    ... def double(x):
    ...     return 2 * x
    >>> registry.get_registered_name(double)
    'docs>double'
    """

    def register(obj: T) -> T:
        own = name or obj.__name__  # type: ignore[attr-defined]
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ArgumentError(f"{own} cannot be registered: it has no `get_config`. Add one that returns its arguments.")
        registered = f"{package}>{own}"
        _custom[registered] = obj
        _custom_name_of[obj] = registered
        return obj

    return register


def get_registered_name(obj: Any) -> str:
    """The name an object is registered under, else its own name."""
    return _custom_name_of.get(obj, getattr(obj, "__name__", str(obj)))


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any | None:
    """The class or function that a name stands for among users' objects, or ``None``."""
    for table in (*reversed(_scope.stack), custom_objects or {}, _custom, module_objects or {}):
        if name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The live table of users' objects, by registered name."""
    return _custom


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Within this context, configs may name the given objects.

    Args:
        custom_objects: name in the config -> class or function.
    """
    _scope.stack.append(custom_objects)
    try:
        yield
    finally:
        _scope.stack.pop()


CustomObjectScope = custom_object_scope


def module_of(obj: Any) -> str | None:
    """The Keras module a built-in class or function is public in, or ``None`` for anything else."""
    return _module_of.get(obj)


def lookup(name: str, module: str | None = None, custom_objects: Mapping[str, Any] | None = None) -> Any | None:
    """The object that `name` stands for: users' objects first, then built-in ones of `module` (any, when ``None``)."""
    found = get_registered_object(name, custom_objects)
    if found is not None:
        return found
    if module is not None:
        return _builtin.get((module, name))
    for (_, known), obj in _builtin.items():
        if known == name:
            return obj
    return None


def names_in(module: str) -> list[str]:
    """All names registered for a module, sorted; error messages list them."""
    return sorted(name for mod, name in _builtin if mod == module)


def serialize(obj: Any) -> Any:
    """Turn an object into plain data as Keras files hold it.

    Objects with `get_config` become ``{"module", "class_name", "config", "registered_name"}``; functions become their
    name; lists, tuples, dicts and numbers stay what they are.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, (list, tuple)):
        return type(obj)(serialize(item) for item in obj) if type(obj) in (list, tuple) else [serialize(i) for i in obj]
    if isinstance(obj, Mapping):
        return {key: serialize(value) for key, value in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, (np.ndarray, torch.Tensor)):
        value = obj.detach().cpu().numpy() if isinstance(obj, torch.Tensor) else obj
        return value.item() if value.ndim == 0 else value.tolist()
    if isinstance(obj, torch.dtype):
        return str(obj).removeprefix("torch.")
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return _serialize_instance(obj)
    if callable(obj) and hasattr(obj, "__name__"):
        return get_registered_name(obj)
    raise ArgumentError(
        f"{type(obj).__name__} cannot stand in a config: it is no plain value and has no `get_config`. "
        "Override `get_config` of the object that holds it."
    )


def _serialize_instance(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    custom = _custom_name_of.get(cls)
    return {
        "module": _module_of.get(cls, cls.__module__),
        "class_name": cls.__name__,
        "config": obj.get_config(),
        "registered_name": custom if custom else (None if cls in _module_of else cls.__name__),
    }


def deserialize(
    config: Any, module: str | None = None, custom_objects: Mapping[str, Any] | None = None, what: str = "object"
) -> Any:
    """Turn what `serialize` made back into an object.

    Args:
        config: a name, a ``{"class_name", "config"}`` dict, or a value that is returned as it is.
        module: where bare names are looked up, such as ``"keras.initializers"``.
        custom_objects: name -> class or function, looked up first.
        what: the word for it in error messages.

    Raises:
        ArgumentError: a name that is not registered.
    """
    if config is None or not isinstance(config, (str, Mapping)):
        return config
    name = config if isinstance(config, str) else config.get("registered_name") or config.get("class_name")
    found = lookup(name, module, custom_objects) if name else None
    if found is None and isinstance(config, Mapping):
        found = lookup(config.get("class_name", ""), config.get("module") or module, custom_objects)
        if config.get("class_name") == "function":
            found = lookup(config["config"], module, custom_objects)
            name = config["config"]
    if found is None:
        raise ArgumentError(_unknown(what, name, module))
    if isinstance(config, str):
        return found() if inspect.isclass(found) else found
    if not inspect.isclass(found):
        return found
    inner = config.get("config") or {}
    return found.from_config(inner) if hasattr(found, "from_config") else found(**inner)


def _unknown(what: str, name: Any, module: str | None) -> str:
    import difflib

    known = names_in(module) if module else []
    close = difflib.get_close_matches(str(name), known, n=3)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    return (
        f"Unknown {what} {name!r}.{hint} Pass one of the library's names, the object itself, "
        "or register your own with `register_keras_serializable`."
    )
