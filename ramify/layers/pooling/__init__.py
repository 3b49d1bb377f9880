"""Pooling: summaries of windows, and of whole inputs."""

# ruff: noqa: F403 - the lists of the modules are the list
from ramify.layers.pooling import adaptive, sliding, whole
from ramify.layers.pooling.adaptive import *
from ramify.layers.pooling.sliding import *
from ramify.layers.pooling.whole import *

__all__: list[str] = []
__all__ += adaptive.__all__
__all__ += sliding.__all__
__all__ += whole.__all__
