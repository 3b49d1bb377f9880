"""Building: when a layer makes its weights, and for which shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from ramify.dtype_policies import DTypePolicyMap
from ramify.graph import SymbolicTensor, paused, visible_shape
from ramify.graph.structure import map_leaves
from ramify.layers.state import state
from ramify.scopes import current

if TYPE_CHECKING:
    from ramify.layers.layer import Layer


def building(build: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `build`: real weights even inside a probe, a path for their names, and `built` at the end."""

    @functools.wraps(build)
    def wrapper(self: Layer, *args: Any, **kwargs: Any) -> None:
        own = self.__dict__
        if own.get("_is_building"):  # `super().build(...)` inside a `build`
            build(self, *args, **kwargs)
            return
        names = self._signature.build_names
        shapes = {**dict(zip(names, args, strict=False)), **kwargs}
        settle_policy(self)
        outer = state.scope
        own["_is_building"] = True
        try:
            with paused(), torch.enable_grad():
                state.scope = (*(outer or current.names), self.name)
                build(self, *args, **kwargs)
        finally:
            state.scope = outer
            del own["_is_building"]
        self._register_loose_weights()
        own["_build_shapes"] = shapes
        own["built"] = True

    return wrapper


def settle_policy(layer: Layer) -> None:
    """Take the layer's own policy from a `DTypePolicyMap`, now that its path is known."""
    policies = layer.dtype_policy
    if isinstance(policies, DTypePolicyMap):
        layer.__dict__["_policy_map"] = policies
        layer.dtype_policy = policies["/".join((*(state.scope or current.names), layer.name))]


def build_for(layer: Layer, bound: dict[str, Any]) -> None:
    """Build a layer for the arguments of a call."""
    names = layer._signature.build_names
    if not names:
        layer.build_here({})
        return
    if len(names) == 1:
        layer.build_here({names[0]: shapes_of(next(iter(bound.values()), None))})
        return
    by_name = {}
    for name in names:
        value = bound.get(name.removesuffix("_shape"))
        by_name[name] = None if value is None else shapes_of(value)
    layer.build_here(by_name)


def shapes_of(value: Any) -> Any:
    """The shapes of nested tensors, ``None`` for unknown sizes."""

    def one(leaf: Any) -> Any:
        if isinstance(leaf, SymbolicTensor):
            return leaf.shape
        return visible_shape(leaf.shape) if isinstance(leaf, torch.Tensor) else None

    return map_leaves(one, value)
