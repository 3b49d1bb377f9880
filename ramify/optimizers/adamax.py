"""Relatives of Adam: Adamax with the largest gradient, Nadam with Nesterov's look ahead."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.optimizers.listed import ListOptimizer, Tensors
from ramify.optimizers.scalar import HostScalar, bias


@registry.serializable("keras.optimizers", "adamax")
class Adamax(ListOptimizer):
    """Adam with the largest gradient so far, which slowly fades, in place of the root mean square.

    Kingma and Ba 2014, https://arxiv.org/abs/1412.6980, section 7.1.

    Args:
        learning_rate: as in `Optimizer`.
        beta_1: share of the old mean that each step keeps.
        beta_2: share of the old largest gradient that each step keeps.
        epsilon: keeps the division finite.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Adamax(0.1).apply([torch.ones(1)], [weight])
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
        """Add the means and the largest gradients."""
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        means, largest = self._pick(self._m, index), self._pick(self._u, index)
        torch._foreach_lerp_(means, grads, 1.0 - self.beta_1)
        torch._foreach_mul_(largest, self.beta_2)
        torch._foreach_maximum_(largest, torch._foreach_abs(grads))
        divisors = torch._foreach_add(largest, self.epsilon)
        rate = learning_rate / bias(self.beta_1, self.step_number)
        torch._foreach_addcdiv_(variables, means, divisors, -rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


@registry.serializable("keras.optimizers", "nadam")
class Nadam(ListOptimizer):
    """Adam with Nesterov momentum.

    Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ; the share of the mean in step `t` is
    ``beta_1 * (1 - 0.5 * 0.96^t)``.

    Args:
        learning_rate: as in `Optimizer`.
        beta_1: share of the old mean that each step keeps.
        beta_2: share of the old mean of squares that each step keeps.
        epsilon: keeps the division finite.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Nadam(0.1).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.8937])
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
        """Add the means, and the product of the shares so far."""
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._u_product = HostScalar(1.0, "variable")
        self._state.append(self._u_product)
        self._product_of = -1

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        t = self.step_number
        share, next_share = (self.beta_1 * (1.0 - 0.5 * 0.96**step) for step in (t, t + 1))
        if self._product_of != t:  # several lists may be updated in one step
            self._u_product.assign(self._u_product.number * share)
            self._product_of = t
        product = self._u_product.number
        momentums, velocities = self._pick(self._momentums, index), self._pick(self._velocities, index)
        torch._foreach_lerp_(momentums, grads, 1.0 - self.beta_1)
        torch._foreach_mul_(velocities, self.beta_2)
        torch._foreach_addcmul_(velocities, grads, grads, 1.0 - self.beta_2)
        divisors = torch._foreach_div(velocities, bias(self.beta_2, t))
        torch._foreach_sqrt_(divisors)
        torch._foreach_add_(divisors, self.epsilon)
        of_mean = next_share / (1.0 - product * next_share)
        of_grad = (1.0 - share) / (1.0 - product)
        torch._foreach_addcdiv_(variables, momentums, divisors, -learning_rate * of_mean)
        torch._foreach_addcdiv_(variables, grads, divisors, -learning_rate * of_grad)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
