"""Loss scaling for float16, whose small gradients would become zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.base import Optimizer, Tensors
from ramify.optimizers.scalar import HostScalar


@registry.serializable("keras.optimizers", "lossscaleoptimizer")
class LossScaleOptimizer(Optimizer):
    """Scales the loss up and the gradients down again, by a factor that finds itself.

    A step whose gradients are not all finite is left out, and halves the factor; after `dynamic_growth_steps` good ones
    it is doubled. Whether they are finite is asked of the device at each step, as torch's own gradient scaler does.

    Args:
        inner_optimizer: the optimizer that takes the steps.
        initial_scale: the factor to begin with; high, since it falls faster than it rises.
        dynamic_growth_steps: good steps after which the factor is doubled.
        name: as in `Optimizer`.
        **kwargs: none of the others may be set here; set them on the inner optimizer.

    Raises:
        ArgumentError: an argument that belongs to the inner optimizer.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not kwargs.pop("dynamic", True):
            raise ArgumentError("LossScaleOptimizer is always dynamic. For a fixed factor set loss_scale_factor.")
        given = [key for key, value in kwargs.items() if value not in (None, False) and key != "ema_momentum"]
        if given:
            raise ArgumentError(f"LossScaleOptimizer does not take {', '.join(given)}. Set it on the inner optimizer.")
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        self.step_counter = HostScalar(0, "step_counter", f"{self.name}/step_counter", "int32")
        self.dynamic_scale = HostScalar(initial_scale, "dynamic_scale", f"{self.name}/dynamic_scale")

    def create_state(self, variables: Tensors) -> None:
        """Build the inner optimizer, and add the factor and the count of good steps."""
        self._state += [self.step_counter, self.dynamic_scale]
        self.inner_optimizer.extend(variables)

    @property
    def variables(self) -> list[Any]:
        """Those of this optimizer, then those of the inner one."""
        return super().variables + self.inner_optimizer.variables

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self) -> HostScalar:
        """Steps of the inner optimizer: those that were not left out."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: torch.Tensor) -> torch.Tensor:
        """The loss times the factor; take gradients of this."""
        scale = self.dynamic_scale.number if self.built else self.initial_scale
        return self.inner_optimizer.scale_loss(loss * scale)

    @torch.no_grad()
    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[torch.Tensor] | None = None) -> None:
        """Divide gradients by the factor and let the inner optimizer take the step, if they are finite.

        Args:
            grads: gradients of the scaled loss.
            trainable_variables: as in `Optimizer.apply`.
        """
        if not self.built and trainable_variables is not None:
            self.build(trainable_variables)
        present = [grad for grad in grads if grad is not None]
        if present and not bool(torch.stack([torch.isfinite(g).all() for g in present]).all()):
            self.step_counter.assign(0)
            self.dynamic_scale.assign(self.dynamic_scale.number * 0.5)
            return
        scale = self.dynamic_scale.number
        self.inner_optimizer.apply([None if g is None else g / scale for g in grads], trainable_variables)
        self.step_counter.assign(self.step_counter.number + 1)
        if self.step_counter.number >= self.dynamic_growth_steps:
            self.step_counter.assign(0)
            self.dynamic_scale.assign(scale * 2.0)

    def finalize_variable_values(self, var_list: Sequence[torch.Tensor]) -> None:
        """As the inner optimizer does."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            "name": self.name,
            "inner_optimizer": registry.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The optimizer that `get_config` described."""
        config = dict(config)
        config["inner_optimizer"] = deserialize_inner(config["inner_optimizer"], custom_objects)
        return cls(**config)


def deserialize_inner(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """An optimizer inside another's config. Keras writes some of its own under the module of its backend."""
    if isinstance(config, Mapping) and str(config.get("module") or "keras").split(".")[0] == "keras":
        config = {"class_name": config["class_name"], "config": config.get("config") or {}}
    return registry.deserialize(config, "keras.optimizers", custom_objects, what="optimizer")
