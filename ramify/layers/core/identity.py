"""`Identity`: a layer that changes nothing."""

from __future__ import annotations

from typing import Any

from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class Identity(Layer):
    """The input as it is: a place holder where code wants a layer.

    Shapes:
        any structure of tensors -> the same.

    Example:

    >>> import ramify
    >>> Identity()(ramify.Input((3,))).shape
    (None, 3)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The input."""
        return inputs
