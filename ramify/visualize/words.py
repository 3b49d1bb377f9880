"""Short words for what a layer or an operation was told: ``3×3, 64, /2`` for a convolution, ``× 2`` for a product."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ramify import dtypes
from ramify.graph import Node, SymbolicTensor, SymbolicValue
from ramify.graph.structure import is_namedtuple

_SYMBOLS = {
    "add": "+", "sub": "−", "mul": "×", "truediv": "÷", "floordiv": "//", "mod": "mod", "pow": "^", "matmul": "@",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=", "ne": "≠", "neg": "−", "and_": "and", "or_": "or",
    "xor": "xor", "invert": "not",
}  # fmt: skip
_LONGEST = 26


def shape_text(value: Any) -> str:
    """A shape as it is printed, ``?`` where there is none.

    >>> shape_text(None), shape_text((None, 3))
    ('?', '(None, 3)')
    """
    return "?" if value is None else str(tuple(value))


def short_shape(shape: Sequence[int | None]) -> str:
    """A shape for a picture: ``B`` is the batch, ``?`` any other unknown size.

    >>> short_shape((None, 28, 28, 3)), short_shape(()), short_shape((None, None))
    ('B × 28 × 28 × 3', 'scalar', 'B × ?')
    """
    if not shape:
        return "scalar"
    sizes = ["?" if size is None else str(size) for size in shape]
    return " × ".join(["B" if shape[0] is None else sizes[0], *sizes[1:]])


def shapes_in(outputs: Any) -> list[Any]:
    """The shapes of the symbolic tensors in a nested result; those of one tensor are one entry."""
    if isinstance(outputs, SymbolicTensor):
        return [outputs.shape]
    items = outputs.values() if isinstance(outputs, dict) else outputs if isinstance(outputs, (list, tuple)) else ()
    return [shape for item in items for shape in shapes_in(item)]


# ---- layers ----


def _sizes(value: Any) -> str:
    items = value if isinstance(value, (list, tuple)) else [value]
    words = (_sizes(item) if isinstance(item, (list, tuple)) else "?" if item is None else str(item) for item in items)
    return "×".join(words)


def _all_ones(value: Any) -> bool:
    return all(item == 1 for item in (value if isinstance(value, (list, tuple)) else [value]))


def _strides(value: Any) -> str:
    same = isinstance(value, (list, tuple)) and len(set(value)) == 1
    return "" if _all_ones(value) else f"/{_sizes(value[0] if same else value)}"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _named(value: Any) -> str:
    name = getattr(value, "__name__", "") or (type(value).__name__ if callable(value) else str(value))
    return "" if name in ("linear", "None", "<lambda>") else name


# Attribute -> word, in the order in which they are read.
_WORDS: dict[str, Callable[[Any], str]] = {
    "kernel_size": _sizes,
    "pool_size": _sizes,
    "filters": _number,
    "units": _number,
    "strides": _strides,
    "dilation_rate": lambda value: "" if _all_ones(value) else f"dilation {_sizes(value)}",
    "groups": lambda value: "" if value in (1, None) else f"groups {value}",
    "padding": lambda value: "same" if value == "same" else value if value == "causal" else "",
    "num_heads": lambda value: f"{value} heads",
    "key_dim": lambda value: f"× {value}",
    "target_shape": lambda value: f"to {_sizes(value)}",
    "dims": lambda value: str(tuple(value)),
    "n": lambda value: f"{value} times" if isinstance(value, int) else "",
    "size": lambda value: f"{_sizes(value)}" if isinstance(value, (int, tuple)) else "",
    "rate": _number,
    "stddev": _number,
    "merge_mode": str,
    "return_sequences": lambda value: "sequences" if value else "",
    "function": _named,
}
_CALLED = ("function", "activation")
_READ = frozenset((*_WORDS, "axis", "activation", "input_dim", "output_dim"))


def _told(layer: Any) -> dict[str, Any]:
    """The attributes of a layer that say something; asking a module for one that it lacks is slow."""
    kind: Any = type(layer)
    names = _READ & getattr(layer, "__dict__", {}).keys()
    told = {name: value for name in names | _names_of(kind) if (value := getattr(layer, name, None)) is not None}
    return {name: value for name, value in told.items() if name in _CALLED or not inspect.isroutine(value)}


@functools.cache
def _names_of(cls: type) -> frozenset[str]:
    return frozenset(name for name in _READ if hasattr(cls, name))


def activation_word(layer: Any) -> str:
    """The name of the activation that a layer has beside what it does; empty without one."""
    kind: Any = type(layer)
    known = "activation" in getattr(layer, "__dict__", {}) or "activation" in _names_of(kind)
    if not known or type(layer).__name__ == "Activation":
        return ""
    return _named(layer.activation) if layer.activation is not None else ""


def config_line(layer: Any, activation: bool = False) -> str:
    """What a layer was told, in a few words.

    Args:
        layer: a layer.
        activation: whether to name the activation of a layer that has one beside what it does.

    >>> import ramify
    >>> config_line(ramify.layers.Dense(64, activation="relu"), activation=True)
    '64, relu'
    """
    told = _told(layer)
    if "input_dim" in told and "output_dim" in told:
        return f"{told['input_dim']} × {told['output_dim']}"
    if told.get("pool_size") == told.get("strides"):
        told.pop("strides", None)
    words = [word(told[name]) for name, word in _WORDS.items() if name in told] if told else []
    if "Transpose" in type(layer).__name__:  # its strides make the image larger
        words = [f"×{word[1:]}" if word.startswith("/") else word for word in words]
    if type(layer).__name__ in ("Concatenate", "Softmax") and told.get("axis", -1) != -1:
        words.append(f"axis {told['axis']}")
    if "activation" in told and (activation or type(layer).__name__ == "Activation"):
        words.append(_named(told["activation"]))
    return ", ".join(word for word in words if word).replace(" heads, ×", " heads ×")


# ---- operations ----


def operation_words(node: Node) -> str:
    """A call of a function: its symbol or name, and the constants that it was given.

    >>> import ramify
    >>> x = ramify.Input((8,))
    >>> [operation_words(y.node) for y in (x * 2, 1 - x, x[:, 1:], x.mean(-1))]
    ['× 2', '1 −', '[:, 1:]', 'mean(-1)']
    """
    name = getattr(node.target, "__name__", node.label)
    args = list(node.args)
    if name == "getitem" and len(args) == 2:
        return _cut(_index(args[1]))
    if name == "getattr" and len(args) == 2:
        return f".{args[1]}"
    if name in _SYMBOLS:
        sign = _SYMBOLS[name]
        constants = [not isinstance(arg, SymbolicValue) for arg in args]
        if len(args) == 2 and any(constants):
            return _cut(f"{sign} {_constant(args[1])}" if constants[1] else f"{_constant(args[0])} {sign}")
        return sign
    words = [_constant(arg) for arg in args if not _symbolic(arg)]
    words += [f"{key}={_constant(arg)}" for key, arg in node.kwargs.items() if not _symbolic(arg)]
    name = node.label if name.startswith("_") or name == "<lambda>" else name
    return _cut(f"{name}({', '.join(words)})" if words else name)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _symbolic(value: Any) -> bool:
    items = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(item, SymbolicValue) for item in items)


def _constant(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if value is None or isinstance(value, (bool, int, str)):
        return str(value)
    if isinstance(value, (list, tuple)) and not is_namedtuple(value):
        return f"({', '.join(_constant(item) for item in value)})"
    if hasattr(value, "shape"):
        return f"constant {_sizes(list(value.shape))}" if len(value.shape) else "constant"
    if str(value).startswith("torch."):
        return dtypes.name(value) if "dtype" in type(value).__name__ else str(value)[6:]
    return getattr(value, "__name__", type(value).__name__)


def _index(key: Any) -> str:
    def part(one: Any) -> str:
        if isinstance(one, slice):
            ends = ["" if end is None else _constant(end) for end in (one.start, one.stop)]
            return ":".join(ends) + ("" if one.step is None else f":{_constant(one.step)}")
        return "…" if one is ... else _constant(one)

    return f"[{', '.join(map(part, key)) if isinstance(key, tuple) else part(key)}]"
