"""Looking at models: `summary` in a terminal, `plot_model` as a picture, the explorer; none needs a system program.

A model becomes a `Picture` (cards, ports, containers), a layout gives it places, a drawing turns both into one display
list, and SVG, PDF and PNG are written from that. The explorer gets the same picture and places as data. `profile`
measures calls, `activations` and `filters` show what is in layers, `diff` compares models, `outline` tells it.
"""

from typing import TYPE_CHECKING

from ramify.lazy import attributes, lazy
from ramify.visualize.summary import summary
from ramify.visualize.viewer import Viewer

if TYPE_CHECKING:
    from ramify.visualize.difference import Change, Difference, diff
    from ramify.visualize.dot import DotError, model_to_dot
    from ramify.visualize.exploration import Exploration, explore
    from ramify.visualize.grids import Activations, ImageGrid, activations, filters
    from ramify.visualize.outlining import outline
    from ramify.visualize.plot import Drawing, plot_model
    from ramify.visualize.png import PNGError
    from ramify.visualize.profiling import Profile, profile

_HOMES = {
    "difference": ("Change", "Difference", "diff"),
    "dot": ("DotError", "model_to_dot"),
    "exploration": ("Exploration", "explore"),
    "grids": ("Activations", "ImageGrid", "activations", "filters"),
    "outlining": ("outline",),
    "plot": ("Drawing", "plot_model"),
    "png": ("PNGError",),
    "profiling": ("Profile", "profile"),
}
__getattr__ = attributes(
    __name__, {name: lazy(f"{__name__}.{home}") for home, names in _HOMES.items() for name in names}
)

__all__ = [
    "Activations",
    "Change",
    "Difference",
    "DotError",
    "Drawing",
    "Exploration",
    "ImageGrid",
    "PNGError",
    "Profile",
    "Viewer",
    "activations",
    "diff",
    "explore",
    "filters",
    "model_to_dot",
    "outline",
    "plot_model",
    "profile",
    "summary",
]
