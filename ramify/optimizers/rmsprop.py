"""RMSprop."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.optimizers.listed import ListOptimizer, Tensors


@registry.serializable("keras.optimizers", "rmsprop")
class RMSprop(ListOptimizer):
    """Steps along the gradient, each number divided by the root of the running mean of its squares.

    Hinton 2012, lecture 6e of "Neural Networks for Machine Learning".

    Args:
        learning_rate: as in `Optimizer`.
        rho: share of the old mean that each step keeps.
        momentum: share of the last step that goes on.
        epsilon: is added to the mean of squares.
        centered: divide by the root of the variance instead.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> RMSprop(0.1).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.6838])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-07,
        centered: bool = False,
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
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def add_state(self, variables: Tensors) -> None:
        """Add the means of squares, and what momentum and centering need."""
        self._velocities: Tensors = self.add_optimizer_variables(variables, "velocity")
        self._momentums: Tensors = self.add_optimizer_variables(variables, "momentum") if self.momentum > 0 else []
        self._average_gradients: Tensors = (
            self.add_optimizer_variables(variables, "average_gradient") if self.centered else []
        )

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        velocities = self._pick(self._velocities, index)
        torch._foreach_mul_(velocities, self.rho)
        torch._foreach_addcmul_(velocities, grads, grads, 1.0 - self.rho)
        if self.centered:
            means = self._pick(self._average_gradients, index)
            torch._foreach_lerp_(means, grads, 1.0 - self.rho)
            divisors = torch._foreach_addcmul(velocities, means, means, -1.0)
            torch._foreach_add_(divisors, self.epsilon)
        else:
            divisors = torch._foreach_add(velocities, self.epsilon)
        torch._foreach_sqrt_(divisors)
        if self.momentum > 0:
            momentums = self._pick(self._momentums, index)
            torch._foreach_mul_(momentums, self.momentum)
            torch._foreach_addcdiv_(momentums, grads, divisors, learning_rate)
            torch._foreach_sub_(variables, momentums)
        else:
            torch._foreach_addcdiv_(variables, grads, divisors, -learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
