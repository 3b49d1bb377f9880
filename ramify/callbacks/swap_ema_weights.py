"""`SwapEMAWeights`: evaluation by the moving average of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ramify.callbacks.callback import Callback
from ramify.errors import ArgumentError

Logs = Mapping[str, Any] | None


class SwapEMAWeights(Callback):
    """Puts the moving averages that the optimizer keeps in the place of the weights while the model is evaluated.

    Averages and weights change places in memory that both have already. After Polyak and Juditsky 1992, "Acceleration
    of stochastic approximation by averaging".

    Args:
        swap_on_epoch: the averages stay in place at the ends of epochs, too, so that callbacks after this one (such as
            `ModelCheckpoint`) save them; the next epoch begins with the weights.

    Raises:
        ArgumentError: the optimizer keeps no averages; by `fit`.

    >>> SwapEMAWeights().swap_on_epoch
    False
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    @torch.no_grad()
    def _swap(self) -> None:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ArgumentError(
                "SwapEMAWeights needs an optimizer that keeps averages of the weights. Make it with `use_ema=True`."
            )
        if not optimizer.built:  # no step was done yet: the average is what the weights are
            return
        for variable, average in optimizer.averages:
            kept = variable.detach().clone()
            variable.copy_(average)
            average.copy_(kept)
        self._swapped = optimizer.averages_in_place = not self._swapped

    def _average_in(self) -> None:
        if not self._swapped:
            self._swap()

    def _weights_in(self) -> None:
        if self._swapped:
            self._swap()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """The weights are in place."""
        self._weights_in()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """The averages, with `swap_on_epoch`."""
        if self.swap_on_epoch:
            self._average_in()

    def on_test_begin(self, logs: Logs = None) -> None:
        """The averages."""
        self._average_in()

    def on_test_end(self, logs: Logs = None) -> None:
        """The weights."""
        self._weights_in()

    def on_predict_begin(self, logs: Logs = None) -> None:
        """The averages."""
        self._average_in()

    def on_predict_end(self, logs: Logs = None) -> None:
        """The weights."""
        self._weights_in()

    def on_train_end(self, logs: Logs = None) -> None:
        """The averages have taken the weights' place for good; both are the same now."""
        self._weights_in()

    def on_exception(self, exception: BaseException) -> None:
        """The weights."""
        self._weights_in()

    def state_dict(self) -> dict[str, Any]:
        """Which of the two are in place."""
        return {"swapped": self._swapped}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The same."""
        self._swapped = bool(state["swapped"])
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        optimizer.averages_in_place = self._swapped
