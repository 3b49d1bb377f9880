"""`TimeDistributed`: a layer at every time step."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ShapeError
from ramify.graph.structure import map_leaves
from ramify.layers.core.wrapper import Wrapper
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class TimeDistributed(Wrapper):
    """The same layer, with the same weights, at every step of the second axis.

    All steps run at once, as one batch.

    Args:
        layer: the layer for one step.

    Shapes:
        ``(batch, time, ...)`` -> ``(batch, time, ...)``, as the layer maps ``(batch, ...)``.

    Example:

    >>> import ramify
    >>> frames = ramify.Input(shape=(10, 32, 32, 3))
    >>> TimeDistributed(ramify.layers.Dense(4))(frames).shape
    (None, 10, 32, 32, 4)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        self.makes_mask = False
        self.input_spec = InputSpec(min_ndim=3)

    def build(self, input_shape: Any = None) -> None:
        """Build the layer for one step."""
        shape = tuple(input_shape)
        if len(shape) < 3:
            raise ShapeError(
                f"{self.describe()} needs a batch axis, a time axis and at least one more, but received shape {shape}. "
                "Call the layer inside directly, or add the missing axis."
            )
        if not self.layer.built:
            names = self.layer._signature.build_names  # noqa: SLF001 - a layer is built as `Layer` builds itself
            self.layer.build_here({names[0]: (shape[0], *shape[2:])} if names else {})
            self.layer.built = True

    def call(self, inputs: torch.Tensor, training: bool | None = None, mask: torch.Tensor | None = None) -> Any:
        """All steps as one batch through the layer.

        Args:
            inputs: ``(batch, time, ...)``.
            training: passed on to the layer.
            mask: boolean ``(batch, time)`` or with more axes; passed on to the layer, each step's own, if it takes one.
        """
        batch, time = inputs.shape[:2]
        options: dict[str, Any] = {}
        names = self.layer._signature.names  # noqa: SLF001
        if "training" in names:
            options["training"] = training
        if mask is not None and "mask" in names:
            options["mask"] = mask.flatten(0, 1)
        outputs = self.layer(inputs.flatten(0, 1), **options)
        return map_leaves(lambda x: x.unflatten(0, (batch, time)) if isinstance(x, torch.Tensor) else x, outputs)
