"""The base of the layers that take strings: torch has no tensors of them, so they stay on the host."""

from __future__ import annotations

from typing import Any

from ramify.layers.layer import Layer
from ramify.text.texts import as_texts, is_text


class TextLayer(Layer):
    """A layer that also takes strings; its `call` gets them as `Texts`."""

    encoding: str = "utf-8"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the layer on strings, numbers or tensors, or record a call on symbolic tensors."""
        return super().__call__(*map(self._wrapped, args), **{name: self._wrapped(v) for name, v in kwargs.items()})

    def _wrapped(self, value: Any) -> Any:
        return as_texts(value, self.describe(), self.encoding) if is_text(value) else value
