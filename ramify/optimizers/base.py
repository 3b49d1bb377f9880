"""`Optimizer`: hyperparameters, state and the order of things in a step. The formulas are in the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from ramify import naming, registry
from ramify.errors import ArgumentError, NotBuiltError
from ramify.optimizers import gradients
from ramify.optimizers.fading import FREQUENCY, end_fading
from ramify.optimizers.rate import Rate
from ramify.optimizers.saving import StateAccess
from ramify.optimizers.scalar import HostScalar

Tensors = list[torch.Tensor]


@registry.serializable("keras.optimizers")
class Optimizer(Rate, StateAccess):
    """The base of all optimizers.

    To make one of your own, create state in `build` by `add_variable_from_reference`, and override `update_step`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments that gives a number.
        weight_decay: share of a weight, times the learning rate, that every step takes away.
        clipnorm: largest norm of each gradient.
        clipvalue: largest absolute value of each gradient's numbers.
        global_clipnorm: largest norm of all gradients together. Only one of the three clippings can be set.
        use_ema: keep a moving average of the weights; `finalize_variable_values` puts it in their place.
        ema_momentum: share of the old average that each step keeps, in ``[0, 1]``.
        ema_overwrite_frequency: steps after which the average takes the weights' place; never when ``None``.
        loss_scale_factor: the loss is multiplied by this in `scale_loss`, gradients are divided by it.
        gradient_accumulation_steps: average the gradients of so many steps, and update the weights after each
            such number; at least 2.
        name: name of the optimizer; made up from the class name when ``None``.

    Raises:
        ArgumentError: values out of range, or an argument of no meaning here.

    Example:

    >>> class Plain(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * gradient)
    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> Plain(0.5).apply([torch.ones(2)], [weight])
    >>> weight.detach()
    tensor([0.5000, 0.5000])
    """

    def __init__(
        self,
        learning_rate: Any,
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
        if kwargs:
            raise ArgumentError(f"{type(self).__name__} has no argument {', '.join(map(repr, kwargs))}. Leave it out.")
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ArgumentError(
                "Only one of clipnorm, clipvalue and global_clipnorm can be set, but received "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}."
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ArgumentError(f"ema_momentum must lie in [0, 1], but is {ema_momentum}.")
        if (
            use_ema
            and ema_overwrite_frequency is not None
            and (not isinstance(ema_overwrite_frequency, int) or ema_overwrite_frequency < 1)
        ):
            raise ArgumentError(
                f"ema_overwrite_frequency must be None or at least 1, but is {ema_overwrite_frequency}."
            )
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ArgumentError(
                f"gradient_accumulation_steps must be at least 2, but is {gradient_accumulation_steps}."
            )
        self.name = name or naming.auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.loss_scale_factor, self.gradient_accumulation_steps = loss_scale_factor, gradient_accumulation_steps
        self.built = False
        self._iterations = HostScalar(0, "iteration", f"{self.name}/iteration", "int32")
        self._init_rate(learning_rate)
        self._init_state()

    def build(self, variables: Iterable[torch.Tensor]) -> None:
        """Create the state for a list of variables; the first call counts. An override calls this one first.

        Args:
            variables: the parameters that will be trained.
        """
        if self.built:
            return
        self._set_variables(list(variables))
        if self.use_ema:
            self._average = self.add_optimizer_variables(self._variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated = self.add_optimizer_variables(self._variables, "gradient_accumulator")
        self.create_state(self._variables)
        self.built = True

    @property
    def fading_ends(self) -> bool:
        """Whether state too small to matter may be set to zero: only where the formula is known to allow it."""
        return False

    def create_state(self, variables: Tensors) -> None:
        """Add what the formula needs beside the variables: nothing here."""

    @property
    def iterations(self) -> HostScalar:
        """Steps done: those that updated the weights, where gradients are accumulated."""
        if not self.gradient_accumulation_steps:
            return self._iterations
        done = self._iterations.number // self.gradient_accumulation_steps
        return HostScalar(done, "iteration", self._iterations.path, "int32")

    @property
    def step_number(self) -> int:
        """Number of the step that is being done, counted from 1."""
        return self._iterations.number // (self.gradient_accumulation_steps or 1) + 1

    def scale_loss(self, loss: torch.Tensor) -> torch.Tensor:
        """The loss times `loss_scale_factor`; take gradients of this."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, torch.Tensor]]) -> HostScalar:
        """Update variables by their gradients.

        Args:
            grads_and_vars: pairs of a gradient (or ``None``) and its variable.

        Returns:
            `iterations`.
        """
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    @torch.no_grad()
    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[torch.Tensor] | None = None) -> None:
        """Update variables by their gradients.

        Args:
            grads: one gradient for each variable, of its shape; ``None`` leaves the variable as it is.
            trainable_variables: the variables; those the optimizer was built for when ``None``.

        Raises:
            NotBuiltError: no variables given, and the optimizer was not built.
            ArgumentError: no gradients, another number of them than of variables, or variables it was not built for.
        """
        if trainable_variables is None:
            if not self.built:
                raise NotBuiltError(f"{self.name} has no variables yet. Pass them, or call `build(variables)` first.")
            trainable_variables = self._variables
        if not self.built:
            self.build(trainable_variables)
        if len(grads) != len(trainable_variables):
            raise ArgumentError(
                f"{self.name} received {len(grads)} gradients for {len(trainable_variables)} variables. "
                "Pass one for each; None where a variable has none."
            )
        if not len(grads):
            return
        index = self._index_of(grads, trainable_variables)
        if index is not None:
            keep = [i for i, grad in enumerate(grads) if grad is not None]
            grads, trainable_variables = [grads[i] for i in keep], [trainable_variables[i] for i in keep]
        self._advance(gradients.prepare(grads, trainable_variables), list(trainable_variables), index)

    def planned(self, trainable_variables: Sequence[torch.Tensor]) -> Callable[[Tensors], None]:
        """`apply` for the same variables again and again, without its checks.

        Args:
            trainable_variables: the variables, all of which will have a gradient each time.

        Returns:
            A function of their gradients, each of its variable's dtype, dense, and in memory as the variable is; to
            be called without autograd.
        """
        variables = list(trainable_variables)
        if type(self).apply is not Optimizer.apply:
            return lambda grads: self.apply(grads, variables)
        if not self.built:
            self.build(variables)
        index = self._index_of(variables, variables)  # any tensors do: none is None

        return lambda grads: self._advance(grads, variables, index)

    def _advance(self, grads: Tensors, variables: Tensors, index: list[int] | None) -> None:
        """One step, the constraints after it, and the count."""
        self._step(grads, variables, index)
        if self._constrained:
            for variable in variables:
                constraint = getattr(variable, "constraint", None)
                if constraint is not None:
                    variable.copy_(constraint(variable))
        self._iterations.number += 1
        if self.fading_ends and self._iterations.number % FREQUENCY == 0:
            end_fading([state for state, _ in self._references])

    def _step(self, grads: Tensors, variables: Tensors, index: list[int] | None) -> None:
        """Everything between the gradients and the constraints. `index` tells which variables; all when ``None``."""
        if self.loss_scale_factor is not None:
            grads = list(torch._foreach_div(grads, float(self.loss_scale_factor)))
        if self.gradient_accumulation_steps:
            grads = self._accumulate(grads, index, self.gradient_accumulation_steps)
        if grads:
            rate = self._rate_now()
            grads = self._clip(grads)
            self._decay(variables, rate)
            self.update_all(grads, variables, rate, index)
        if self.use_ema:
            self._follow(variables, index)

    def _accumulate(self, grads: Tensors, index: list[int] | None, steps: int) -> Tensors:
        """The mean of the gradients since the last update; none as long as their number is short of `steps`."""
        accumulated = self._pick(self._accumulated, index)
        if (self._iterations.number + 1) % steps:
            torch._foreach_add_(accumulated, grads)
            return []
        grads = list(torch._foreach_add(accumulated, grads))
        torch._foreach_div_(grads, float(steps))
        torch._foreach_zero_(accumulated)
        return grads

    def _clip(self, grads: Tensors) -> Tensors:
        if self.clipnorm is not None and self.clipnorm > 0:
            return gradients.clip_each_norm(grads, self.clipnorm)
        if self.global_clipnorm is not None and self.global_clipnorm > 0:
            return gradients.clip_global_norm(grads, self.global_clipnorm)
        if self.clipvalue is not None and self.clipvalue > 0:
            return gradients.clip_values(grads, self.clipvalue)
        return grads

    def _decay(self, variables: Tensors, rate: float) -> None:
        if self.weight_decay is None:
            return
        excludes = self._excluded or self._excluded_names
        decayed = [v for v in variables if self._use_weight_decay(v)] if excludes else variables
        if decayed:
            torch._foreach_mul_(decayed, 1.0 - rate * self.weight_decay)

    def _follow(self, variables: Tensors, index: list[int] | None) -> None:
        average = self._pick(self._average, index)
        momentum = self.ema_momentum if self.step_number > 1 else 0.0
        torch._foreach_lerp_(average, variables, 1.0 - momentum)
        every = self.ema_overwrite_frequency
        if every and self.step_number % every == 0:
            torch._foreach_copy_(variables, average)

    def update_all(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables, after clipping and decay: here, one at a time by `update_step`.

        Args:
            grads: gradients.
            variables: what they belong to.
            learning_rate: rate of this step.
            index: places of the variables among those the optimizer was built for; all of them when ``None``.
        """
        for grad, variable in zip(grads, variables, strict=True):
            self.update_step(grad, variable, learning_rate)

    def update_step(self, gradient: torch.Tensor, variable: torch.Tensor, learning_rate: Any) -> None:
        """Update one variable by its gradient. Override this in an optimizer of your own.

        Args:
            gradient: of the variable's shape.
            variable: is updated in place, by `assign_sub` or the like.
            learning_rate: rate of this step.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `update_step(gradient, variable, learning_rate)`. Define it."
        )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the built variables by their `.grad`, as torch's optimizers do.

        Args:
            closure: computes the loss and its gradients again; called first if given.

        Returns:
            What `closure` returned, or ``None``.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.apply([variable.grad for variable in self._variables] if self.built else [])
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop, or set to zero, the `.grad` of the built variables."""
        for variable in self._variables:
            if set_to_none:
                variable.grad = None
            elif variable.grad is not None:
                variable.grad.zero_()

    def exclude_from_weight_decay(
        self, var_list: Iterable[torch.Tensor] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave variables out of weight decay; call it before the optimizer is built.

        Args:
            var_list: the variables.
            var_names: parts of their names (of their paths, where there is a slash), or regular expressions that match
                there.

        Raises:
            ArgumentError: the optimizer is built already.
        """
        if self.built:
            raise ArgumentError(f"{self.name} is built: call exclude_from_weight_decay before its first step.")
        self._excluded += list(var_list or ())
        self._excluded_names += list(var_names or ())

    averages_in_place = False
    """Whether weights and averages have changed places for a while, as `SwapEMAWeights` does."""

    @property
    def averages(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Each variable with its moving average; none where no averages are kept."""
        return list(zip(self._variables, self._average, strict=True)) if self.use_ema and self.built else []

    @torch.no_grad()
    def finalize_variable_values(self, var_list: Sequence[torch.Tensor]) -> None:
        """Put the moving averages in the place of the weights, if averages are kept.

        Args:
            var_list: the variables.
        """
        if self.use_ema and self.built:
            index = [self._get_variable_index(variable) for variable in var_list]
            average, weights = self._pick(self._average, index), list(var_list)
            torch._foreach_copy_(*((average, weights) if self.averages_in_place else (weights, average)))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer, without its state."""
        return {
            "name": self.name,
            "learning_rate": self._rate_config(),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }
