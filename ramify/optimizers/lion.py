"""Lion."""

from __future__ import annotations

from typing import Any

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.listed import ListOptimizer, Tensors


@registry.serializable("keras.optimizers", "lion")
class Lion(ListOptimizer):
    """Steps of one size, in the direction of the sign of a mean of gradients.

    Chen et al. 2023, https://arxiv.org/abs/2302.06675. Wants a rate 3 to 10 times smaller than Adam's.

    Args:
        learning_rate: as in `Optimizer`.
        beta_1: share of the mean in the direction, above 0 and at most 1.
        beta_2: share of the old mean that each step keeps.
        weight_decay: as in `Optimizer`, and so are the rest.

    Raises:
        ArgumentError: `beta_1` out of range.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Lion(0.1).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.9000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        self.beta_1, self.beta_2 = beta_1, beta_2
        if beta_1 <= 0 or beta_1 > 1:
            raise ArgumentError(f"beta_1 of Lion must lie above 0 and be at most 1, but is {beta_1}.")

    @property
    def fading_ends(self) -> bool:
        """No: the sign of the smallest mean moves a weight, too."""
        return False

    def add_state(self, variables: Tensors) -> None:
        """Add the means."""
        self._momentums: Tensors = self.add_optimizer_variables(variables, "momentum")

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        momentums = self._pick(self._momentums, index)
        direction = torch._foreach_lerp(momentums, grads, 1.0 - self.beta_1)
        torch._foreach_sign_(direction)
        torch._foreach_add_(variables, direction, alpha=-learning_rate)
        torch._foreach_lerp_(momentums, grads, 1.0 - self.beta_2)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
        }
