"""Muon."""

from __future__ import annotations

import math
import re
from typing import Any

import torch

from ramify import registry
from ramify.optimizers.listed import ListOptimizer, Tensors
from ramify.optimizers.scalar import bias


@registry.serializable("keras.optimizers", "muon")
class Muon(ListOptimizer):
    """Momentum made orthogonal, for matrices; AdamW for all other variables.

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; scaled as in Liu et al. 2025,
    https://arxiv.org/abs/2502.16982.

    Args:
        learning_rate: as in `Optimizer`.
        adam_beta_1: `beta_1` of AdamW.
        adam_beta_2: `beta_2` of AdamW.
        adam_weight_decay: weight decay of what AdamW moves.
        epsilon: keeps divisions finite.
        weight_decay: weight decay of the matrices.
        clipnorm: as in `Optimizer`, and so are the others up to `name`.
        exclude_layers: regular expressions; matrices whose path they match in are moved by AdamW.
        exclude_embeddings: let AdamW move what has "embedding" in its path.
        muon_a: first factor of the iteration ``X = a X + (b A + c A A) X`` with ``A = X X^T``.
        muon_b: its second factor.
        muon_c: its third factor.
        adam_lr_ratio: learning rate of AdamW over `learning_rate`.
        momentum: share of the old sum of gradients that each step keeps.
        ns_steps: number of iterations.
        nesterov: look ahead along the momentum.
        rms_rate: root mean square of a step over the rate; ``None`` leaves steps orthogonal.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Muon(0.1, adam_weight_decay=0.0).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.9000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-07,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: list[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = exclude_layers or [], exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, ns_steps, nesterov, rms_rate

    def _by_adam(self, variable: torch.Tensor) -> bool:
        if variable.ndim != 2:
            return True
        path = self._variable_name(variable)
        if self.exclude_embeddings and "embedding" in path.lower():
            return True
        return any(re.search(part, path) for part in self.exclude_layers)

    def add_state(self, variables: Tensors) -> None:
        """Add the momentum of all, and the means of squares of what AdamW moves."""
        self._adam = [self._by_adam(variable) for variable in variables]
        self._momentums: Tensors = []
        self._velocities: list[Any] = []
        for variable, by_adam in zip(variables, self._adam, strict=True):
            self._momentums.append(self.add_variable_from_reference(variable, "momentum"))
            self._velocities.append(self.add_variable_from_reference(variable, "velocity") if by_adam else None)

    def _decay(self, variables: Tensors, rate: float) -> None:
        for by_adam, decay in ((True, self.adam_weight_decay), (False, self.weight_decay)):
            own = [v for v in variables if self._adam[self._places[id(v)]] == by_adam and self._use_weight_decay(v)]
            if own and decay:
                torch._foreach_mul_(own, 1.0 - rate * decay)

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        places = list(range(len(variables))) if index is None else index
        adam = [i for i, place in enumerate(places) if self._adam[place]]
        if adam:
            self._move_by_adam(
                [grads[i] for i in adam], [variables[i] for i in adam], learning_rate, [places[i] for i in adam]
            )
        for place, grad, variable in zip(places, grads, variables, strict=True):
            if not self._adam[place]:
                momentum = self._momentums[place].mul_(self.momentum).add_(grad)
                step = grad.add(momentum, alpha=self.momentum) if self.nesterov else momentum
                variable.add_(self._orthogonal(step), alpha=-learning_rate * self._scale(variable.shape))

    def _move_by_adam(self, grads: Tensors, variables: Tensors, learning_rate: float, places: list[int]) -> None:
        t = self.step_number
        rate = learning_rate * self.adam_lr_ratio * math.sqrt(bias(self.adam_beta_2, t)) / bias(self.adam_beta_1, t)
        momentums, velocities = self._pick(self._momentums, places), self._pick(self._velocities, places)
        torch._foreach_lerp_(momentums, grads, 1.0 - self.adam_beta_1)
        torch._foreach_mul_(velocities, self.adam_beta_2)
        torch._foreach_addcmul_(velocities, grads, grads, 1.0 - self.adam_beta_2)
        divisors = torch._foreach_sqrt(velocities)
        torch._foreach_add_(divisors, self.epsilon)
        torch._foreach_addcdiv_(variables, momentums, divisors, -rate)

    def _orthogonal(self, x: torch.Tensor) -> torch.Tensor:
        """The nearest orthogonal matrix, roughly: a few Newton-Schulz iterations of fifth order."""
        tall = x.shape[0] > x.shape[1]
        x = x.t() if tall else x
        x = x / (x.norm() + 1e-7)  # not `epsilon`, which is of AdamW
        for _ in range(self.ns_steps):
            a = x @ x.t()
            x = self.muon_a * x + (self.muon_b * a + self.muon_c * a @ a) @ x
        return x.t() if tall else x

    def _scale(self, shape: torch.Size) -> float:
        if self.rms_rate is not None:
            return math.sqrt(max(shape)) * self.rms_rate
        return 1.0

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "exclude_embeddings": self.exclude_embeddings,
            "adam_weight_decay": self.adam_weight_decay,
            "rms_rate": self.rms_rate,
        }
