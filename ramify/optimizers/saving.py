"""An optimizer's state: which tensors there are, in which order, and how they get into files and back."""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.optimizers.scalar import HostScalar
from ramify.variables import State


class StateAccess:
    """The part of an optimizer that keeps its state."""

    name: str
    built: bool
    _iterations: HostScalar
    _learning_rate: Any
    build: Callable[[Iterable[torch.Tensor]], None]
    apply: Callable[..., None]

    def _init_state(self) -> None:
        self._variables: list[torch.Tensor] = []
        self._places: dict[int, int] = {}
        self._state: list[Any] = []
        self._references: list[tuple[State, torch.Tensor]] = []
        self._constrained = False
        self._device: torch.device | None = None
        self._excluded: list[torch.Tensor] = []
        self._excluded_names: list[str] = []

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In a copy the variables are others, and so are the ids that they are found by."""
        self.__dict__.update(state)
        self._set_variables(self._variables)

    def _set_variables(self, variables: list[torch.Tensor]) -> None:
        self._variables = variables
        self._places = {id(variable): place for place, variable in enumerate(variables)}
        self._constrained = any(getattr(variable, "constraint", None) is not None for variable in variables)
        self._device = variables[0].device if variables else None

    def extend(self, variables: Iterable[torch.Tensor]) -> None:
        """Take on further variables, such as weights that were thawed; state and step count of the others stay.

        `Model.compile` does this where it is given an optimizer that has trained some of the model's weights. New state
        begins as in a new optimizer, moving averages at the values of their variables. Corrections for first steps, as
        Adam's, go by the steps of the optimizer, so that those of new weights are larger for a while.

        Args:
            variables: all that will be trained from now on; their order is that of the state. What is known already
                and is not among them keeps its state, too.

        Example:

        >>> from ramify.optimizers import SGD
        >>> one, two = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
        >>> optimizer = SGD(0.1, momentum=0.9)
        >>> optimizer.apply([torch.ones(1)], [one])
        >>> optimizer.extend([one, two])
        >>> optimizer.apply([torch.ones(1), torch.ones(1)])
        >>> one.detach(), two.detach()
        (tensor([0.7100]), tensor([0.9000]))
        """
        variables = list(variables)
        known = set(self._places)
        if self.built and all(id(variable) in known for variable in variables):
            return
        given = set(map(id, variables))
        before, old = dict(self.__dict__), self._by_owner()
        self._state, self._references, self.built = [], [], False
        try:
            self.build([*variables, *(one for one in self._variables if id(one) not in given)])
        except BaseException:
            self.__dict__.update(before)
            raise
        with torch.no_grad():
            for owner, states in self._by_owner().items():
                for new, kept in zip(states, old.get(owner, ()), strict=False):
                    new.copy_(kept)
            for variable, average in getattr(self, "averages", ()) if known else ():
                if id(variable) not in known:
                    average.copy_(variable)

    def knows(self, variable: torch.Tensor) -> bool:
        """Whether it was built for a variable."""
        return id(variable) in self._places

    def _by_owner(self) -> dict[Any, list[State]]:
        """State by the variable that it belongs to, or by its name; in the order in which it was made."""
        owner = {id(state): id(variable) for state, variable in self._references}
        found: dict[Any, list[State]] = {}
        for state in self._state:
            if isinstance(state, State):
                found.setdefault(owner.get(id(state), state.name), []).append(state)
        return found

    @property
    def variables(self) -> list[Any]:
        """Iteration count, learning rate (unless a schedule gives it) and all state, in the order of Keras's files."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, HostScalar) else []
        return [self._iterations, *rate, *self._state]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> State:
        """Create state of any shape.

        Args:
            shape: its shape.
            initializer: ``"zeros"``, ``"ones"``, or a function of ``(shape, dtype)``.
            dtype: its dtype; float32 when ``None``.
            aggregation: taken for Keras's sake; there is one copy here.
            layout: likewise.
            name: its name.
        """
        del aggregation, layout
        torch_dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype or torch.float32
        data = _filled(torch.empty(tuple(shape), dtype=torch_dtype, device=self._device), initializer)
        name = name or "variable"
        state = State.make(data, name, f"{self.name}/{name}")
        self._state.append(state)
        return state

    def add_variable_from_reference(
        self, reference_variable: torch.Tensor, name: str | None = None, initializer: Any = "zeros"
    ) -> State:
        """Create state like a variable: of its shape, dtype and device.

        Args:
            reference_variable: the variable.
            name: what the state is; the variable's own name goes before.
            initializer: ``"zeros"``, ``"ones"``, or a function of ``(shape, dtype)``.
        """
        own = self._variable_name(reference_variable).replace("/", "_")
        full = f"{own}_{name}" if name else own
        with torch.no_grad():
            data = _filled(torch.empty_like(reference_variable), initializer)
        state = State.make(data, full, f"{self.name}/{full}")
        self._state.append(state)
        self._references.append((state, reference_variable))
        return state

    def add_optimizer_variables(
        self, trainable_variables: Iterable[torch.Tensor], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Create state like each of several variables.

        Args:
            trainable_variables: the variables.
            name: what the state is, or several such names.
            initializer: as in `add_variable_from_reference`, one or one for each name.

        Returns:
            A list of states; a list of lists where there are several names.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = [initializer] * len(names) if isinstance(initializer, str) or callable(initializer) else initializer
        lists: list[list[State]] = [[] for _ in names]
        for variable in trainable_variables:
            for states, part, start in zip(lists, names, starts, strict=True):
                states.append(self.add_variable_from_reference(variable, part, start))
        return lists[0] if isinstance(name, str) else lists

    def _variable_name(self, variable: torch.Tensor) -> str:
        path = getattr(variable, "path", None) or getattr(variable, "name", None)
        return path or f"variable_{self._places.get(id(variable), 0)}"

    def _get_variable_index(self, variable: torch.Tensor) -> int:
        """Place of a variable among those the optimizer was built for."""
        place = self._places.get(id(variable))
        if place is None:
            raise ArgumentError(
                f"{self.name} was not built for the variable {self._variable_name(variable)} of shape "
                f"{tuple(variable.shape)}. Compile the model again after thawing weights, or call `extend(variables)`; "
                "for another model make a new optimizer."
            )
        return place

    def _index_of(self, grads: Sequence[Any], variables: Sequence[torch.Tensor]) -> list[int] | None:
        """Places of the variables with gradients; ``None`` where these are all the built ones in their order."""
        own = self._variables
        same = variables is own or (len(variables) == len(own) and all(map(operator.is_, variables, own)))
        whole = same and not any(map(_is_none, grads))
        if variables and variables[0].device != self._device:
            self._follow_devices(variables[0].device)
        if whole:
            return None
        index = [self._get_variable_index(v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not index:
            raise ArgumentError(
                f"{self.name} received no gradients: all {len(grads)} are None. "
                "Does the loss depend on the variables, and do they require gradients?"
            )
        return index

    def _follow_devices(self, device: torch.device) -> None:
        """Move state to where its variables are now."""
        self._device = device
        for state, reference in self._references:
            if state.device != reference.device:
                state.data = state.data.to(reference.device)

    @staticmethod
    def _pick(states: list[Any], index: list[int] | None) -> list[Any]:
        return states if index is None else [states[i] for i in index]

    def _use_weight_decay(self, variable: torch.Tensor) -> bool:
        if any(variable is excluded for excluded in self._excluded):
            return False
        path = self._variable_name(variable)
        name = path.rsplit("/", 1)[-1]
        return not any(re.search(part, path if "/" in part else name) for part in self._excluded_names)

    @staticmethod
    def assign(variable: Any, value: Any) -> None:
        """Give a variable new numbers, in place."""
        with torch.no_grad():
            variable.copy_(value if isinstance(value, torch.Tensor) else torch.as_tensor(value).expand(variable.shape))

    @staticmethod
    def assign_add(variable: Any, value: Any) -> None:
        """Add to a variable, in place."""
        with torch.no_grad():
            variable.add_(value)

    @staticmethod
    def assign_sub(variable: Any, value: Any) -> None:
        """Take away from a variable, in place."""
        with torch.no_grad():
            variable.sub_(value)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all of `variables`.

        Args:
            weights: arrays or numbers in the order of `variables`.

        Raises:
            ArgumentError: another number of them, or other shapes.
        """
        variables = self.variables
        if len(weights) != len(variables):
            raise ArgumentError(
                f"{self.name} has {len(variables)} variables, but received {len(weights)} weights. "
                "Build it for the variables the weights were saved with."
            )
        for variable, weight in zip(variables, weights, strict=True):
            if tuple(np.shape(weight)) != tuple(variable.shape):
                raise ArgumentError(
                    f"{variable.path} has shape {tuple(variable.shape)}, but received {tuple(np.shape(weight))}."
                )
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Write `variables` into a mapping, under ``"0"``, ``"1"`` and so on.

        Args:
            store: a dict, or a group of an HDF5 file.
        """
        for place, variable in enumerate(self.variables):
            store[str(place)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read `variables` from a mapping that `save_own_variables` wrote, here or in Keras.

        Where their number differs, a warning is given and nothing is read.

        Args:
            store: a dict, or a group of an HDF5 file.
        """
        variables = self.variables
        if len(store) != len(variables):
            warnings.warn(
                f"State of {self.name} was not loaded: it has {len(variables)} variables, the file {len(store)}. "
                "Build the optimizer for the same variables first.",
                stacklevel=2,
            )
            return
        self.set_weights([np.asarray(store[str(place)]) for place in range(len(variables))])

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[torch.Tensor], list[Any]]:
        """What `apply` would make of given numbers, while optimizer and variables stay what they are.

        Args:
            optimizer_variables: numbers for `variables`.
            grads: gradients.
            trainable_variables: numbers for the variables the optimizer was built for.

        Returns:
            New numbers of the variables and of the optimizer's variables.
        """
        if not self.built:
            raise ArgumentError(f"{self.name} must be built before stateless_apply. Call `build(variables)`.")
        own = self.variables
        before = [v.number if isinstance(v, HostScalar) else v.data for v in own], [v.data for v in self._variables]
        try:
            for variable, number in zip(own, optimizer_variables, strict=True):
                if isinstance(variable, HostScalar):
                    variable.assign(number)
                else:
                    variable.data = torch.as_tensor(number).detach().clone()
            for variable, number in zip(self._variables, trainable_variables, strict=True):
                variable.data = torch.as_tensor(number).detach().clone()
            self.apply(grads, self._variables)
            after = [v.number if isinstance(v, HostScalar) else v.data for v in own]
            return [variable.data for variable in self._variables], after
        finally:
            for variable, number in zip(own, before[0], strict=True):
                if isinstance(variable, HostScalar):
                    variable.number = number
                else:
                    variable.data = number
            for variable, number in zip(self._variables, before[1], strict=True):
                variable.data = number


def _is_none(x: Any) -> bool:
    return x is None


def _filled(data: torch.Tensor, initializer: Any) -> torch.Tensor:
    if initializer == "zeros":
        return data.zero_()
    if initializer == "ones":
        return data.fill_(1.0)
    if callable(initializer):
        return data.copy_(torch.as_tensor(initializer(tuple(data.shape), data.dtype)))
    raise ArgumentError(f"Unknown initializer {initializer!r}. Use 'zeros', 'ones' or a function of (shape, dtype).")
