"""The scale and the offset that normalizing layers learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ramify.layers.arguments import settle
from ramify.layers.layer import Layer


class Affine(Layer):
    """Base of layers with a learned `gamma` (scale) and `beta` (offset), each of which may be left out.

    Args:
        arguments: the constructor's own arguments, by their names.
        further: the rest, for `Layer`.
    """

    center: bool
    scale: bool
    epsilon: float
    gamma: Any
    beta: Any

    def __init__(self, arguments: Mapping[str, Any], further: Mapping[str, Any]) -> None:
        super().__init__(**further)
        settle(self, arguments)
        self.supports_masking = True

    def add_affine(self, shape: Any, *, scale: bool, center: bool, autocast: bool = True) -> None:
        """Make the weights that are wanted."""
        self.gamma = self.add_weight_of("gamma", shape, autocast=autocast) if scale else None
        self.beta = self.add_weight_of("beta", shape, autocast=autocast) if center else None
        self._shape = tuple(shape)

    def affine_for(self, x: torch.Tensor) -> tuple[Any, Any]:
        """`gamma` and `beta` as torch's kernels take them best: on the CPU, moments are kept in the weights' dtype."""
        gamma, beta = self.gamma, self.beta
        if not x.is_cpu or x.dtype not in (torch.float16, torch.bfloat16):
            return gamma, beta
        gamma = torch.ones(self._shape, device=x.device) if gamma is None else gamma.float()
        return gamma, None if beta is None else beta.float()
