"""Schedule-free AdamW: an average in place of a schedule."""

from __future__ import annotations

import math
from typing import Any

import torch

from ramify import registry
from ramify.optimizers.listed import ListOptimizer, Tensors
from ramify.optimizers.scalar import bias


@registry.serializable("keras.optimizers", "schedulefreeadamw")
class ScheduleFreeAdamW(ListOptimizer):
    """AdamW steps of one sequence `z`, while the weights are the mean of all `z` so far; needs no schedule.

    After Defazio et al. 2024, https://arxiv.org/abs/2405.15682; as in Keras, gradients are taken at the mean itself.

    Args:
        learning_rate: as in `Optimizer`.
        beta_1: taken for Keras's sake, whose steps do not depend on it either.
        beta_2: share of the old mean of squares that each step keeps.
        epsilon: keeps the division finite.
        warmup_steps: steps in which the rate rises from 0.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> ScheduleFreeAdamW(0.1).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.9000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        warmup_steps: int = 0,
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
        self.beta_1, self.beta_2, self.epsilon, self.warmup_steps = beta_1, beta_2, epsilon, warmup_steps

    def add_state(self, variables: Tensors) -> None:
        """Add the sequence `z`, which starts from the variables, and the means of squares."""
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        with torch.no_grad():
            torch._foreach_copy_(self._momentums, variables)

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        t = self.step_number
        rate = learning_rate * (min(1.0, t / self.warmup_steps) if self.warmup_steps else 1.0)
        sequence, velocities = self._pick(self._momentums, index), self._pick(self._velocities, index)
        torch._foreach_mul_(velocities, self.beta_2)
        torch._foreach_addcmul_(velocities, grads, grads, 1.0 - self.beta_2)
        divisors = torch._foreach_sqrt(velocities)
        torch._foreach_div_(divisors, math.sqrt(bias(self.beta_2, t)))
        torch._foreach_add_(divisors, self.epsilon)
        torch._foreach_addcdiv_(sequence, grads, divisors, -rate)
        torch._foreach_lerp_(variables, sequence, 1.0 / t)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
