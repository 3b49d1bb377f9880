"""Several optimizers for one model, each for its own variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Self

import torch

from ramify import registry
from ramify.errors import ArgumentError
from ramify.optimizers.base import Optimizer, Tensors
from ramify.optimizers.loss_scale import deserialize_inner
from ramify.optimizers.scalar import HostScalar


@registry.serializable("keras.optimizers")
class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer a variable belongs to, by its path.

    A key is a path, or a regular expression that matches whole paths; equal keys come first.

    Args:
        default_optimizer: for paths that no key matches.
        optimizer_map: key -> optimizer.

    Raises:
        ArgumentError: keys that are no strings, values that are no optimizers, a key that is there already.

    Example:

    >>> from ramify.optimizers import SGD, Adam
    >>> chosen = OptimizerMap(SGD(), {"encoder/.*": Adam()})
    >>> type(chosen["encoder/dense/kernel"]).__name__, type(chosen["head/kernel"]).__name__
    ('Adam', 'SGD')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None) -> None:
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """For paths that no key matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        matching = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ArgumentError(f"{key!r} matches several keys of the OptimizerMap: {matching}. Make them exclusive.")
        return self._optimizer_map[matching[0]] if matching else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ArgumentError(f"Keys of an OptimizerMap are strings, but received {key!r}.")
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"Values of an OptimizerMap are optimizers, but received {optimizer!r}.")
        if key in self._optimizer_map:
            raise ArgumentError(f"The OptimizerMap has an optimizer for {key!r} already. Delete it first.")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._optimizer_map

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal map."""
        return {
            "default_optimizer": registry.serialize(self._default_optimizer),
            "optimizer_map": {key: registry.serialize(value) for key, value in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The map that `get_config` described."""
        entries = {key: deserialize_inner(value) for key, value in (config.get("optimizer_map") or {}).items()}
        return cls(deserialize_inner(config["default_optimizer"]), entries)


@registry.serializable("keras.optimizers", "multioptimizer")
class MultiOptimizer(Optimizer):
    """Lets several optimizers each take the steps of its own variables.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to its optimizer.
        loss_scale_factor: as in `Optimizer`.
        name: as in `Optimizer`.

    Raises:
        ArgumentError: neither a map nor a function.
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[torch.Tensor], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, Mapping) and not isinstance(optimizer_map, OptimizerMap):
            optimizer_map = OptimizerMap.from_config(optimizer_map.get("config", optimizer_map))
        if not isinstance(optimizer_map, OptimizerMap) and not callable(optimizer_map):
            raise ArgumentError(
                f"optimizer_map must be an OptimizerMap or a function of a variable, but is {optimizer_map!r}."
            )
        self.optimizer_map = optimizer_map
        self.optimizers: list[Optimizer] = []

    def create_state(self, variables: Tensors) -> None:
        """Ask for the optimizer of each variable, and build each for all of its own."""
        chosen = [self._choose(variable) for variable in variables]
        order: list[Optimizer] = chosen
        if isinstance(self.optimizer_map, OptimizerMap):
            order = [*self.optimizer_map._optimizer_map.values(), self.optimizer_map.default_optimizer]
        unique = {id(optimizer): optimizer for optimizer in order}
        own = {key: [i for i, optimizer in enumerate(chosen) if id(optimizer) == key] for key in unique}
        self._own = list(own.values())
        self.optimizers = list(unique.values())
        for optimizer, places in zip(self.optimizers, self._own, strict=True):
            optimizer.extend([variables[i] for i in places])

    def _choose(self, variable: torch.Tensor) -> Optimizer:
        if isinstance(self.optimizer_map, OptimizerMap):
            return self.optimizer_map[self._variable_name(variable)]
        return self.optimizer_map(variable)

    @property
    def variables(self) -> list[Any]:
        """Those of this optimizer, then those of the others."""
        return super().variables + [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """There is none: each of `optimizers` has its own."""
        raise AttributeError(f"{self.name} has no learning rate of its own. Look at those of its `optimizers`.")

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(f"{self.name} has no learning rate of its own. Set those of its `optimizers`.")

    def _rate_now(self) -> float:
        return 0.0

    def update_all(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Let each optimizer take the step of its own variables."""
        at = {place: i for i, place in enumerate(range(len(variables)) if index is None else index)}
        for optimizer, places in zip(self.optimizers, self._own, strict=True):
            picked = [at[place] for place in places if place in at]
            if picked:
                optimizer.apply([grads[i] for i in picked], [variables[i] for i in picked])

    def finalize_variable_values(self, var_list: Sequence[torch.Tensor]) -> None:
        """As the optimizers do for their own variables."""
        wanted = {id(variable) for variable in var_list}
        for optimizer, places in zip(self.optimizers, self._own, strict=True):
            optimizer.finalize_variable_values([self._variables[i] for i in places if id(self._variables[i]) in wanted])

    @property
    def iterations(self) -> HostScalar:
        """Steps done."""
        return self._iterations

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            "optimizer_map": registry.serialize(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """The optimizer that `get_config` described."""
        config = dict(config)
        chosen = config["optimizer_map"]
        if isinstance(chosen, str):
            chosen = registry.deserialize(chosen, None, custom_objects, what="function")
        return cls(**{**config, "optimizer_map": chosen})
