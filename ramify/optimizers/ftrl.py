"""Follow the regularized leader."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.listed import ListOptimizer, Tensors


@registry.serializable("keras.optimizers", "ftrl")
class Ftrl(ListOptimizer):
    """Follow the (proximally) regularized leader: sparse weights for large linear models.

    McMahan et al. 2013, https://research.google.com/pubs/archive/41159.pdf, algorithm 1.

    Args:
        learning_rate: as in `Optimizer`.
        learning_rate_power: how the rate falls with the sum of squares; at most 0, and 0 keeps it.
        initial_accumulator_value: what the sums of squares start from.
        l1_regularization_strength: weights up to this size of pull become zero.
        l2_regularization_strength: pull of all weights to zero.
        l2_shrinkage_regularization_strength: likewise, through the gradient.
        beta: the paper's beta; adds to the pull by ``beta / (2 rate)``.
        weight_decay: as in `Optimizer`, and so are the rest.

    Raises:
        ArgumentError: values out of range.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Ftrl(0.1).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.6031])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        self._check()

    def _check(self) -> None:
        if self.learning_rate_power > 0:
            raise ArgumentError(f"learning_rate_power must be at most 0, but is {self.learning_rate_power}.")
        for name in (
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ):
            if getattr(self, name) < 0:
                raise ArgumentError(f"{name} must be at least 0, but is {getattr(self, name)}.")

    def add_state(self, variables: Tensors) -> None:
        """Add the sums of squares and the linear terms."""
        start = self.initial_accumulator_value
        self._accumulators, self._linears = self.add_optimizer_variables(
            variables,
            ["accumulator", "linear"],
            [lambda shape, dtype: torch.full(shape, start, dtype=dtype), "zeros"],
        )

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        if learning_rate == 0.0:  # the formula's limit; itself it divides by the rate
            return
        sums, linears = self._pick(self._accumulators, index), self._pick(self._linears, index)
        power = -self.learning_rate_power
        before = torch._foreach_pow(sums, power)
        torch._foreach_addcmul_(sums, grads, grads)
        after = torch._foreach_pow(sums, power)
        torch._foreach_add_(linears, grads)
        if self.l2_shrinkage_regularization_strength:
            torch._foreach_add_(linears, variables, alpha=2.0 * self.l2_shrinkage_regularization_strength)
        torch._foreach_sub_(before, after)
        torch._foreach_addcmul_(linears, before, variables, 1.0 / learning_rate)
        torch._foreach_div_(after, learning_rate)
        torch._foreach_add_(after, 2.0 * self.l2_regularization_strength + self.beta / learning_rate)
        clipped = torch._foreach_clamp_max(linears, self.l1_regularization_strength)
        torch._foreach_clamp_min_(clipped, -self.l1_regularization_strength)
        torch._foreach_sub_(clipped, linears)
        torch._foreach_div_(clipped, after)
        torch._foreach_copy_(variables, clipped)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
