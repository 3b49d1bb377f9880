"""Adafactor."""

from __future__ import annotations

import math
from typing import Any

import torch

from ramify import registry
from ramify.optimizers.listed import ListOptimizer, Tensors
from ramify.optimizers.scalar import HostScalar


@registry.serializable("keras.optimizers", "adafactor")
class Adafactor(ListOptimizer):
    """Adam's division by root mean squares, which are kept for rows and columns only, so that little memory is needed.

    Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235, algorithm 5, without momentum. Variables of less than two
    axes keep a mean of squares for every number.

    Args:
        learning_rate: as in `Optimizer`; an upper limit where `relative_step` is set.
        beta_2_decay: the share of the old means in step `t` is ``1 - t ** beta_2_decay``.
        epsilon_1: is added to the squares.
        epsilon_2: the least root mean square of a variable that its steps are scaled by.
        clip_threshold: largest root mean square of a step, before it is scaled.
        relative_step: let the rate fall with ``1 / sqrt(t)``.
        weight_decay: as in `Optimizer`, and so are the rest.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> Adafactor(0.1).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.9000])
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def add_state(self, variables: Tensors) -> None:
        """Add means of rows, of columns and of all numbers, in the order and shapes of Keras's files."""
        self._rows: list[Any] = []
        self._columns: list[Any] = []
        self._velocities: Tensors = []
        for variable in variables:
            name = self._variable_name(variable).rsplit("/", 1)[-1]
            shape = tuple(variable.shape)
            if len(shape) < 2:
                for states in (self._rows, self._columns):
                    states.append(HostScalar(0, name, name, "int32"))
                    self._state.append(states[-1])
            else:
                rows = self.add_variable(shape[:-1], dtype=variable.dtype, name=name)
                columns = self.add_variable((*shape[:-2], shape[-1]), dtype=variable.dtype, name=name)
                self._references += [(rows, variable), (columns, variable)]
                self._rows.append(rows)
                self._columns.append(columns)
            self._velocities.append(self.add_variable_from_reference(variable, "velocity"))

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables in place."""
        t = self.step_number
        rate = min(learning_rate, 1.0 / math.sqrt(t)) if self.relative_step else learning_rate
        new = float(t) ** self.beta_2_decay
        places = range(len(variables)) if index is None else index
        for place, grad, variable in zip(places, grads, variables, strict=True):
            velocity = self._velocities[place]
            squares = grad.square() + self.epsilon_1
            if variable.ndim < 2:
                velocity.lerp_(squares, new)
            else:
                rows, columns = self._rows[place], self._columns[place]
                rows.lerp_(squares.mean(-1), new)
                columns.lerp_(squares.mean(-2), new)
                share = rows / rows.mean(-1, keepdim=True)
                torch.mul(share.unsqueeze(-1), columns.unsqueeze(-2), out=velocity)
            step = grad * velocity.rsqrt()
            limit = (_root_mean_square(step) / self.clip_threshold).clamp(min=1.0)
            scale = _root_mean_square(variable).clamp(min=self.epsilon_2) * rate
            variable.sub_(step * (scale / limit))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return super().get_config() | {
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _root_mean_square(x: torch.Tensor) -> torch.Tensor:
    return x.square().mean().sqrt()
