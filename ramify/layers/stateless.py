"""What a layer offers beside `__call__`: weights from outside, less memory, calls as records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from ramify.errors import ArgumentError, NotBuiltError
from ramify.layers import calling
from ramify.layers.arguments import own_arguments
from ramify.layers.weights import WeightHolder


class Stateless(WeightHolder):
    """The part of a layer that lets others hold its weights."""

    built: bool
    losses: Any
    metrics: Any

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Call the layer with the given weights in place of its own, which stay what they are.

        `torch.func.grad` and `torch.func.vmap` go through.

        Args:
            trainable_variables: tensors in the order of the layer's `trainable_variables`.
            non_trainable_variables: tensors in the order of its `non_trainable_variables`; they are not changed.
            args: arguments of the call.
            return_losses: whether to return the layer's losses too.
            kwargs: keyword arguments of the call.

        Returns:
            ``(outputs, non_trainable_variables)``, the latter as the call left them; and the losses, where asked for.

        Raises:
            NotBuiltError: the layer has no weights yet.
            ArgumentError: another number of tensors than the layer has weights.

        Example:

        >>> import torch, ramify
        >>> layer = ramify.layers.Dense(2)
        >>> layer.build((None, 3))
        >>> outputs, state = layer.stateless_call([torch.ones(3, 2), torch.zeros(2)], [], torch.ones(1, 3))
        >>> outputs.tolist(), state
        ([[3.0, 3.0]], [])
        """
        if not self.built:
            raise NotBuiltError(
                f"{self.describe()} has no weights that could be replaced. Call it once, or `build` it, first."
            )
        given = (
            *_paired("trainable_variables", self.trainable_weights, trainable_variables, self),
            *_paired("non_trainable_variables", self.non_trainable_weights, non_trainable_variables, self),
        )
        stand_ins = {id(weight): _stand_in(weight, value) for weight, value in given}
        named = (*self.named_parameters(remove_duplicate=False), *self.named_buffers(remove_duplicate=False))
        # What is no weight, such as the states of a recurrent layer, is not to change either.
        by_name = {f"layer.{name}": stand_ins.get(id(tensor), tensor.clone()) for name, tensor in named}
        outputs, losses = functional_call(_WithLosses(self), by_name, args, kwargs)
        state = [stand_ins[id(weight)] for weight in self.non_trainable_weights]
        return (outputs, state, losses) if return_losses else (outputs, state)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record a call on symbolic tensors, as calling the layer on them does."""
        return calling.symbolic_call(self, args, kwargs)  # type: ignore[arg-type]  # every heir is a Layer

    def rematerialized_call(self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """A form of a call that keeps nothing for the backward pass but its inputs, and computes again what is needed.

        See Chen et al., *Training Deep Nets with Sublinear Memory Cost*, 2016.

        Args:
            layer_call: the function to wrap, such as ``layer.call``.
            args: the arguments of the call that is to come; accepted for Keras's sake.
            kwargs: its keyword arguments; likewise.

        Returns:
            A function with the arguments and the result of `layer_call`.

        Example:

        >>> import torch, ramify
        >>> layer = ramify.layers.Dense(2, activation="gelu")
        >>> layer.build((None, 3))
        >>> layer.rematerialized_call(layer.call)(torch.ones(1, 3)).shape
        torch.Size([1, 2])
        """
        del args, kwargs
        return partial(checkpoint, layer_call, use_reentrant=False)

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Any:
        """Make a weight: `add_weight` with a shape and an initializer that must be given."""
        return self.add_weight(**own_arguments(locals()))

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: metrics are given to `compile`, or held and updated by the layer itself.

        Raises:
            ArgumentError: always, as in Keras 3.
        """
        del args, kwargs
        raise ArgumentError(
            f"{self.describe()} takes no metrics. Give them to `Model.compile(metrics=[...])`, or hold a metric on an "
            "attribute and call its `update_state` in `call`."
        )

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of all metrics of the layer and its sublayers."""
        return [variable for metric in self.metrics for variable in metric.variables]

    @property
    def torch_params(self) -> dict[str, torch.nn.Parameter]:
        """The parameters by their paths; `parameters()` and `named_parameters()` are torch's own ways to them."""
        parameters = (weight for weight in self.weights if isinstance(weight, torch.nn.Parameter))
        return {getattr(parameter, "path", str(i)): parameter for i, parameter in enumerate(parameters)}


class _WithLosses(torch.nn.Module):
    """Calls a layer and asks for its losses while the stand-ins for its weights are in place."""

    def __init__(self, layer: Stateless) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return self.layer(*args, **kwargs), self.layer.losses


def _paired(what: str, own: list[Any], given: Sequence[Any], layer: Stateless) -> list[tuple[Any, Any]]:
    if len(own) != len(given):
        raise ArgumentError(
            f"{layer.describe()} has {len(own)} `{what}`, but {len(given)} were given. Give a tensor for each."
        )
    return list(zip(own, given, strict=True))


def _stand_in(weight: Any, value: Any) -> torch.Tensor:
    """A tensor of the value that knows its regularizer as the weight does; a copy where the call may write into it."""
    tensor = torch.as_tensor(value, device=weight.device).as_subclass(torch.Tensor)
    tensor = tensor.view(tensor.shape) if weight.requires_grad else tensor.detach().clone()
    tensor.__dict__.update(getattr(weight, "__dict__", {}))
    return tensor
