"""What code within a ``with`` block is told by it: names of variables, stand-ins for them, what to compute twice."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Self

import torch

from ramify.errors import ArgumentError

REMAT_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.stateless: list[StatelessScope] = []
        self.remat: list[RematScope] = []


current = _Scopes()


class name_scope:  # noqa: N801 - Keras's name
    """Variables and layers that are made within get paths that begin with the name.

    Args:
        name: one word, without ``"/"``.
        caller: accepted for Keras's sake.
        deduplicate: accepted for Keras's sake.
        override_parent: a path to stand before the name, in place of the enclosing scopes'.

    Raises:
        ArgumentError: the name is no word.

    Example:

    >>> import ramify
    >>> with name_scope("encoder"), name_scope("first"):
    ...     ramify.Variable(1.0, name="scale").path
    'encoder/first/scale'
    """

    def __init__(
        self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None
    ) -> None:
        if not isinstance(name, str) or not name or "/" in name:
            raise ArgumentError(f"name_scope takes a name without '/', but received {name!r}.")
        del caller, deduplicate
        self.name, self.override_parent = name, override_parent

    def __enter__(self) -> Self:
        self._outer = current.names
        above = self._outer if self.override_parent is None else tuple(filter(None, self.override_parent.split("/")))
        current.names = (*above, self.name)
        return self

    def __exit__(self, *_: object) -> None:
        current.names = self._outer


class StatelessScope:
    """Within the block, variables have other numbers, and assigning changes those alone; afterwards all is as before.

    `Layer.stateless_call` is the way to differentiate with respect to the stand-ins; here they are numbers.

    Args:
        state_mapping: pairs ``(variable, tensor)``.
        collect_losses: whether `losses` collects what layers add to the loss.
        initialize_variables: accepted for Keras's sake: variables made within have their numbers at once.

    Raises:
        ArgumentError: a pair without a variable, or of two shapes.

    Example:

    >>> import ramify, torch
    >>> weight = ramify.Variable([1.0, 2.0])
    >>> with StatelessScope([(weight, torch.zeros(2))]) as scope:
    ...     weight.assign_add(torch.ones(2)).tolist()
    [1.0, 1.0]
    >>> weight.tolist(), scope.get_current_value(weight).tolist()
    ([1.0, 2.0], [1.0, 1.0])
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Any, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self._given = [(variable, torch.as_tensor(value)) for variable, value in state_mapping or ()]
        self._kept: dict[int, tuple[Any, torch.Tensor]] = {}
        self._values: dict[int, torch.Tensor] = {}
        for variable, value in self._given:
            if not isinstance(variable, torch.Tensor) or variable.shape != value.shape:
                found = getattr(variable, "shape", type(variable).__name__)
                raise ArgumentError(
                    f"StatelessScope takes pairs of a variable and a tensor of its shape, but received {found} with "
                    f"a tensor of shape {tuple(value.shape)}."
                )

    def add_loss(self, loss: Any) -> None:
        """Remember a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Give a variable another value for the rest of the block; `update` is ``(variable, tensor)``."""
        variable, value = update
        self.hold(variable)
        with torch.no_grad():
            variable.copy_(torch.as_tensor(value))

    def get_current_value(self, variable: Any) -> torch.Tensor | None:
        """What the variable was within the block, or is; ``None`` where the block has not changed it."""
        if id(variable) in self._kept:
            return variable.data if self in current.stateless else self._values[id(variable)]
        return None

    def hold(self, variable: Any) -> None:
        """Keep the numbers of a variable that is about to change, to give them back at the end."""
        if id(variable) not in self._kept:
            self._kept[id(variable)] = (variable, variable.data)
            variable.data = variable.data.clone()

    def __enter__(self) -> Self:
        current.stateless.append(self)
        for variable, value in self._given:
            self.add_update((variable, value.detach()))
        return self

    def __exit__(self, *_: object) -> None:
        current.stateless.remove(self)
        for key, (variable, data) in self._kept.items():
            self._values[key] = variable.data
            variable.data = data


class SymbolicScope:
    """Marks code that builds graphs; whether values are symbolic is told by the values themselves.

    >>> import ramify
    >>> with SymbolicScope():
    ...     ramify.ops.ones(2).tolist()
    [1.0, 1.0]
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class RematScope:
    """Layers that are made within compute again, in the backward pass, what they would have kept for it.

    That is less memory for more time: see Chen et al., *Training Deep Nets with Sublinear Memory Cost*, 2016.
    Random numbers are the same the second time, and moving averages move once.

    Args:
        mode: ``"full"``: every layer; ``"activations"``: activation functions alone; ``"larger_than"``: layers
            with a large result; ``"list_of_layers"``: those named; ``None``: no layer.
        output_size_threshold: for ``"larger_than"``: the number of numbers in a result, batch included, up to which
            it is kept.
        layer_names: for ``"list_of_layers"``.

    Raises:
        ArgumentError: an unknown mode.

    Example:

    >>> import ramify
    >>> with RematScope("full"):
    ...     layer = ramify.layers.Dense(4, activation="gelu")
    >>> layer(ramify.ops.ones((1, 3))).shape
    torch.Size([1, 4])
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Iterable[str] | None = None
    ) -> None:
        if mode not in REMAT_MODES:
            raise ArgumentError(f"RematScope has no mode {mode!r}. Use one of {', '.join(map(str, REMAT_MODES))}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = tuple(layer_names or ())

    def __enter__(self) -> Self:
        current.remat.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        current.remat.remove(self)

    @staticmethod
    def current() -> RematScope | None:
        """The innermost scope, or ``None`` where there is none or it recomputes nothing."""
        scope = current.remat[-1] if current.remat else None
        return None if scope is None or scope.mode is None else scope


def device(device_name: str | torch.device) -> torch.device:
    """Where tensors are made within a ``with`` block: ``"cpu"``, ``"gpu:0"`` (which is ``"cuda:0"``), ``"meta"``.

    >>> import ramify
    >>> with device("meta"):
    ...     ramify.ops.ones(2).device.type
    'meta'
    """
    return torch.device(device_name.replace("gpu", "cuda") if isinstance(device_name, str) else device_name)
