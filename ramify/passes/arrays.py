"""Predictions as arrays that are the caller's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ramify import dtypes
from ramify.graph.structure import map_leaves


def as_array(value: Any) -> Any:
    """A tensor as a NumPy array on the CPU; bfloat16, which NumPy lacks, as float32."""
    return dtypes.to_numpy(value) if isinstance(value, torch.Tensor) else value


def apart(outputs: Any, inputs: Iterable[Any]) -> Any:
    """Outputs in their structure; copies of those that lie in the memory of an input, as one passed through does.

    >>> x = torch.ones(2)
    >>> apart([x.view(1, 2), x + 1], [x])[0].data_ptr() == x.data_ptr()
    False
    """
    given = {_place(one) for one in inputs if isinstance(one, torch.Tensor)}
    return map_leaves(
        lambda one: one.clone() if isinstance(one, torch.Tensor) and _place(one) in given else one, outputs
    )


def new_arrays(outputs: Any, inputs: Iterable[Any]) -> Any:
    """Outputs as arrays, in their structure, none of them in the memory of an input."""
    return map_leaves(as_array, apart(outputs, inputs))


def _place(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr() if tensor.layout is torch.strided else id(tensor)
