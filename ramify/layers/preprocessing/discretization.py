"""`Discretization`, and quantiles of more data than is kept: weighted samples of sorted values, merged by batches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from ramify.errors import ArgumentError, NotBuiltError
from ramify.layers.layer import Layer
from ramify.layers.preprocessing.adapting import as_array, batches_of
from ramify.layers.preprocessing.categories import VECTOR_MODES, checked_mode, encode, refuse_sparse
from ramify.registry import serializable

Summary = npt.NDArray[np.float64]


def empty() -> Summary:
    """A summary of nothing: two rows, values and weights."""
    return np.zeros((2, 0))


def summarize(values: Any, epsilon: float) -> Summary:
    """Every so many-th of the sorted values, which stands for those before it.

    Args:
        values: numbers, of any shape.
        epsilon: share of the data that one kept value may stand for.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    weight = max(1.0, len(ordered) * epsilon)
    kept = ordered[int(weight) - 1 :: int(weight)]
    return np.stack([kept, np.full_like(kept, weight)])


def merge(first: Summary, second: Summary, epsilon: float) -> Summary:
    """One summary of two sets of data."""
    both = np.concatenate([first, second], axis=1)
    return compress(both[:, np.argsort(both[0], kind="stable")], epsilon)


def compress(summary: Summary, epsilon: float) -> Summary:
    """At most ``1 / epsilon`` values, at even steps of the weight, interpolated between those that were kept."""
    if summary.shape[1] * epsilon < 1:
        return summary
    running = np.cumsum(summary[1])
    steps = epsilon * np.arange(1, math.ceil(1 / epsilon - 1e-9) + 1) * running[-1]
    values = np.interp(steps, running, summary[0])
    return np.stack([values, np.diff(np.interp(steps, running, running), prepend=0.0)])


def boundaries(summary: Summary, bins: int) -> list[float]:
    """The values that cut the data into `bins` parts of equal weight; fewer where fewer values are kept."""
    values: list[float] = compress(summary, 1 / bins)[0, :-1].astype(np.float32).tolist()
    return values


@serializable("keras.layers")
class Discretization(Layer):
    """Continuous values as numbers of ranges, whose boundaries are given or learned from data.

    Args:
        bin_boundaries: ascending boundaries; ``[0., 1.]`` makes three ranges, below 0, from 0 to below 1, from 1.
        num_bins: number of ranges that `adapt` finds, about equally full.
        epsilon: share of a batch that one value may stand for while `adapt` looks for quantiles.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``, as in `CategoryEncoding`.
        sparse: not supported, must be false.
        dtype: dtype of the vectors; numbers of ranges are int32.
        name: the layer's name.

    Raises:
        ArgumentError: neither or both of `bin_boundaries` and `num_bins`, boundaries that do not ascend.
        NotBuiltError: called before there are boundaries.

    Example:

    >>> Discretization([0.0, 1.0])(torch.tensor([-1.0, 0.0, 5.0]))
    tensor([0, 1, 2], dtype=torch.int32)
    """

    bin_boundaries: list[float] | None
    summary: Summary
    _cuts: torch.Tensor

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        refuse_sparse(sparse, "Discretization")
        if (num_bins is None) == (bin_boundaries is None):
            raise ArgumentError(
                f"Discretization takes either boundaries or the number of ranges; received num_bins={num_bins} and "
                f"bin_boundaries={bin_boundaries}. Pass one of them."
            )
        if num_bins is not None and num_bins < 1:
            raise ArgumentError(f"Discretization cannot make num_bins={num_bins} ranges. Pass 1 or more.")
        self.input_bin_boundaries = bin_boundaries is not None
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode = checked_mode(output_mode, ("int", *VECTOR_MODES), "Discretization")
        self.sparse = False
        self.__dict__["summary"] = empty()
        self._set(bin_boundaries)

    def _set(self, values: Any) -> None:
        own = self.__dict__
        own["bin_boundaries"] = None if values is None else [float(value) for value in values]
        if values is None:
            return
        cuts = torch.tensor(own["bin_boundaries"], dtype=torch.float32)
        if bool((cuts.diff() < 0).any()):
            raise ArgumentError(f"Discretization needs ascending boundaries, received {own['bin_boundaries']}. Sort.")
        self.register_buffer("_cuts", cuts, persistent=False)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find the boundaries that cut all data into `num_bins` parts; what was found before is forgotten.

        Args:
            data: array, tensor, or an iterable of batches, such as a `DataLoader`.
            steps: number of batches to take.
        """
        self._refuse_given("adapt")
        self.reset_state()
        for batch in batches_of(data, self.describe(), steps=steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take one batch into account."""
        self._refuse_given("update_state")
        added = summarize(as_array(data), self.epsilon)
        self.__dict__["summary"] = merge(self.summary, added, self.epsilon)

    def finalize_state(self) -> None:
        """Make boundaries out of what was seen."""
        if not self.input_bin_boundaries and self.summary.size and self.num_bins:
            self._set(boundaries(self.summary, self.num_bins))

    def reset_state(self) -> None:
        """Forget all data."""
        if not self.input_bin_boundaries:
            self.__dict__["summary"] = empty()

    def _refuse_given(self, what: str) -> None:
        if self.input_bin_boundaries:
            raise ArgumentError(f"{self.describe()}.{what}: the boundaries were given. Pass `num_bins` to learn them.")

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Numbers of ranges, or vectors of them."""
        if self.bin_boundaries is None:
            raise NotBuiltError(f"{self.describe()} has no boundaries yet. Call `adapt` first, or pass them.")
        x = inputs if inputs.is_floating_point() else inputs.to(torch.float32)
        found = torch.bucketize(x, self._cuts, out_int32=True, right=True)
        if self.output_mode == "int":
            return found
        return encode(found, self.output_mode, len(self.bin_boundaries) + 1, self.compute_torch_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with the boundaries that were learned."""
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described."""
        rest = dict(config)
        learned = rest.pop("bin_boundaries", None) if rest.get("num_bins") is not None else None
        layer = cls(**rest)
        if learned is not None:
            layer._set(np.asarray(learned, dtype=np.float64).tolist())
        return layer
