"""`plot_model`: a model as a picture in a file, and the picture itself for notebooks."""

from __future__ import annotations

import warnings
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from ramify.errors import ArgumentError
from ramify.visualize.build import picture_of
from ramify.visualize.cards import Look
from ramify.visualize.display import DisplayList
from ramify.visualize.draw import draw
from ramify.visualize.pdf import pdf
from ramify.visualize.picture import Picture
from ramify.visualize.png import PNGError, png
from ramify.visualize.svg import svg

_DIRECTIONS = ("TB", "BT", "LR", "RL")
_FORMATS = (".svg", ".pdf", ".png")


class Drawing:
    """A drawn model: shows itself in notebooks, and can be saved.

    Args:
        picture: what to draw.
        look: what to show of it.
        rankdir: where edges lead to.

    Attributes:
        picture: what is drawn.
        path: the file that it was last saved to.
    """

    def __init__(self, picture: Picture, look: Look | None = None, rankdir: str = "TB") -> None:
        self.picture = picture
        self.path: FilePath | None = None
        self._look, self._rankdir = look or Look(), rankdir

    @cached_property
    def display_list(self) -> DisplayList:
        """The shapes that it consists of."""
        return draw(self.picture, self._look, self._rankdir)

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG, light or dark as the reader prefers."""
        return svg(self.display_list)

    def save(self, path: str | FilePath, dpi: float = 200) -> FilePath:
        """Write the drawing to a file, in the format that its name ends in.

        Args:
            path: a name that ends in ``.svg``, ``.pdf`` or ``.png``.
            dpi: pixels per inch of a PNG.

        Returns:
            The file's path.

        Raises:
            ArgumentError: another ending.
            PNGError: a PNG without resvg-py.
        """
        path = FilePath(path)
        ending = path.suffix.lower()
        if ending == ".svg":
            content = self.svg.encode()
        elif ending == ".pdf":
            content = pdf(self.display_list)
        elif ending == ".png":
            content = png(self.display_list, dpi)
        else:
            raise ArgumentError(
                f"Pictures are saved as {', '.join(_FORMATS)}, but the file is '{path.name}'. "
                "Give it a name with one of these endings."
            )
        path.write_bytes(content)
        self.path = path
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg}</div>'

    def __repr__(self) -> str:
        where = f", saved as {str(self.path)!r}" if self.path else ""
        return f"<Drawing of {self.picture.name!r}: {len(self.picture.cards)} cards{where}>"


def plot_model(
    model: Any,
    to_file: str | FilePath | None = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Drawing:
    """Draw a model and save the picture.

    No program and no package beside Ramify is needed for SVG and PDF. For PNG, resvg-py is
    (``pip install 'ramify[png]'``); without it the picture is saved as SVG beside, and a warning says so.

    Args:
        model: the model.
        to_file: the file, ending in ``.svg``, ``.pdf`` or ``.png``; ``None`` to save nothing.
        show_shapes: whether outputs show their shapes (``B`` is the batch).
        show_dtype: whether outputs show their dtypes.
        show_layer_names: whether cards show the names of the layers; inputs and models always do.
        rankdir: where edges lead to: ``"TB"`` down, ``"BT"`` up, ``"LR"`` right, ``"RL"`` left.
        expand_nested: whether models in the model show what is in them.
        dpi: pixels per inch of a PNG.
        show_layer_activations: whether cards show activations.
        show_trainable: whether cards with weights say if training changes them.
        splines: accepted for Keras's sake; edges are straight where they can be, with rounded turns elsewhere.
        **kwargs: nothing else is accepted.

    Returns:
        The drawing, which shows itself in a notebook.

    Raises:
        ArgumentError: an unknown argument, direction or ending of the file's name.
        NotBuiltError: the model has no layers to draw yet.

    Example:

    >>> import ramify
    >>> x = ramify.Input(shape=(4,), name="x")
    >>> model = ramify.Model(x, ramify.layers.Dense(2)(x), name="tiny")
    >>> plot_model(model, to_file=None, show_shapes=True)
    <Drawing of 'tiny': 3 cards>
    """
    del splines
    if kwargs:
        raise ArgumentError(f"plot_model takes no argument {', '.join(map(repr, kwargs))}. Leave it out.")
    if rankdir not in _DIRECTIONS:
        raise ArgumentError(f"rankdir={rankdir!r} is no direction. Use one of {', '.join(_DIRECTIONS)}.")
    look = Look(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    drawing = Drawing(picture_of(model, expand_nested), look, rankdir)
    if to_file is None:
        return drawing
    try:
        drawing.save(to_file, dpi)
    except PNGError as error:
        beside = FilePath(to_file).with_suffix(".svg")
        drawing.save(beside)
        warnings.warn(f"{error} The picture was saved as '{beside}' for now.", stacklevel=2)
    return drawing
