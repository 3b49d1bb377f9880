"""PNG from a display list, by the optional package resvg-py, in a font that we bring along."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from ramify.errors import RamifyError
from ramify.visualize.display import DisplayList
from ramify.visualize.svg import svg

_CSS_DPI = 96.0
_MOST = 16_000  # pixels along one side; larger images open hardly anywhere
_AREA = 120_000_000
_FONTS = sorted(str(path) for path in (FilePath(__file__).parent / "fonts").glob("*.ttf"))


class PNGError(RamifyError, ImportError):
    """A PNG that cannot be made here."""


def png(drawing: DisplayList, dpi: float = 200, dark: bool = False) -> bytes:
    """A PNG image.

    Args:
        drawing: what to write.
        dpi: pixels per inch; 96 gives a pixel per CSS pixel. Less where the image would be too large to open.
        dark: whether it is dark.

    Raises:
        PNGError: resvg-py is not installed.
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
    # Scripts that our font lacks are written in what the system has.
    fonts: Any = {"font_files": _FONTS, "font_family": "Arimo", "sans_serif_family": "Arimo"}
    return bytes(resvg_py.svg_to_bytes(svg_string=svg(drawing, dark=dark), zoom=zoom, **fonts))
