"""Looking at models: `summary` in a terminal, `plot_model` as a picture, the explorer; none needs a system program.

A model becomes a `Picture` (cards, ports, containers), a layout gives it places, a drawing turns both into one display
list, and SVG, PDF and PNG are written from that. The explorer gets the same picture and places as data. `profile`
measures calls, `activations` and `filters` show what is in layers, `diff` compares models, `outline` tells it.
"""

import typing

from ramify.lazy import attributes as _attributes
from ramify.lazy import lazy as _lazy
from ramify.visualize.summary import summary
from ramify.visualize.viewer import Viewer

if typing.TYPE_CHECKING:
    from ramify.visualize.difference import Change, Difference, diff
    from ramify.visualize.dot import DotError, model_to_dot
    from ramify.visualize.exploration import Exploration, explore
    from ramify.visualize.grids import Activations, ImageGrid, activations, filters
    from ramify.visualize.outlining import outline
    from ramify.visualize.plot import Drawing, plot_model
    from ramify.visualize.png import PNGError
    from ramify.visualize.profiling import Profile, profile

_difference, _dot = _lazy("ramify.visualize.difference"), _lazy("ramify.visualize.dot")
_exploration, _grids = _lazy("ramify.visualize.exploration"), _lazy("ramify.visualize.grids")
_outlining, _plot = _lazy("ramify.visualize.outlining"), _lazy("ramify.visualize.plot")
_png, _profiling = _lazy("ramify.visualize.png"), _lazy("ramify.visualize.profiling")
__getattr__ = _attributes(
    __name__,
    {
        **dict.fromkeys(("Change", "Difference", "diff"), _difference),
        **dict.fromkeys(("DotError", "model_to_dot"), _dot),
        **dict.fromkeys(("Exploration", "explore"), _exploration),
        **dict.fromkeys(("Activations", "ImageGrid", "activations", "filters"), _grids),
        **dict.fromkeys(("Drawing", "plot_model"), _plot),
        **dict.fromkeys(("Profile", "profile"), _profiling),
        "outline": _outlining,
        "PNGError": _png,
    },
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
