"""`Metric`, what every metric derives from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch

from ramify import dtypes, naming, registry
from ramify.errors import ArgumentError
from ramify.losses.tensors import as_tensor
from ramify.variables import State


@registry.serializable("keras.metrics")
class Metric:
    """The base of all metrics: a number that is gathered over batches.

    A subclass makes its state by `add_variable`, gathers in `update_state`, and computes in `result`. State begins on
    the CPU and follows what it is updated with; updating never waits for the device.

    Args:
        dtype: dtype of the numbers; `floatx` when ``None``.
        name: name of the metric; made up from the class name when ``None``.

    Example:

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest"):
    ...         super().__init__(name=name)
    ...         self.seen = self.add_variable((), "zeros", name="seen")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.seen.assign(torch.maximum(self.seen, y_pred.max()))
    ...     def result(self):
    ...         return self.seen.value
    >>> Largest()(None, torch.tensor([1.0, 3.0]))
    tensor(3.)
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or naming.auto_name(type(self).__name__)
        self._dtype = dtypes.to_torch(getattr(dtype, "variable_dtype", dtype))
        self._states: list[State] = []
        self._starts: list[Callable[[State], Any]] = []
        self._device = torch.device("cpu")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update_state" in cls.__dict__:
            cls.update_state = _without_grad(cls.__dict__["update_state"])  # type: ignore[method-assign]

    @property
    def dtype(self) -> str:
        """Name of the dtype of the numbers."""
        return dtypes.name(self._dtype)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> State:
        """Create state.

        Args:
            shape: its shape.
            initializer: ``"zeros"``, ``"ones"``, or a function of ``(shape, dtype)``; `reset_state` uses it again.
            dtype: its dtype; that of the metric when ``None``.
            aggregation: how copies of several processes would be joined.
            name: its name.

        Returns:
            A tensor with `assign`, `assign_add` and `numpy`.
        """
        del aggregation
        torch_dtype = self._dtype if dtype is None else dtypes.to_torch(dtype)
        start = _starter(initializer)
        name = name or "variable"
        data = torch.empty(tuple(shape), dtype=torch_dtype, device=self._device)
        state = State.make(data, name, f"{self.name}/{name}")
        start(state)
        self._states.append(state)
        self._starts.append(start)
        return state

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> State:
        """Create state, as `add_variable` does; zeros where no initializer is given."""
        return self.add_variable(shape, "zeros" if initializer is None else initializer, dtype, name=name)

    @property
    def variables(self) -> list[State]:
        """All state, that of metrics held as attributes after its own."""
        found = list(self._states)
        for value in self.__dict__.values():
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if isinstance(item, Metric):
                    found.extend(item.variables)
        return found

    def follow(self, device: torch.device) -> None:
        """Keep the state on `device` from now on."""
        if device != self._device:
            self._device = device
            for state in self._states:
                state.move(device)

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Gather a batch."""
        raise NotImplementedError(f"{type(self).__name__} has no `update_state`. Define it.")

    def result(self) -> Any:
        """The number, or numbers, of what was gathered so far."""
        raise NotImplementedError(f"{type(self).__name__} has no `result`. Define it.")

    @torch.no_grad()
    def reset_state(self) -> None:
        """Forget what was gathered."""
        for state, start in zip(self._states, self._starts, strict=True):
            start(state)
        for variable in self.variables[len(self._states) :]:
            variable.zero_()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Gather a batch and return `result`."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[torch.Tensor]:
        """What the state would be after a batch, while it stays what it is.

        Args:
            metric_variables: numbers for `variables`.
            *args: as `update_state` takes them.
            **kwargs: likewise.

        Returns:
            The new numbers.
        """

        def update() -> list[torch.Tensor]:
            self.update_state(*args, **kwargs)
            return [variable.value.clone() for variable in self.variables]

        result: list[torch.Tensor] = self._with_numbers(metric_variables, update)
        return result

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """What `result` would be for given numbers of `variables`."""
        return self._with_numbers(metric_variables, self.result)

    def stateless_reset_state(self) -> list[torch.Tensor]:
        """The numbers that `reset_state` would put into `variables`."""

        def reset() -> list[torch.Tensor]:
            self.reset_state()
            return [variable.value.clone() for variable in self.variables]

        result: list[torch.Tensor] = self._with_numbers([v.value for v in self.variables], reset)
        return result

    def _with_numbers(self, numbers: Sequence[Any], fn: Callable[[], Any]) -> Any:
        variables = self.variables
        if len(numbers) != len(variables):
            raise ArgumentError(f"{self.name} has {len(variables)} variables, but received numbers for {len(numbers)}.")
        before = [variable.data for variable in variables]
        try:
            for variable, number in zip(variables, numbers, strict=True):
                variable.data = as_tensor(number, variable.dtype).detach().clone()
            return fn()
        finally:
            for variable, data in zip(variables, before, strict=True):
                variable.data = data

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The metric that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _without_grad(update: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(update)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with torch.no_grad():
            return update(*args, **kwargs)

    return wrapped


def _starter(initializer: Any) -> Callable[[State], Any]:
    if initializer == "zeros":
        return torch.Tensor.zero_
    if initializer == "ones":
        return lambda state: state.fill_(1)
    if callable(initializer):
        return lambda state: state.copy_(as_tensor(initializer(tuple(state.shape), state.dtype)))
    raise ArgumentError(f"Unknown initializer {initializer!r}. Use 'zeros', 'ones' or a function of (shape, dtype).")


def ratio(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    """``above / below``, and 0 where `below` is 0."""
    if below.ndim == 0 and below.is_cpu and type(below) is torch.Tensor and not torch.compiler.is_compiling():
        return above / below if below.item() else torch.zeros_like(above)  # one operation instead of four
    nothing = below == 0
    return torch.where(nothing, 0.0, above / torch.where(nothing, 1.0, below))
