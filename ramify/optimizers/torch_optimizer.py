"""Optimizers of `torch.optim`, and all that derive from them, behind the face of an `Optimizer`."""

from __future__ import annotations

import functools
import inspect
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.optimizers.base import Optimizer, Tensors


def is_torch_optimizer(x: Any) -> bool:
    """Whether `x` is an optimizer of torch, its class, or a `functools.partial` or function that makes one."""
    if isinstance(x, functools.partial):
        return is_torch_optimizer(x.func) or (callable(x.func) and not inspect.isclass(x.func))
    if inspect.isclass(x):
        return issubclass(x, torch.optim.Optimizer)
    return isinstance(x, torch.optim.Optimizer) or inspect.isfunction(x) or inspect.ismethod(x)


class TorchOptimizer(Optimizer):
    """Any optimizer of `torch.optim`, used like the library's own.

    Its own learning rate and weight decay are used; clipping, averages and accumulation come from here.

    Args:
        optimizer: a class, a `functools.partial` or function that takes the parameters, or an optimizer. An optimizer
            keeps the parameters it was made for.
        **kwargs: `clipnorm`, `clipvalue`, `global_clipnorm`, `use_ema`, `ema_momentum`, `ema_overwrite_frequency`,
            `loss_scale_factor`, `gradient_accumulation_steps` and `name`, as in `Optimizer`.

    Example:

    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> TorchOptimizer(functools.partial(torch.optim.SGD, lr=0.5)).apply([torch.ones(1)], [weight])
    >>> weight.detach()
    tensor([0.5000])
    """

    def __init__(self, optimizer: Any, **kwargs: Any) -> None:
        if not is_torch_optimizer(optimizer):
            raise ArgumentError(f"{optimizer!r} is no optimizer of torch, nor makes one from parameters.")
        self._make: Callable[[list[Any]], torch.optim.Optimizer] | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        if isinstance(optimizer, torch.optim.Optimizer):
            self.optimizer = optimizer
        else:
            self._make = optimizer
        made_of = optimizer.func if isinstance(optimizer, functools.partial) else optimizer
        kwargs.setdefault("name", getattr(made_of, "__name__", type(made_of).__name__).lower())
        super().__init__(learning_rate=0.0, **kwargs)

    def create_state(self, variables: Tensors) -> None:
        """Make the torch optimizer, unless it came made; what another one for fewer variables knew is taken over."""
        if self._make is not None:
            old, self.optimizer = self.optimizer, self._make(list(variables))
            if old is not None:
                self.optimizer.state.update(old.state)
                options = {key: value for key, value in old.param_groups[0].items() if key != "params"}
                self.optimizer.param_groups[0].update(options)
        assert self.optimizer is not None
        known = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        missing = [v for v in variables if id(v) not in known]
        if missing:
            raise ArgumentError(
                f"{self.name} was made for other parameters: it does not know {len(missing)} of {len(variables)} "
                f"variables, the first of shape {tuple(missing[0].shape)}. "
                "Make it from the model's parameters, or pass its class or a functools.partial of it."
            )

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of the torch optimizer; empty before it is made."""
        return self.optimizer.param_groups if self.optimizer is not None else []

    @property
    def learning_rate(self) -> Any:
        """The rate of the first group; assigning sets that of all groups."""
        return self.param_groups[0]["lr"] if self.param_groups else self._rate_of_defaults()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if not self.param_groups:
            raise ArgumentError(f"{self.name} has no parameters yet: build it before its learning rate is set.")
        for group in self.param_groups:
            group["lr"] = float(learning_rate)

    def _rate_of_defaults(self) -> Any:
        if isinstance(self._make, functools.partial) and "lr" in self._make.keywords:
            return self._make.keywords["lr"]
        made_of = self._make.func if isinstance(self._make, functools.partial) else self._make
        rate = inspect.signature(made_of).parameters.get("lr") if inspect.isclass(made_of) else None
        return rate.default if rate is not None else None

    def _rate_now(self) -> float:
        return 0.0

    def update_all(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """One step of the torch optimizer; variables without a gradient stay as they are."""
        assert self.optimizer is not None
        kept = [variable.grad for variable in self._variables]
        for variable in self._variables:
            variable.grad = None
        for variable, grad in zip(variables, grads, strict=True):
            variable.grad = grad
        self.optimizer.step()
        for variable, own in zip(self._variables, kept, strict=True):
            variable.grad = own

    def save_own_variables(self, store: Any) -> None:
        """Write the state dicts into a mapping, as bytes."""
        buffer = io.BytesIO()
        torch.save(self.optimizer.state_dict() if self.optimizer is not None else {}, buffer)
        store["iteration"] = np.array(self._iterations.number)
        store["state_dict"] = np.frombuffer(buffer.getvalue(), dtype=np.uint8)
        for place, state in enumerate(self._state):
            store[f"state_{place}"] = state.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote; no code is run that the file brings along."""
        if "state_dict" not in store:
            super().load_own_variables(store)
            return
        if self.optimizer is None:
            raise ArgumentError(f"{self.name} must be built before its state is loaded.")
        data = io.BytesIO(np.asarray(store["state_dict"]).astype(np.uint8).tobytes())
        self.optimizer.load_state_dict(torch.load(data, weights_only=True))
        self._iterations.assign(np.asarray(store["iteration"]))
        for place, state in enumerate(self._state):
            state.assign(np.asarray(store[f"state_{place}"]))

    def get_config(self) -> dict[str, Any]:
        """Raises: an optimizer of torch is made by code, which no config holds."""
        raise ArgumentError(
            f"{self.name} is an optimizer of torch, which has no config. Save the weights, and compile the model again "
            "with the optimizer after loading it; or use one of the library's optimizers."
        )
