"""Dtype policies: in which dtype a layer computes, and in which it keeps its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.registry import serializable

_QUANTIZED = re.compile(r"int8|float8|int4(/(-1|[1-9]\d*))?|(gptq|awq)/[1-8]/(-1|[1-9]\d*)")
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
    def quantization_mode(self) -> str | None:
        """How weights are quantized; ``None`` where they are not."""
        return None

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
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


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


@serializable("keras.dtype_policies")
class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a layer whose weights are quantized; computation goes on in the dtypes of another policy.

    Args:
        mode: ``"int8"``, ``"int4"``, ``"float8"``, or with numbers, such as ``"gptq/4/128"``: bits and size of groups.
        source_name: the policy that the layer had before; the global one when not given.
        quantization_config: the config of a layer that is quantized in another way than the mode alone says.

    Raises:
        ArgumentError: a mode that there is not.

    Example:

    >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
    >>> policy.name, policy.compute_dtype, policy.quantization_mode
    ('int8_from_mixed_bfloat16', 'bfloat16', 'int8')
    """

    def __init__(self, mode: str, source_name: str | None = None, quantization_config: Any = None) -> None:
        self.quantization_config = quantization_config
        if not isinstance(mode, str) or not _QUANTIZED.fullmatch(mode):
            raise ArgumentError(
                f"mode={mode!r} is no way to quantize. Use 'int8', 'int4', 'int4/128', 'float8', 'gptq/4/128' or "
                "'awq/4/128' (bits and size of groups; -1 is one group)."
            )
        super().__init__(source_name)
        self._mode, self._source_name = mode, self._name

    @property
    def name(self) -> str:
        """The mode and the policy it came from."""
        return f"{self._mode}_from_{self._source_name}"

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantized, without numbers."""
        return self._mode.split("/")[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {"mode": self._mode, "source_name": self._source_name}
        more = self.quantization_config
        return config if more is None else {**config, "quantization_config": more}


@serializable("keras.dtype_policies")
class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer that computes through 8-bit floats.

    Args:
        mode: ``"float8"``.
        source_name: see `QuantizedDTypePolicy`.
        amax_history_length: how many steps' largest values the scales follow.
    """

    default_amax_history_length = 1024

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int) or amax_history_length < 1:
            raise ArgumentError(f"amax_history_length={amax_history_length!r} must be a positive whole number.")
        self.amax_history_length = amax_history_length

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "amax_history_length": self.amax_history_length}

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and getattr(other, "amax_history_length", None) == self.amax_history_length

    __hash__ = DTypePolicy.__hash__


@serializable("keras.dtype_policies")
class Int4DTypePolicy(QuantizedDTypePolicy):
    """``int4/<inputs in a block>``; -1 is one block for all.

    >>> Int4DTypePolicy("int4/64", "float32").block_size
    64
    """

    @property
    def block_size(self) -> int:
        """Inputs that share a scale."""
        return int(self._mode.split("/")[1])


class _GroupedDTypePolicy(QuantizedDTypePolicy):
    @property
    def weight_bits(self) -> int:
        """Bits of a weight."""
        return int(self._mode.split("/")[1])

    @property
    def group_size(self) -> int:
        """Inputs that share a scale; -1: all."""
        return int(self._mode.split("/")[2])


@serializable("keras.dtype_policies")
class GPTQDTypePolicy(_GroupedDTypePolicy):
    """``gptq/<bits>/<inputs in a group>``."""


@serializable("keras.dtype_policies")
class AWQDTypePolicy(_GroupedDTypePolicy):
    """``awq/<bits>/<inputs in a group>``."""


_CLASSES: dict[Any, type[DTypePolicy]] = {
    "DTypePolicy": DTypePolicy,
    "Policy": DTypePolicy,
    "FloatDTypePolicy": FloatDTypePolicy,
    "DTypePolicyMap": DTypePolicyMap,
    "QuantizedDTypePolicy": QuantizedDTypePolicy,
    "QuantizedFloat8DTypePolicy": QuantizedFloat8DTypePolicy,
    "Int4DTypePolicy": Int4DTypePolicy,
    "GPTQDTypePolicy": GPTQDTypePolicy,
    "AWQDTypePolicy": AWQDTypePolicy,
}

_KINDS: dict[str, type[QuantizedDTypePolicy]] = {
    "float8": QuantizedFloat8DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
}


def _quantized(name: str) -> QuantizedDTypePolicy:
    mode, _, source = name.partition("_from_")
    word, *numbers = mode.split("/")
    kind = Int4DTypePolicy if word == "int4" and numbers else _KINDS.get(word, QuantizedDTypePolicy)
    return kind(mode, source)


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
    if isinstance(identifier, str) and "_from_" in identifier:
        return _quantized(identifier)
    return DTypePolicy(identifier if isinstance(identifier, str) else dtypes.name(identifier))


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The policy as configs hold it."""
    return {
        "module": "keras" if type(dtype_policy) in (DTypePolicy, FloatDTypePolicy) else "keras.dtype_policies",
        "class_name": type(dtype_policy).__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: Any, custom_objects: Any = None) -> DTypePolicy:
    """The policy that `serialize` described."""
    del custom_objects  # policies cannot be custom
    return get(config)
