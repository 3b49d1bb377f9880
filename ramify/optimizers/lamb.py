"""Lamb."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.optimizers.listed import ListOptimizer, Tensors
from ramify.optimizers.scalar import bias


@registry.serializable("keras.optimizers", "lamb")
class Lamb(ListOptimizer):
    """Adam whose step, for each variable, is as long as the variable times the rate.

    You et al. 2019, https://arxiv.org/abs/1904.00962.

    Args:
        learning_rate: as in `Optimizer`.
        beta_1: share of the old mean that each step keeps.
        beta_2: share of the old mean of squares that each step keeps.
        epsilon: keeps the division finite.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Lamb(0.1).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.9000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
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
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def add_state(self, variables: Tensors) -> None:
        """Add the means."""
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        t = self.step_number
        momentums, velocities = self._pick(self._momentums, index), self._pick(self._velocities, index)
        torch._foreach_lerp_(momentums, grads, 1.0 - self.beta_1)
        torch._foreach_mul_(velocities, self.beta_2)
        torch._foreach_addcmul_(velocities, grads, grads, 1.0 - self.beta_2)
        divisors = torch._foreach_div(velocities, bias(self.beta_2, t))
        torch._foreach_sqrt_(divisors)
        torch._foreach_add_(divisors, self.epsilon)
        steps = torch._foreach_div(momentums, bias(self.beta_1, t))
        torch._foreach_div_(steps, divisors)
        lengths = zip(torch._foreach_norm(variables), torch._foreach_norm(steps), strict=True)
        ratios = [torch.where((w > 0) & (s > 0), w / s, 1.0) for w, s in lengths]
        torch._foreach_mul_(steps, ratios)
        torch._foreach_add_(variables, steps, alpha=-learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
