"""`plot_model`: a model as a picture in a file, and the picture itself for notebooks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from ramify.errors import ArgumentError
from ramify.visualize.build import picture_of
from ramify.visualize.cards import Look
from ramify.visualize.display import DisplayList
from ramify.visualize.draw import draw
from ramify.visualize.explorer import explorer_page
from ramify.visualize.fold import folded
from ramify.visualize.part import close, part_of
from ramify.visualize.pdf import pdf
from ramify.visualize.picture import Picture
from ramify.visualize.png import PNGError, png
from ramify.visualize.svg import svg

_DIRECTIONS = ("TB", "BT", "LR", "RL")
_FORMATS = (".svg", ".pdf", ".png", ".html")
_MANY = 60  # cards, from which on repeated blocks fold unless told otherwise


class Drawing:
    """A drawn model: shows itself in notebooks, and can be saved.

    Args:
        picture: what to draw.
        look: what to show of it.
        rankdir: where edges lead to.
        wrap: whether what is much longer than wide is cut into columns.
        dark: whether it is dark; SVG is as its reader prefers when not given.

    Attributes:
        picture: what is drawn.
        path: the file that it was last saved to.
    """

    def __init__(
        self,
        picture: Picture,
        look: Look | None = None,
        rankdir: str = "TB",
        wrap: bool = True,
        dark: bool | None = None,
    ) -> None:
        self.picture = picture
        self.path: FilePath | None = None
        self._look, self._rankdir, self._wrap, self._dark = look or Look(), rankdir, wrap, dark

    @cached_property
    def display_list(self) -> DisplayList:
        """The shapes that it consists of."""
        return draw(self.picture, self._look, self._rankdir, self._wrap)

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG."""
        return svg(self.display_list, self._dark)

    def save(self, path: str | FilePath, dpi: float = 200) -> FilePath:
        """Write the drawing to a file, in the format that its name ends in.

        Args:
            path: a name that ends in ``.svg``, ``.pdf``, ``.png`` or, for the explorer, ``.html``.
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
            content = pdf(self.display_list, bool(self._dark))
        elif ending == ".png":
            content = png(self.display_list, dpi, bool(self._dark))
        elif ending == ".html":
            content = explorer_page(self.picture).encode()
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
    *,
    from_: str | Sequence[str] | None = None,
    to: str | Sequence[str] | None = None,
    focus: str | None = None,
    depth: int | None = None,
    fold: bool | None = None,
    wrap: bool = True,
    dark: bool | None = None,
    **kwargs: Any,
) -> Drawing:
    """Draw a model and save the picture.

    No program and no package beside Ramify is needed for SVG and PDF. For PNG, resvg-py is
    (``pip install 'ramify[png]'``); without it the picture is saved as SVG beside, and a warning says so.

    Args:
        model: the model; or the error that a call on symbolic tensors raised while one was being built: then the
            picture shows all that led to the call.
        to_file: the file, ending in ``.svg``, ``.pdf`` or ``.png``; or in ``.html``, for the explorer, in which nested
            models and repeated blocks open and close; ``None`` to save nothing.
        show_shapes: whether outputs show their shapes (``B`` is the batch).
        show_dtype: whether outputs show their dtypes.
        show_layer_names: whether cards show the names of the layers; inputs and models always do.
        rankdir: where edges lead to: ``"TB"`` down, ``"BT"`` up, ``"LR"`` right, ``"RL"`` left.
        expand_nested: whether models in the model show what is in them.
        dpi: pixels per inch of a PNG.
        show_layer_activations: whether cards show activations.
        show_trainable: whether cards with weights say if training changes them.
        splines: accepted for Keras's sake; edges are straight where they can be, with rounded turns elsewhere.
        from_: name of a layer, or several: draw only it and what depends on it.
        to: name of a layer, or several: draw only it and what it depends on.
        focus: name of a model in the model, to draw what is in it; or of a layer, to draw it and its neighbours.
        depth: how many models deep to show what is in them, instead of `expand_nested`.
        fold: whether blocks in a row that are built alike become one, marked ``× 12``; when not given, in pictures of
            more than 60 cards.
        wrap: whether what is much longer than wide is cut into columns.
        dark: whether PDF and PNG are dark, and SVG is so for every reader; when not given, SVG is as the reader
            prefers, the others are light.
        **kwargs: nothing else is accepted.

    Returns:
        The drawing, which shows itself in a notebook.

    Raises:
        ArgumentError: an unknown argument, direction, ending of the file's name or name of a layer.
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
    if to_file is not None and FilePath(to_file).suffix.lower() == ".html":
        expand_nested, fold = True, fold is not False
    picture = shown_picture(model, expand_nested, from_, to, focus, depth, fold)
    drawing = Drawing(picture, look, rankdir, wrap=wrap, dark=dark)
    if to_file is None:
        return drawing
    try:
        drawing.save(to_file, dpi)
    except PNGError as error:
        beside = FilePath(to_file).with_suffix(".svg")
        drawing.save(beside)
        warnings.warn(f"{error} The picture was saved as '{beside}' for now.", stacklevel=2)
    return drawing


def shown_picture(
    model: Any,
    expand_nested: bool = False,
    from_: str | Sequence[str] | None = None,
    to: str | Sequence[str] | None = None,
    focus: str | None = None,
    depth: int | None = None,
    fold: bool | None = None,
) -> Picture:
    """The picture that `plot_model` draws; its arguments say what is in it."""
    picture = picture_of(model, expand_nested or focus is not None, depth=None if focus is not None else depth)
    if from_ is not None or to is not None or focus is not None:
        part_of(picture, from_, to, focus)
    if focus is not None and not (expand_nested and depth is None):
        close(picture, depth or 0)
    if fold or (fold is None and len(picture.cards) > _MANY):
        folded(picture)
    return picture
