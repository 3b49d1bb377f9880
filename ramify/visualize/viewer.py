"""`Viewer`: the part of a model that lets itself be looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from ramify.errors import RamifyError
from ramify.lazy import lazy
from ramify.visualize.summary import summary

if TYPE_CHECKING:
    from ramify.visualize.exploration import Exploration, Numbers
    from ramify.visualize.profiling import Profile

_cards, _plot = lazy("ramify.visualize.cards"), lazy("ramify.visualize.plot")
_exploration, _outlining = lazy("ramify.visualize.exploration"), lazy("ramify.visualize.outlining")
_profiling = lazy("ramify.visualize.profiling")
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
        batch_size: int | None = None,
    ) -> None:
        """Print the layers, their output shapes, parameters and connections, and the totals.

        See `ramify.visualize.summary`, which says what the arguments do.
        """
        summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range, batch_size)

    def explore(
        self, path: str | FilePath | None = None, open_browser: bool = False, numbers: Numbers | None = None
    ) -> Exploration:
        """The model as a page in which one can look around: search, open and close, follow edges, colour by cost.

        The page is one HTML file that asks nothing of anyone. In a notebook it shows itself.

        Args:
            path: the file to write; none when not given.
            open_browser: whether to show the file in the browser of this machine.
            numbers: your own numbers to colour cards by: a word for each, and the number of each layer, by its name or
                its path (``{"sparsity": {"encoder/dense": 0.4}}``).

        Raises:
            ArgumentError: a browser should show a page without a file, the file does not end in ``.html``, or `numbers`
                names a layer that there is not.
            NotBuiltError: the model has no layers to show yet.

        Example:

        >>> import ramify
        >>> x = ramify.Input(shape=(4,), name="x")
        >>> ramify.Model(x, ramify.layers.Dense(2)(x), name="tiny").explore()
        <Exploration of 'tiny'>
        """
        return _exploration.explore(self, path, open_browser, numbers)

    def profile(self, x: Any, backward: bool = True, training: bool | None = None, runs: int = 5) -> Profile:
        """What each call takes on a batch, forward and backward, and what it keeps: `ramify.visualize.profile`."""
        return _profiling.profile(self, x, backward, training, runs)

    def outline(self) -> str:
        """The model in numbered sentences, for those who listen: `ramify.visualize.outline`."""
        return _outlining.outline(self)

    def _repr_html_(self) -> str | None:
        """The picture of the model, for notebooks; none of a model that has nothing to show yet or has too much."""
        try:
            picture = _plot.shown_picture(self)
        except RamifyError:
            return None
        if len(picture.cards) > _MOST_CARDS:
            return None
        look = _cards.Look(shapes=True, names=True, activations=True)
        return f"{_plot.Drawing(picture, look)._repr_html_()}{_exploration.below(self)}"
