"""Gradient descent, with momentum if wanted."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.listed import ListOptimizer, Tensors


@registry.serializable("keras.optimizers", "sgd")
class SGD(ListOptimizer):
    """Gradient descent: ``w = w - rate * g``; with momentum ``v = momentum * v - rate * g; w = w + v``.

    With `nesterov` the step is ``w = w + momentum * v - rate * g``, `v` being the new one.

    Args:
        learning_rate: as in `Optimizer`.
        momentum: share of the last step that goes on, in ``[0, 1]``.
        nesterov: look ahead along the momentum.
        weight_decay: as in `Optimizer`, and so are the rest.

    Raises:
        ArgumentError: a momentum out of range.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> SGD(0.5).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.5000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"momentum must lie in [0, 1], but is {momentum}.")
        self.momentum, self.nesterov = momentum, nesterov

    def add_state(self, variables: Tensors) -> None:
        """Add the velocities, if there is momentum."""
        self._momentums: Tensors = self.add_optimizer_variables(variables, "momentum") if self.momentum else []

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        if not self.momentum:
            torch._foreach_add_(variables, grads, alpha=-learning_rate)
            return
        velocities = self._pick(self._momentums, index)
        if not self.nesterov and self.fusable(variables, index):
            # v = momentum v + (1 - dampening) g; w = w - lr v: Keras's formula, with these two.
            torch._fused_sgd_(
                variables,
                grads,
                velocities,
                lr=-1.0,
                momentum=self.momentum,
                weight_decay=0.0,
                dampening=1.0 + learning_rate,
                nesterov=False,
                maximize=False,
                is_first_step=False,
            )
            return
        torch._foreach_mul_(velocities, self.momentum)
        torch._foreach_add_(velocities, grads, alpha=-learning_rate)
        if self.nesterov:
            torch._foreach_add_(variables, velocities, alpha=self.momentum)
            torch._foreach_add_(variables, grads, alpha=-learning_rate)
        else:
            torch._foreach_add_(variables, velocities)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {"momentum": self.momentum, "nesterov": self.nesterov}
