"""`Viewer`: the part of a model that lets itself be looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ramify.errors import RamifyError
from ramify.visualize.cards import Look
from ramify.visualize.plot import Drawing, shown_picture
from ramify.visualize.summary import summary

_MOST_CARDS = 400  # a notebook cell should open at once


class Viewer:
    """Mixin of `Model`: `summary`, and a picture in notebooks."""

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes, parameters and connections, and the totals.

        See `ramify.visualize.summary`, which says what the arguments do.
        """
        summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def _repr_html_(self) -> str | None:
        """The picture of the model, for notebooks; none of a model that has nothing to show yet or has too much."""
        try:
            picture = shown_picture(self)
        except RamifyError:
            return None
        if len(picture.cards) > _MOST_CARDS:
            return None
        look = Look(shapes=True, names=True, activations=True)
        return Drawing(picture, look)._repr_html_()
