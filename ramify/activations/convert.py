"""What is not a tensor yet becomes one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ramify import dtypes

# Every activation opens with `if not isinstance(x, Tensor): x = to_tensor(x)`: on the hot path, that is one quick test.
Tensor = torch.Tensor


def to_tensor(x: Any) -> Any:
    """A tensor of a number, an array or nested lists of numbers. Anything else, symbolic tensors included, as it is.

    Python floats become `floatx`; arrays keep their dtype.
    """
    if isinstance(x, (np.ndarray, np.generic)):
        return torch.as_tensor(x)
    if isinstance(x, (bool, int, float, list, tuple)):
        made = torch.as_tensor(x)
        return made.to(dtypes.to_torch(None)) if made.is_floating_point() else made
    return x
