"""PNG from a display list, by the optional package resvg-py."""

from __future__ import annotations

import importlib.util
from pathlib import Path as FilePath
from typing import Any

from ramify.errors import RamifyError
from ramify.visualize.display import DisplayList
from ramify.visualize.svg import svg

_CSS_DPI = 96.0
_MOST = 16_000  # pixels along one side; larger images open hardly anywhere
_AREA = 120_000_000
# What stands for "sans-serif", most wanted first: resvg itself knows only Arial, which many systems have not.
_FAMILIES = (
    "Arial",
    "Helvetica Neue",
    "Segoe UI",
    "Liberation Sans",
    "DejaVu Sans",
    "Noto Sans",
    "Roboto",
    "Ubuntu",
    "FreeSans",
)
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text y="15" font-size="14" font-family="sans-serif">{}</text></svg>'
)


class PNGError(RamifyError, ImportError):
    """A PNG that cannot be made here."""


def png(drawing: DisplayList, dpi: float = 200, dark: bool = False) -> bytes:
    """A PNG image.

    Args:
        drawing: what to write.
        dpi: pixels per inch; 96 gives a pixel per CSS pixel. Less where the image would be too large to open.
        dark: whether it is dark.

    Raises:
        PNGError: resvg-py is not installed, or there is no font to write with.
    """
    try:
        import resvg_py
    except ImportError:
        raise PNGError(
            "PNG pictures need the package resvg-py, which is not installed. Run `pip install 'ramify[png]'`, "
            "or save the picture as .svg or .pdf, which need nothing."
        ) from None
    zoom = dpi / _CSS_DPI
    zoom = min(zoom, _MOST / max(drawing.width, drawing.height), (_AREA / (drawing.width * drawing.height)) ** 0.5)
    return bytes(resvg_py.svg_to_bytes(svg_string=svg(drawing, dark=dark), zoom=zoom, **_fonts(resvg_py)))


def _fonts(resvg: Any) -> dict[str, Any]:
    """What resvg must be told of fonts: the name of a family that is there, or those that matplotlib brings along.

    Text in a font that is not found is left out without a word, so each is tried on a letter.
    """
    tries: list[dict[str, Any]] = [{"sans_serif_family": family} for family in _FAMILIES]
    found = importlib.util.find_spec("matplotlib")
    if found is not None and found.origin:
        folder = FilePath(found.origin).parent / "mpl-data" / "fonts" / "ttf"
        if folder.is_dir():
            tries.append({"font_dirs": [str(folder)], "sans_serif_family": "DejaVu Sans"})
    for fonts in tries:
        if _writes(resvg, fonts):
            return fonts
    raise PNGError(
        "There is no font on this machine, so a PNG picture would have no words. Install one "
        "(for example `apt-get install fonts-dejavu`), or save the picture as .svg or .pdf."
    )


def _writes(resvg: Any, fonts: dict[str, Any]) -> bool:
    return bytes(resvg.svg_to_bytes(svg_string=_PROBE.format("M"), **fonts)) != bytes(
        resvg.svg_to_bytes(svg_string=_PROBE.format(""), **fonts)
    )
