"""Adagrad and Adadelta, whose rates fall for what has moved much."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.optimizers.listed import ListOptimizer, Tensors


@registry.serializable("keras.optimizers", "adagrad")
class Adagrad(ListOptimizer):
    """Steps along the gradient, each number divided by the root of the sum of its squares so far.

    Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html.

    Args:
        learning_rate: as in `Optimizer`.
        initial_accumulator_value: what the sums of squares start from.
        epsilon: is added to the sum of squares.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Adagrad(0.1, initial_accumulator_value=0.0).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.9000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def add_state(self, variables: Tensors) -> None:
        """Add the sums of squares."""
        start = self.initial_accumulator_value
        self._accumulators: Tensors = self.add_optimizer_variables(
            variables, "accumulator", lambda shape, dtype: torch.full(shape, start, dtype=dtype)
        )

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        accumulators = self._pick(self._accumulators, index)
        torch._foreach_addcmul_(accumulators, grads, grads)
        divisors = torch._foreach_add(accumulators, self.epsilon)
        torch._foreach_sqrt_(divisors)
        torch._foreach_addcdiv_(variables, grads, divisors, -learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


@registry.serializable("keras.optimizers", "adadelta")
class Adadelta(ListOptimizer):
    """Steps in proportion to the root mean square of the last steps over that of the gradients.

    Zeiler 2012, https://arxiv.org/abs/1212.5701; the paper's rate is 1.

    Args:
        learning_rate: as in `Optimizer`.
        rho: share of the old means that each step keeps.
        epsilon: is added to the means of squares.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Adadelta(1.0, epsilon=0.01).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.5918])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho, self.epsilon = rho, epsilon

    def add_state(self, variables: Tensors) -> None:
        """Add the means of squares, of gradients and of steps."""
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        of_grads = self._pick(self._accumulated_grads, index)
        of_steps = self._pick(self._accumulated_delta_vars, index)
        torch._foreach_mul_(of_grads, self.rho)
        torch._foreach_addcmul_(of_grads, grads, grads, 1.0 - self.rho)
        steps = torch._foreach_add(of_steps, self.epsilon)
        divisors = torch._foreach_add(of_grads, self.epsilon)
        torch._foreach_div_(steps, divisors)
        torch._foreach_sqrt_(steps)
        torch._foreach_mul_(steps, grads)
        torch._foreach_mul_(of_steps, self.rho)
        torch._foreach_addcmul_(of_steps, steps, steps, 1.0 - self.rho)
        torch._foreach_add_(variables, steps, alpha=-learning_rate)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
