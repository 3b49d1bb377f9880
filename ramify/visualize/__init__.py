"""Looking at models: `summary` in a terminal, `plot_model` as a picture; neither needs a system program.

A model becomes a `Picture` (cards, ports, containers), a layout gives it places, a drawing turns both into one display
list, and SVG, PDF and PNG are written from that.
"""

import typing

from ramify.lazy import attributes as _attributes
from ramify.lazy import lazy as _lazy
from ramify.visualize.summary import summary
from ramify.visualize.viewer import Viewer

if typing.TYPE_CHECKING:
    from ramify.visualize.plot import Drawing, plot_model
    from ramify.visualize.png import PNGError

_plot = _lazy("ramify.visualize.plot")
__getattr__ = _attributes(__name__, {"Drawing": _plot, "plot_model": _plot, "PNGError": _lazy("ramify.visualize.png")})

__all__ = ["Drawing", "PNGError", "Viewer", "plot_model", "summary"]
