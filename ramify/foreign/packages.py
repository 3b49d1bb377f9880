"""Packages of other frameworks, imported when a layer needs them."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ramify.errors import RamifyError


class PackageError(RamifyError, ImportError):
    """A package that a layer is built on is not installed."""


def _imported(owner: str, package: str, module: str | None = None) -> Any:
    try:
        importlib.import_module(module or package)
    except ImportError as error:
        raise PackageError(
            f"{owner} needs the package {package}, which cannot be imported ({error}). Run `pip install {package}`."
        ) from None
    return sys.modules[package]


def needs_jax(owner: str) -> Any:
    """The module ``jax``.

    Raises:
        PackageError: it is not installed.
    """
    return _imported(owner, "jax")


def needs_flax(owner: str) -> Any:
    """The module ``flax``, its ``linen`` at hand.

    Raises:
        PackageError: it is not installed.
    """
    return _imported(owner, "flax", "flax.linen")


def needs_tensorflow(owner: str) -> Any:
    """The module ``tensorflow``.

    Raises:
        PackageError: it is not installed.
    """
    return _imported(owner, "tensorflow")
