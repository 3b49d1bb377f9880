"""Answer `import keras` and `from tensorflow.keras ...` with this library, within one process."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

_PREFIXES = {"keras": "ramify", "tensorflow.keras": "ramify", "tf_keras": "ramify"}


def answering_name(name: str) -> str | None:
    """The module of this library that answers for a name, or ``None`` for names that are none of its business.

    >>> answering_name("tensorflow.keras.layers")
    'ramify.layers'
    """
    for prefix, own in _PREFIXES.items():
        if name == prefix or name.startswith(prefix + "."):
            return own + name[len(prefix) :]
    return None


class _SameModule(Loader):
    """Hands out a module that is already there, under another name."""

    def __init__(self, module: types.ModuleType) -> None:
        self.module = module
        self.own_spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """The module itself."""
        return self.module

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run: the module has been."""
        if self.own_spec is not None:
            module.__spec__ = self.own_spec  # the import system wrote the other name's over it


class _TensorFlow(types.ModuleType):
    """Stands where `tensorflow` is imported for its `keras` alone."""

    def __init__(self) -> None:
        super().__init__("tensorflow", "Only `tensorflow.keras` is here.")
        self.__path__ = []
        self.keras = importlib.import_module("ramify")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"`tensorflow.{name}` is not answered: under `ramify run`, only `tensorflow.keras` is, by ramify. "
            "Replace the call with a function of `keras.ops` or `torch`."
        )


class Answer(MetaPathFinder):
    """A finder, to be first in `sys.meta_path`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module that answers, or ``None`` for names that are none of its business."""
        if name == "tensorflow":
            return ModuleSpec(name, _SameModule(_TensorFlow()), is_package=True)
        if name.startswith("tensorflow.") and not name.startswith("tensorflow.keras"):
            raise ModuleNotFoundError(f"'{name}' is not answered: under `ramify run`, only `tensorflow.keras` is.")
        own = answering_name(name)
        if own is None:
            return None
        if importlib.util.find_spec(own) is None:
            raise ModuleNotFoundError(f"ramify has no module '{own}' to answer for '{name}'.", name=name)
        module = importlib.import_module(own)
        return ModuleSpec(name, _SameModule(module), is_package=hasattr(module, "__path__"))


def install() -> None:
    """From now on, answer in this process. Keras or TensorFlow imported before stay what they are.

    Raises:
        ImportError: the real Keras is already imported, and the script would see a mixture.
    """
    if any(isinstance(finder, Answer) for finder in sys.meta_path):
        return
    for name in ("keras", "tensorflow"):
        if name in sys.modules:
            raise ImportError(f"'{name}' is already imported, so ramify cannot answer for it. Start a fresh process.")
    sys.meta_path.insert(0, Answer())


def uninstall() -> None:
    """Stop answering, and forget the names that were answered."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Answer)]
    for name in [name for name in sys.modules if name == "tensorflow" or answering_name(name) is not None]:
        del sys.modules[name]
