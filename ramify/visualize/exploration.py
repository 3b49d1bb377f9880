"""`explore`: a model's explorer as a file or in a notebook."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

from ramify.errors import ArgumentError
from ramify.visualize.explorer import explorer_page, framed
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


def explore(model: Any, path: str | Path | None = None, open_browser: bool = False) -> Exploration:
    """A model's explorer; see `Model.explore`."""
    if open_browser and path is None:
        raise ArgumentError("A browser shows files: give `path` a name that ends in .html.")
    picture = shown_picture(model, expand_nested=True, fold=True)
    exploration = Exploration(picture.name, explorer_page(picture))
    if path is not None:
        exploration.save(path)
        if open_browser:
            webbrowser.open(Path(path).resolve().as_uri())
    return exploration


def below(model: Any) -> str:
    """The explorer folded away, to stand below a model's drawing in a notebook."""
    page = explorer_page(shown_picture(model, expand_nested=True, fold=True))
    return f"<details><summary>Explore</summary>{framed(page)}</details>"
