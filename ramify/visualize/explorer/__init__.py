"""The explorer: a model as one HTML file in which one can look around, that asks nothing of anyone."""

from ramify.visualize.explorer.page import explorer_page, framed

__all__ = ["explorer_page", "framed"]
