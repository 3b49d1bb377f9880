"""Adam and AdamW."""

from __future__ import annotations

import math
from typing import Any

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.listed import ListOptimizer, Tensors
from ramify.optimizers.scalar import bias


@registry.serializable("keras.optimizers", "adam")
class Adam(ListOptimizer):
    """Steps along the mean of the gradients, each number divided by the root of the mean of its squares.

    Kingma and Ba 2014, https://arxiv.org/abs/1412.6980; `epsilon` is "epsilon hat" of the formula before section 2.1:
    ``w = w - rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)``.

    Args:
        learning_rate: as in `Optimizer`.
        beta_1: share of the old mean that each step keeps.
        beta_2: share of the old mean of squares that each step keeps.
        epsilon: keeps the division finite.
        amsgrad: divide by the largest mean of squares so far.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Adam(0.5).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.5000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
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
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def add_state(self, variables: Tensors) -> None:
        """Add the means, and the largest means of squares for `amsgrad`."""
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._velocity_hats: Tensors = self.add_optimizer_variables(variables, "velocity_hat") if self.amsgrad else []

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place: one fused kernel, or a few that go over the lists."""
        t = self.step_number
        rate = learning_rate * math.sqrt(bias(self.beta_2, t)) / bias(self.beta_1, t)
        momentums, velocities = self._pick(self._momentums, index), self._pick(self._velocities, index)
        hats = self._pick(self._velocity_hats, index) if self.amsgrad else []
        if self.fusable(variables, index):
            torch._fused_adam_(
                variables,
                grads,
                momentums,
                velocities,
                hats,
                self._far_steps(variables),
                lr=rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                weight_decay=0.0,
                eps=self.epsilon,
                amsgrad=self.amsgrad,
                maximize=False,
            )
            return
        torch._foreach_lerp_(momentums, grads, 1.0 - self.beta_1)
        torch._foreach_mul_(velocities, self.beta_2)
        torch._foreach_addcmul_(velocities, grads, grads, 1.0 - self.beta_2)
        if self.amsgrad:
            torch._foreach_maximum_(hats, velocities)
        divisors = torch._foreach_sqrt(hats if self.amsgrad else velocities)
        torch._foreach_add_(divisors, self.epsilon)
        torch._foreach_addcdiv_(variables, momentums, divisors, -rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


@registry.serializable("keras.optimizers", "adamw")
class AdamW(Adam):
    """Adam with weight decay beside the gradient, not in it.

    Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101.

    Args:
        learning_rate: as in `Optimizer`.
        weight_decay: share of a weight, times the learning rate, that every step takes away; not ``None``.
        beta_1: as in `Adam`, and so are `beta_2`, `epsilon` and `amsgrad`.
        clipnorm: as in `Optimizer`, and so are the rest.

    Raises:
        ArgumentError: no weight decay.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> AdamW(0.1, weight_decay=0.5).apply([torch.zeros(1)], [weight])
    >>> weight.detach()
    tensor([0.9500])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
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
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
        if weight_decay is None:
            raise ArgumentError("AdamW needs a weight_decay: pass a number, or use Adam.")
