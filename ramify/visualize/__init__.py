"""Looking at models: `summary` in a terminal, `plot_model` as a picture; neither needs a system program.

A model becomes a `Picture` (cards, ports, containers), a layout gives it places, a drawing turns both into one display
list, and SVG, PDF and PNG are written from that.
"""

from typing import TYPE_CHECKING

from ramify.lazy import attributes, lazy
from ramify.visualize.summary import summary
from ramify.visualize.viewer import Viewer

if TYPE_CHECKING:
    from ramify.visualize.plot import Drawing, plot_model
    from ramify.visualize.png import PNGError

_plot = lazy("ramify.visualize.plot")
__getattr__ = attributes(__name__, {"Drawing": _plot, "plot_model": _plot, "PNGError": lazy("ramify.visualize.png")})

__all__ = ["Drawing", "PNGError", "Viewer", "plot_model", "summary"]
