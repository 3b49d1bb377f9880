"""Modules that are imported when they are first used, so that `import ramify` costs little.

`tests/test_imports.py` reads ``lazy("...")`` as the import that it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


class _Lazy(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


def lazy(name: str) -> Any:
    """A stand-in for a module: what is asked of it is asked of the module, which is imported for that.

    Args:
        name: full name of the module.

    >>> json = lazy("json")
    >>> json.loads("[1, 2]")
    [1, 2]
    """
    return _Lazy(name)


def attributes(package: str, homes: Mapping[str, Any]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` for names that live in modules which are imported when they are asked for.

    Args:
        package: name of the module.
        homes: name -> the stand-in for the module that has it.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - what Python calls it
        if name in homes:
            return getattr(homes[name], name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__
