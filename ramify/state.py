"""Tensors with a name that optimizers and metrics keep their state in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


class State(torch.Tensor):
    """A tensor that has a name and can be assigned; operations on it give plain tensors.

    Assigning works in place, so that whoever holds the tensor (an optimizer's list, a captured graph) sees the new
    numbers; only a value on another device moves the state there.

    >>> total = State.make(torch.zeros(()), "total", "mean/total")
    >>> total.assign_add(2.0).numpy()
    array(2., dtype=float32)
    """

    # As nn.Parameter does: operations give plain tensors, without a detour through Python.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    name = ""
    path = ""
    trainable = False

    @staticmethod
    def make(data: torch.Tensor, name: str, path: str = "") -> State:
        """`data` under a name; the memory is shared. Subclasses of tensors (DTensor) stay what they are."""
        state: Any = data.detach()
        if type(state) is torch.Tensor:
            state = state.as_subclass(State)
        state.name, state.path = name, path or name
        result: State = state
        return result

    @property
    def value(self) -> torch.Tensor:
        """The numbers, as a plain tensor on the same memory."""
        return self.detach().as_subclass(torch.Tensor)

    def assign(self, value: Any) -> State:
        """Take over the numbers of `value`: a tensor, an array or a number.

        Args:
            value: of the same shape.
        """
        with torch.no_grad():
            if isinstance(value, torch.Tensor) and value.device != self.device:
                self.move(value.device)
            self.copy_(value if isinstance(value, torch.Tensor) else torch.as_tensor(value).expand(self.shape))
        return self

    def assign_add(self, value: Any) -> State:
        """Add the numbers of `value` in place."""
        return self._in_place(value, 1)

    def assign_sub(self, value: Any) -> State:
        """Take away the numbers of `value` in place."""
        return self._in_place(value, -1)

    def _in_place(self, value: Any, sign: int) -> State:
        with torch.no_grad():
            if isinstance(value, torch.Tensor):
                if value.device != self.device:
                    self.move(value.device)
            elif not isinstance(value, (int, float)):
                value = torch.as_tensor(value, device=self.device)
            self.add_(value, alpha=sign)
        return self

    def move(self, device: torch.device) -> State:
        """Keep the numbers on `device` from now on."""
        self.data = self.data.to(device)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        if id(self) not in memo:
            memo[id(self)] = State.make(self.value.clone(), self.name, self.path)
        result: State = memo[id(self)]
        return result

    def __reduce_ex__(self, protocol: Any) -> Any:
        return State.make, (self.value, self.name, self.path)

    def numpy(self, *, force: bool = True) -> np.ndarray[Any, Any]:
        """The numbers as an array; waits for the device."""
        return super().detach().as_subclass(torch.Tensor).numpy(force=force)
