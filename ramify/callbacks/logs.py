"""Logs that stay on the device until somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

Source = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


def flat_sorted(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Logs in the order in which they are shown: by name; metrics that give several numbers come in their place.

    >>> flat_sorted({"loss": 1, "compile_metrics": {"mae": 2}})
    {'mae': 2, 'loss': 1}
    """
    flat: dict[str, Any] = {}
    for key in sorted(logs):
        value = logs[key]
        if isinstance(value, Mapping):
            flat.update(flat_sorted(value))
        else:
            flat[key] = value
    return flat


def to_numbers(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors become floats (arrays where they hold more than one number); one transfer fetches them all.

    >>> to_numbers({"loss": torch.tensor(0.5), "step": 3})
    {'loss': 0.5, 'step': 3}
    """
    logs = flat_sorted(logs)
    far = [k for k, v in logs.items() if isinstance(v, torch.Tensor) and v.device.type != "cpu" and v.numel() == 1]
    if len(far) > 1:
        fetched = torch.stack([logs[key].detach().reshape(()).to(torch.float64) for key in far]).tolist()
        logs.update(zip(far, fetched, strict=True))
    return {key: _number(value) for key, value in logs.items()}


def _number(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        value = value.detach()
        return value.item() if value.ndim == 0 else value.float().cpu().numpy()
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        return value.item()
    return value if isinstance(value, (int, float, np.ndarray)) or not hasattr(value, "__float__") else float(value)


class Logs(dict[str, Any]):
    """A dict of numbers that are fetched from the device when it is first read.

    Args:
        source: name -> number or scalar tensor, or a function that gives such a mapping. A function is called at the
            first reading, so that whoever keeps the logs for later must `hold` them first.

    >>> Logs({"loss": torch.tensor(2.0)})["loss"]
    2.0
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source: Source | None = source

    def hold(self) -> Logs:
        """Fix the values to those of now, without waiting for the device."""
        if callable(self._source):
            # A metric may give its state itself, which goes on changing.
            now = flat_sorted(self._source())
            self._source = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in now.items()}
        return self

    def read(self) -> Logs:
        """Fetch the numbers."""
        source, self._source = self._source, None
        if source is not None:
            super().update(to_numbers(source() if callable(source) else source))
        return self

    def __iter__(self) -> Iterator[str]:
        self.read()
        return super().__iter__()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _reading(name: str) -> Callable[..., Any]:
    plain = getattr(dict, name)

    def method(self: Logs, *args: Any, **kwargs: Any) -> Any:
        self.read()
        return plain(self, *args, **kwargs)

    method.__name__ = name
    return method


for _name in (
    "__getitem__ __setitem__ __delitem__ __contains__ __len__ __repr__ __eq__ __ne__ __or__ __ror__ __ior__ "
    "__reversed__ get keys values items copy pop popitem setdefault update clear"
).split():
    setattr(Logs, _name, _reading(_name))
