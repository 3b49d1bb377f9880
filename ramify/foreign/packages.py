"""Packages of other frameworks, imported when a layer needs them."""

from __future__ import annotations

from typing import Any

from ramify.errors import RamifyError


class PackageError(RamifyError, ImportError):
    """A package that a layer is built on is not installed."""


def _missing(owner: str, package: str, error: ImportError) -> PackageError:
    return PackageError(
        f"{owner} needs the package {package}, which cannot be imported ({error}). Run `pip install {package}`."
    )


def needs_jax(owner: str) -> Any:
    """The module ``jax``.

    Raises:
        PackageError: it is not installed.
    """
    try:
        import jax
    except ImportError as error:
        raise _missing(owner, "jax", error) from None
    return jax


def needs_flax(owner: str) -> Any:
    """The module ``flax``.

    Raises:
        PackageError: it is not installed.
    """
    try:
        import flax.linen
    except ImportError as error:
        raise _missing(owner, "flax", error) from None
    return flax


def needs_tensorflow(owner: str) -> Any:
    """The module ``tensorflow``.

    Raises:
        PackageError: it is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise _missing(owner, "tensorflow", error) from None
    return tf
