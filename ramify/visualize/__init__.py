"""Looking at models: `summary` in a terminal, `plot_model` as a picture; neither needs a system program.

A model becomes a `Picture` (cards, ports, containers), a layout gives it places, a drawing turns both into one display
list, and SVG, PDF and PNG are written from that.
"""

from ramify.visualize.dot import DotError, model_to_dot
from ramify.visualize.plot import Drawing, plot_model
from ramify.visualize.png import PNGError
from ramify.visualize.summary import summary
from ramify.visualize.viewer import Viewer

__all__ = ["DotError", "Drawing", "PNGError", "Viewer", "model_to_dot", "plot_model", "summary"]
