"""Dtype policies: in which dtype a layer computes, and in which it keeps its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
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


@serializable("keras", "FloatDTypePolicy")
class FloatDTypePolicy(DTypePolicy):
    """A `DTypePolicy` under Keras's name for those that are not quantized."""


@serializable("keras.dtype_policies")
class DTypePolicyMap(DTypePolicy, MutableMapping[str, Any]):
    """Policies by the paths of layers, or by regular expressions that match a whole path; else a default.

    Args:
        default_policy: for paths that nothing matches; the global policy when not given.
        policy_map: dict of paths to policies.

    Raises:
        ArgumentError: a path that stands in the map already, or that two expressions match.

    Example:

    >>> policies = DTypePolicyMap("float32", {"encoder/.*": "bfloat16"})
    >>> policies["encoder/dense"].name, policies["decoder/dense"].name
    ('bfloat16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None) -> None:
        self._given_default = None if default_policy is None else get(default_policy)
        self._policies = {path: get(policy) for path, policy in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths that nothing matches."""
        return self._given_default or dtype_policy()

    @property
    def _name(self) -> str:  # type: ignore[override]  # here it follows from the default
        return self.default_policy.name

    @property
    def name(self) -> str:
        """``"map_"`` and the name of the default."""
        return f"map_{self._name}"

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        found = [path for path in self._policies if re.fullmatch(path, key)]
        if len(found) > 1:
            raise ArgumentError(f"The path {key!r} matches several dtype policies: {found}. Make them exclude another.")
        return self._policies[found[0]] if found else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policies:
            raise ArgumentError(f"{key!r} has the dtype policy {self._policies[key].name!r} already. Delete it first.")
        self._policies[key] = get(policy)

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        default = None if self._given_default is None else serialize(self._given_default)
        return {"default_policy": default, "policy_map": {k: serialize(p) for k, p in self._policies.items()}}

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def __repr__(self) -> str:
        pairs = [(path, policy.name) for path, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self._name}, mapping={pairs}>"


_CLASSES: dict[Any, type[DTypePolicy]] = {
    "DTypePolicy": DTypePolicy,
    "Policy": DTypePolicy,
    "FloatDTypePolicy": FloatDTypePolicy,
    "DTypePolicyMap": DTypePolicyMap,
}


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
        kind = _CLASSES.get(identifier.get("class_name"))
        if kind is None:
            raise ArgumentError(f"{identifier.get('class_name')!r} is no dtype policy. Use DTypePolicy.")
        return kind.from_config(identifier["config"])
    return DTypePolicy(identifier if isinstance(identifier, str) else dtypes.name(identifier))


def serialize(policy: DTypePolicy) -> dict[str, Any]:
    """The policy as configs hold it."""
    return {
        "module": "keras.dtype_policies" if isinstance(policy, DTypePolicyMap) else "keras",
        "class_name": type(policy).__name__,
        "config": policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: Any, custom_objects: Any = None) -> DTypePolicy:
    """The policy that `serialize` described."""
    del custom_objects  # policies cannot be custom
    return get(config)
