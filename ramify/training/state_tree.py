"""The numbers of a model and of its training as a tree, and losses of numbers from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from torch.func import functional_call

from ramify.errors import ArgumentError, NotBuiltError
from ramify.training.stepping import Stepping

_FORMATS = ("backend_tensor", "numpy_array")


class StateTree(Stepping):
    """A layer whose state can be taken out, put back and replaced for one call."""

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict[str, Any]]:
        """The numbers of weights, optimizer and metrics, nested by their paths.

        Args:
            value_format: ``"backend_tensor"`` for the tensors themselves, which change as training goes on;
                ``"numpy_array"`` for copies.

        Returns:
            ``trainable_variables``, ``non_trainable_variables``, ``optimizer_variables`` and ``metrics_variables``,
            each a dict of dicts: the parts of a path such as ``"encoder/dense/kernel"`` are keys. Before `compile`, the
            optimizer's is empty.

        Raises:
            ArgumentError: another `value_format`.

        Example:

        >>> import ramify
        >>> x = ramify.Input((2,))
        >>> model = ramify.Model(x, ramify.layers.Dense(1, name="last")(x))
        >>> model.get_state_tree()["trainable_variables"]["last"]["bias"].shape
        torch.Size([1])
        """
        if value_format not in _FORMATS:
            raise ArgumentError(
                f"value_format must be {' or '.join(map(repr, _FORMATS))}, but is {value_format!r}. Choose one of them."
            )
        told: Callable[[Any], Any] = _copy if value_format == "numpy_array" else _tensor
        return {kind: _tree(variables, told) for kind, variables in self._kinds().items()}

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Put numbers into weights, optimizer and metrics; nothing changes where one does not fit.

        Args:
            state_tree: what `get_state_tree` gave, or a part of it.

        Raises:
            ArgumentError: a name that is none of the model's, or numbers of another shape.
        """
        known = self._kinds()
        found: list[tuple[Any, Any]] = []
        for kind, given in state_tree.items():
            tree = given
            if kind not in known:
                _unknown(kind, known)
            if kind == "optimizer_variables" and len(tree) == 1:
                tree = {self._optimizer_name(): next(iter(tree.values()))}  # names are counted on: adam, adam_1
            by_path = {_key(path): variable for path, variable in _paths(known[kind]).items()}
            for path, value in _leaves(tree):
                if path not in by_path:
                    _unknown("/".join((kind, *path)), ["/".join((kind, *one)) for one in by_path])
                found.append((by_path[path], value))
        for variable, value in found:
            _check(variable, value)
        for variable, value in found:
            variable.assign(value)

    def _optimizer_name(self) -> str:
        variables = getattr(self.optimizer, "variables", [])
        return _key(variables[0].path)[0] if variables else ""

    def _kinds(self) -> dict[str, list[Any]]:
        return {
            "trainable_variables": list(self.trainable_variables),
            "non_trainable_variables": list(self.non_trainable_variables),
            "optimizer_variables": list(self.optimizer.variables) if self.optimizer is not None else [],
            "metrics_variables": list(self.metrics_variables),
        }

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[list[Any], list[Any], list[Any]]]:
        """`compute_loss` with the given numbers in place of the model's own, which stay what they are.

        `torch.func.grad` goes through.

        Args:
            trainable_variables: tensors in the order of the model's `trainable_variables`.
            non_trainable_variables: tensors in the order of its `non_trainable_variables`.
            metrics_variables: tensors in the order of its `metrics_variables`.
            x: inputs of the batch.
            y: targets.
            y_pred: what the model made of `x`, with the same numbers: see `stateless_call`.
            sample_weight: weights of the samples.
            training: whether this is a step of training.

        Returns:
            The loss, and the three lists as they are afterwards.

        Raises:
            NotBuiltError: the model has no weights yet.
            ArgumentError: another number of tensors than the model has variables.
        """
        if not self.built:
            raise NotBuiltError(
                f"{self.describe()} has no weights that could be replaced. Call it once, or `build` it."
            )
        if self.compile_loss is not None and self.compile_loss.waits:
            self.compile_loss.build(y_pred)
        own = {
            "trainable_variables": (self.trainable_weights, trainable_variables),
            "non_trainable_variables": (self.non_trainable_weights, non_trainable_variables),
            "metrics_variables": (self.metrics_variables, metrics_variables),
        }
        for what, (has, given) in own.items():
            if len(has) != len(given):
                raise ArgumentError(
                    f"{self.describe()} has {len(has)} `{what}`, but {len(given)} were given. Give a tensor for each."
                )
        stand_ins = {
            id(weight): _stand_in(weight, value)
            for has, given in list(own.values())[:2]
            for weight, value in zip(has, given, strict=True)
        }
        named = (*self.named_parameters(remove_duplicate=False), *self.named_buffers(remove_duplicate=False))
        by_name = {f"model.{name}": stand_ins[id(tensor)] for name, tensor in named if id(tensor) in stand_ins}
        noted: list[Any] = []
        if self.compile_loss is not None:
            self.compile_loss.noted = noted
        try:
            loss = functional_call(_Loss(self), by_name, (x, y, y_pred, sample_weight, training))
        finally:
            if self.compile_loss is not None:
                self.compile_loss.noted = None
        measured = {id(variable): value for variable, value in zip(*own["metrics_variables"], strict=True)}
        for mean, value, count in noted:
            for variable, more in ((mean.total, value.detach() * count), (mean.count, count)):
                measured[id(variable)] = measured[id(variable)] + more
        rest = [[stand_ins[id(w)] for w in has] for has in (self.trainable_weights, self.non_trainable_weights)]
        return loss, (rest[0], rest[1], list(measured.values()))

    def add_metric(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises: Keras took it away.

        Raises:
            ArgumentError: always; it says what to do instead.
        """
        del args, kwargs
        raise ArgumentError(
            "`add_metric` is no more, in Keras either. Pass metrics to `compile(metrics=[...])`; or make one in the "
            "layer's `__init__` (self.seen = ramify.metrics.Mean()) and call `self.seen.update_state(...)` in `call`."
        )


class _Loss(torch.nn.Module):
    """Asks a model for its loss while stand-ins for its weights are in place."""

    def __init__(self, model: StateTree) -> None:
        super().__init__()
        self.model = model

    def forward(self, *batch: Any) -> Any:
        return self.model.compute_loss(*batch)


def _stand_in(weight: Any, value: Any) -> torch.Tensor:
    """A tensor that knows its regularizer as the weight does."""
    tensor = torch.as_tensor(value, device=weight.device).as_subclass(torch.Tensor)
    tensor = tensor.view(tensor.shape)
    tensor.__dict__.update(getattr(weight, "__dict__", {}))
    return tensor


def _tensor(variable: Any) -> Any:
    return variable.value


def _copy(variable: Any) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = variable.numpy()
    return values


def _key(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


def _paths(variables: Sequence[Any]) -> dict[str, Any]:
    """Variables by path; a path that is taken (a shared name) gets a number."""
    found: dict[str, Any] = {}
    for variable in variables:
        path, number = variable.path, 0
        while path in found:
            number += 1
            path = f"{variable.path}_{number}"
        found[path] = variable
    return found


def _tree(variables: Sequence[Any], told: Callable[[Any], Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, variable in _paths(variables).items():
        *parents, last = _key(path)
        place = tree
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = told(variable)
    return tree


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(tree, Mapping):
        return [(path, tree)]
    return [leaf for key, value in tree.items() for leaf in _leaves(value, (*path, str(key)))]


def _check(variable: Any, value: Any) -> None:
    shape = tuple(np.shape(value) if not isinstance(value, torch.Tensor) else value.shape)
    if shape != tuple(variable.shape):
        raise ArgumentError(
            f"The value for '{variable.path}' has the shape {shape}, but the variable has {tuple(variable.shape)}. "
            "Nothing was changed. Pass a tree of this model, or leave the variable out."
        )


def _unknown(name: str, known: Any) -> NoReturn:
    listed = list(known)
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    raise ArgumentError(
        f"The state tree names {name!r}, which the model lacks. It has {', '.join(map(repr, listed[:8]))}{more}."
    )
