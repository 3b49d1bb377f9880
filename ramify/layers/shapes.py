"""Shapes in nested structures, where a tuple of sizes is a leaf."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def as_shape(value: Any) -> Any:
    """A shape, or a nested structure of shapes, out of what JSON made of it."""
    if isinstance(value, (list, tuple)):
        if all(size is None or isinstance(size, int) for size in value):
            return tuple(value)
        return [as_shape(item) for item in value]
    return {key: as_shape(item) for key, item in value.items()} if isinstance(value, dict) else value


def on_shapes(function: Callable[[Any], Any], value: Any) -> Any:
    """Apply a function to every shape in a nested structure of them."""
    if isinstance(value, (list, tuple)):
        if value and all(size is None or isinstance(size, int) for size in value):
            return function(value)
        return type(value)(on_shapes(function, item) for item in value)
    if isinstance(value, dict):
        return {key: on_shapes(function, item) for key, item in value.items()}
    return value
