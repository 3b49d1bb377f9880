"""Which class or function a name stands for.

Built-in classes are registered under the module they have in Keras files (``keras.layers``, ``keras.losses``, ...);
users' classes under ``package>name``. Nothing is ever imported because a file says so: what is not in the table, or in
the `custom_objects` that the caller passes, is refused.
"""

from __future__ import annotations

import difflib
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from ramify.errors import ArgumentError

T = TypeVar("T")

_builtin: dict[tuple[str, str], Any] = {}
_module_of: dict[Any, str] = {}
_custom: dict[str, Any] = {}
_custom_name_of: dict[Any, str] = {}

# Keras writes some classes under the file that they are defined in.
_FAMILIES = "activations constraints initializers layers losses metrics ops optimizers random regularizers".split()


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


def also(module: str, *functions: Any) -> None:
    """Let functions of another library be written under their names: those of built-in ones that they equal."""
    for function in functions:
        _module_of.setdefault(function, module)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Register a class or function of your own, so that configs and files may name it.

    Args:
        package: the first part of the registered name; keeps two libraries with equal class names apart.
        name: the second part; the object's own name when not given.

    Raises:
        ArgumentError: a class without `get_config`.

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
            raise ArgumentError(
                f"{own} cannot be registered: it has no `get_config`. Add one that returns its arguments."
            )
        registered = f"{package}>{own}"
        _custom[registered] = obj
        _custom_name_of[obj] = registered
        return obj

    return register


def get_registered_name(obj: Any) -> str:
    """The name an object is registered under, else its own name."""
    return custom_name_of(obj) or str(getattr(obj, "__name__", obj))


def custom_name_of(obj: Any) -> str | None:
    """The name that `register_keras_serializable` gave, or ``None``."""
    try:
        return _custom_name_of.get(obj)
    except TypeError:  # what has no hash was never registered
        return None


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


class CustomObjectScope:
    """Within this context, configs may name the given objects.

    Args:
        custom_objects: name in the config -> class or function.

    Example:

    >>> from ramify import registry
    >>> with registry.CustomObjectScope({"half": lambda x: x / 2}):
    ...     registry.lookup("half")(3)
    1.5
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = custom_objects or {}

    def __enter__(self) -> Self:
        _scope.stack.append(self.custom_objects)
        return self

    def __exit__(self, *_: object) -> None:
        _scope.stack.pop()


custom_object_scope = CustomObjectScope


def module_of(obj: Any) -> str | None:
    """The Keras module a built-in class or function is public in, or ``None`` for anything else."""
    try:
        return _module_of.get(obj)
    except TypeError:
        return None


def public_module(module: str | None) -> str | None:
    """The public module of what Keras wrote under a file of its own.

    >>> public_module("keras.src.backend.torch.optimizers.torch_adam"), public_module("keras.src.models.functional")
    ('keras.optimizers', 'keras')
    """
    if not module or not module.startswith(("keras.src.", "tf_keras.src.")):
        return module
    family = next((part for part in reversed(module.split(".")) if part in _FAMILIES), None)
    return "keras" if family is None else f"keras.{family}"


def lookup(name: str, module: str | None = None, custom_objects: Mapping[str, Any] | None = None) -> Any | None:
    """The object that `name` stands for: users' objects first, then built-in ones of `module` (any, when ``None``)."""
    found = get_registered_object(name, custom_objects)
    return builtin(name, module) if found is None else found


def builtin(name: str, module: str | None = None) -> Any | None:
    """The built-in object of a name in `module` (in any, when ``None``), or ``None``."""
    if module is not None:
        return _builtin.get((module, name))
    for (_, known), obj in _builtin.items():
        if known == name:
            return obj
    return None


def names_in(module: str) -> list[str]:
    """All names registered for a module, sorted; error messages list them."""
    return sorted(name for mod, name in _builtin if mod == module)


def unknown(what: str, name: Any, module: str | None) -> str:
    """The message for a name that stands for nothing, with close names that do."""
    known = names_in(module) if module else []
    by_lower = {one.lower(): one for one in known}
    close = [by_lower[one] for one in difflib.get_close_matches(str(name).lower(), list(by_lower), n=3, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    return (
        f"Unknown {what} {name!r}.{hint} Pass one of the library's names or the object itself; register your own with "
        "`register_keras_serializable`, or name it in `custom_objects` where a file or config is loaded."
    )
