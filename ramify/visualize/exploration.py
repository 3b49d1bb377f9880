"""`explore`: a model's explorer as a file or in a notebook."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ramify.errors import ArgumentError
from ramify.visualize.explorer import explorer_page, framed
from ramify.visualize.explorer.data import Metric
from ramify.visualize.picture import Picture
from ramify.visualize.plot import shown_picture


class Exploration:
    """A page in which a model can be explored; shows itself in notebooks.

    Attributes:
        name: the model's name.
        html: the page.
        path: the file that it was written to.
    """

    def __init__(self, name: str, html: str, path: Path | None = None) -> None:
        self.name, self.html, self.path = name, html, path

    def save(self, path: str | Path) -> Path:
        """Write the page to a file that ends in ``.html``.

        Raises:
            ArgumentError: another ending.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ArgumentError(f"The explorer is a page, but the file is '{path.name}'. Let its name end in .html.")
        path.write_text(self.html, encoding="utf-8")
        self.path = path
        return path

    def _repr_html_(self) -> str:
        return framed(self.html)

    def __repr__(self) -> str:
        where = f", saved as {str(self.path)!r}" if self.path else ""
        return f"<Exploration of {self.name!r}{where}>"


Numbers = Mapping[str, Mapping[str, float]]


def explore(
    model: Any, path: str | Path | None = None, open_browser: bool = False, numbers: Numbers | None = None
) -> Exploration:
    """A model's explorer; see `Model.explore`."""
    if open_browser and path is None:
        raise ArgumentError("A browser shows files: give `path` a name that ends in .html.")
    picture = shown_picture(model, expand_nested=True, fold=True)
    metrics, values = _measured(picture, numbers or {})
    exploration = Exploration(picture.name, explorer_page(picture, metrics, values))
    if path is not None:
        exploration.save(path)
        if open_browser:
            webbrowser.open(Path(path).resolve().as_uri())
    return exploration


def _measured(picture: Picture, numbers: Numbers) -> tuple[list[Metric], dict[int, dict[str, float]]]:
    """A reader's own numbers, given for names or paths of layers, as those of items."""
    values: dict[int, dict[str, float]] = {}
    for label, of_layers in numbers.items():
        unknown = set(of_layers)
        for item in picture.walk():
            name = item.path if item.path in of_layers else item.name
            if name in of_layers:
                unknown -= {item.path, item.name}
                values.setdefault(item.index, {})[_key(label)] = float(of_layers[name])
        if unknown:
            raise ArgumentError(
                f"numbers[{label!r}] names {', '.join(map(repr, sorted(unknown)))}, which no layer of '{picture.name}' "
                "is called. Give names of layers, or paths such as 'encoder/dense'."
            )
    return [Metric(_key(label), label, "count") for label in numbers], values


def _key(label: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in label.lower())


def below(model: Any) -> str:
    """The explorer folded away, to stand below a model's drawing in a notebook."""
    page = explorer_page(shown_picture(model, expand_nested=True, fold=True))
    return f"<details><summary>Explore</summary>{framed(page)}</details>"
