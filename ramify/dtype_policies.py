"""Dtype policies: in which dtype a layer computes, and in which it keeps its weights."""

from __future__ import annotations

from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.registry import serializable

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@serializable("keras", "Policy")
class DTypePolicy:
    """The dtype of a layer's computation and that of its weights.

    Args:
        name: a dtype, for both; or ``"mixed_float16"`` / ``"mixed_bfloat16"``: weights in float32, computation in half
            precision. The default is the global policy's name.

    Example:

    >>> DTypePolicy("mixed_bfloat16").variable_dtype
    'float32'
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = dtype_policy().name if name is None else _checked(name)

    @property
    def name(self) -> str:
        """The name it was made with."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype that inputs are cast to and results have."""
        return _MIXED.get(self._name, self._name)

    @property
    def variable_dtype(self) -> str:
        """The dtype weights are kept in."""
        return "float32" if self._name in _MIXED else self._name

    @property
    def quantization_mode(self) -> None:
        """Always ``None``: quantized policies are not part of this library."""
        return

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """A floating tensor cast to `dtype` where `autocast` says so; anything else unchanged."""
        if autocast and isinstance(x, torch.Tensor) and x.is_floating_point():
            return x.to(dtypes.to_torch(dtype))
        return x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """The policy that `get_config` described."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other._name == self._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


def _checked(name: str) -> str:
    return name if name in _MIXED else dtypes.name(name)


_policy: list[DTypePolicy] = []


def dtype_policy() -> DTypePolicy:
    """The global policy: what was set, else one of the default float dtype."""
    return _policy[-1] if _policy else DTypePolicy(dtypes.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the global policy by name or object; ``None`` goes back to the default float dtype."""
    _policy[:] = [] if policy is None else [get(policy)]


def get(identifier: Any) -> DTypePolicy:
    """A policy from a policy, a name, a dtype, a config, or ``None`` (the global one).

    Raises:
        ArgumentError: a name that is no dtype and no mixed policy.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        if identifier.get("class_name") not in ("DTypePolicy", "Policy"):
            raise ArgumentError(f"{identifier.get('class_name')!r} is no dtype policy. Use DTypePolicy.")
        return DTypePolicy.from_config(identifier["config"])
    return DTypePolicy(identifier if isinstance(identifier, str) else dtypes.name(identifier))


def serialize(policy: DTypePolicy) -> dict[str, Any]:
    """The policy as configs hold it."""
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: Any, custom_objects: Any = None) -> DTypePolicy:
    """The policy that `serialize` described."""
    del custom_objects  # policies cannot be custom
    return get(config)
