"""What the library's optimizers share: their formulas work on whole lists of tensors."""

from __future__ import annotations

from typing import Any

import torch

from ramify.optimizers.base import Optimizer
from ramify.variables import Variable

Tensors = list[torch.Tensor]

# torch's fused kernels correct Adam's bias by themselves, from the number of the step. With a step this large the
# correction is none, and the one in Keras's formula goes into the learning rate.
_FAR = 1e30


class ListOptimizer(Optimizer):
    """An optimizer whose formula is `update_list`."""

    def update_list(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables of one device and dtype, in place.

        Args:
            grads: gradients; may be overwritten only where they are no one else's.
            variables: what they belong to.
            learning_rate: rate of this step.
            index: places of the variables among those the optimizer was built for; all of them when ``None``.
        """
        raise NotImplementedError

    @property
    def fading_ends(self) -> bool:
        """Yes, but where nothing else keeps a division by an average finite."""
        return bool(getattr(self, "epsilon", 1.0))

    def create_state(self, variables: Tensors) -> None:
        """Add the formula's state, and sort the variables by device and dtype."""
        self.add_state(variables)
        self._group(variables)

    def add_state(self, variables: Tensors) -> None:
        """Add the formula's state: none here."""

    def _group(self, variables: Tensors) -> None:
        groups: dict[Any, list[int]] = {}
        for place, variable in enumerate(variables):
            groups.setdefault((variable.device, variable.dtype), []).append(place)
        self._groups = list(groups.values())
        strides = {id(variable): state.stride() for state, variable in self._references}
        self._strides = [strides.get(id(variable)) for variable in variables]

    def _follow_devices(self, device: torch.device) -> None:
        super()._follow_devices(device)
        self._group(self._variables)

    def update_all(self, grads: Tensors, variables: Tensors, learning_rate: float, index: list[int] | None) -> None:
        """Update variables: all that share a device and dtype at once."""
        if type(self).update_step is not ListOptimizer.update_step:  # a subclass of the user's
            super().update_all(grads, variables, learning_rate, index)
        elif len(self._groups) == 1:
            self.update_list(grads, variables, learning_rate, index)
        else:
            at = {place: i for i, place in enumerate(range(len(variables)) if index is None else index)}
            for group in self._groups:
                own = [place for place in group if place in at]
                if own:
                    picked = [at[place] for place in own]
                    self.update_list([grads[i] for i in picked], [variables[i] for i in picked], learning_rate, own)

    def update_step(self, gradient: torch.Tensor, variable: torch.Tensor, learning_rate: Any) -> None:
        """Update one variable by its gradient."""
        self.update_list([gradient], [variable], float(learning_rate), [self._get_variable_index(variable)])

    def _far_steps(self, variables: Tensors) -> Tensors:
        """Step numbers that switch off the bias correction of torch's fused kernels."""
        device = variables[0].device
        far = self.__dict__.get("_far")
        if far is None or len(far) != len(variables) or far[0].device != device:
            far = self._far = [torch.tensor(_FAR, device=device)] * len(variables)
        return far

    def fusable(self, variables: Tensors, index: list[int] | None) -> bool:
        """Whether torch's fused kernels may walk over the memory: state lies there as the variables do, without gaps.

        Gradients do so anyhow.
        """
        return list(map(torch.Tensor.stride, variables)) == self._pick(self._strides, index) and (
            isinstance(variables[0], Variable) or type(variables[0].data) is torch.Tensor
        )
