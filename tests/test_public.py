"""What `import ramify` shows: the names it promises, nothing that leaked, and no import of what is optional."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

import ramify

PARTS = [module.name for module in pkgutil.iter_modules(ramify.__path__, "ramify.") if module.ispkg]
PUBLIC = [
    name
    for name in ["ramify", *PARTS]
    if hasattr(importlib.import_module(name), "__all__") and not name.endswith((".cli", ".graph"))
]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_promised_is_there_and_nothing_else(name):
    module = importlib.import_module(name)
    promised = set(module.__all__)
    assert len(promised) == len(module.__all__), "a name stands twice in __all__"
    shown = {
        word
        for word, value in vars(module).items()
        if not word.startswith("_") and not isinstance(value, types.ModuleType) and word != "annotations"
    }
    assert shown - promised == set(), "public by accident; import it under a private name or add it to __all__"
    assert [word for word in promised if not hasattr(module, word)] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_says_what_it_does(name):
    module = importlib.import_module(name)
    own = {word: getattr(module, word) for word in module.__all__}
    speaking = {word: value for word, value in own.items() if inspect.isroutine(value) or inspect.isclass(value)}
    assert [word for word, value in speaking.items() if not inspect.getdoc(value)] == []


def test_no_optional_dependency_is_imported():
    optional = "keras tensorflow jax sklearn pandas matplotlib PIL IPython resvg_py sympy torch._dynamo torch._inductor"
    code = f"import sys, ramify; print([name for name in {optional.split()!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ramify.__version__ == project["version"]
