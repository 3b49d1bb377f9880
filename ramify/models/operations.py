"""Recorded operations as files hold them: under Keras's name where Keras has the same one, else under torch's.

One table says which functions are which operation of Keras. A row gives Keras's class, the names of what it is called
with, the names (and defaults) of what its constructor takes, and the functions that mean the same; the first of them
is what a file becomes. The order of the names is that of the functions' positional arguments.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError, FileFormatError
from ramify.graph import SymbolicTensor
from ramify.models import keras_operations, pure

Call = tuple[tuple[Any, ...], dict[str, Any]]
_Tensor = torch.Tensor
_REQUIRED = object()


@dataclass(frozen=True)
class Operation:
    """One row: an operation of Keras and the functions that are the same.

    Attributes:
        module: the file in Keras, ``"numpy"``, ``"nn"``, ``"core"``, ``"math"``.
        name: the class's name.
        inputs: what it is called with.
        config: what its constructor takes -> default.
        functions: the functions; the first is the one for reading.
        read: changes the arguments that a file gives into those of the function; ``None``: they are the same.
        write: changes what a call gave (by Keras's names) into what a file holds, in place; false where it cannot.
    """

    module: str
    name: str
    inputs: tuple[str, ...]
    config: dict[str, Any]
    functions: tuple[Callable[..., Any], ...]
    read: Callable[[dict[str, Any]], Call] | None = None
    write: Callable[[dict[str, Any]], bool] | None = None

    def bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Name -> value, or ``None`` for a call that Keras's operation cannot express."""
        names = (*self.inputs, *self.config)
        if self.name in _SPREAD and len(args) > 1 and isinstance(args[1], int):
            args = (args[0], args[1:])
        if len(args) > len(names):
            return None
        given = dict(zip(names, args, strict=False))
        for key, value in kwargs.items():
            if key == "_stacklevel" or (key in _SILENT and value is _SILENT[key]):
                continue
            name = next((one for one in (key, *_ALIAS.get(key, ())) if one in names and one not in given), None)
            if name is None:
                return None
            given[name] = value
        given = {**self.config, **given}
        if any(given.get(name, _REQUIRED) is _REQUIRED for name in names):
            return None
        return None if self.write is not None and not self.write(given) else given


# torch's keyword -> Keras's.
_ALIAS = {
    "input": ("x", "x1"),
    "self": ("x", "x1"),
    "other": ("x2",),
    "exponent": ("x2",),
    "mat2": ("x2",),
    "tensors": ("xs", "x"),
    "dim": ("axis",),
    "dims": ("axes", "axis"),
    "keepdim": ("keepdims",),
    "shape": ("newshape",),
    "min": ("x_min",),
    "max": ("x_max",),
    "equation": ("subscripts",),
}

# Operations whose sizes or axes may be given one by one, as in `x.reshape(2, 3)`.
_SPREAD = {"Reshape", "Transpose"}

# Keywords that torch's functions pass on although nobody gave them.
_SILENT = {"inplace": False, "dtype": None, "out": None, "rounding_mode": None}


def _row(module: str, name: str, inputs: str, config: dict[str, Any], *functions: Any, **hooks: Any) -> Operation:
    return Operation(module, name, tuple(inputs.split()), config, functions, **hooks)


def _function(name: str, home: Any = torch) -> tuple[Callable[..., Any], ...]:
    """A function of torch and the method of its name."""
    found = [getattr(place, name, None) for place in dict.fromkeys((home, torch, _Tensor))]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _one_tensor(given: dict[str, Any]) -> bool:
    return isinstance(given["x"], SymbolicTensor)


def _write_key(given: dict[str, Any]) -> bool:
    """Keras reads a list as a tuple of indices, so a list of places cannot be told from one."""
    key = given["key"]
    return _one_tensor(given) and not isinstance(key, list) and not any(isinstance(k, list) for k in _parts(key))


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _read_key(given: dict[str, Any]) -> Call:
    key = given["key"]
    return (given["x"], tuple(key) if isinstance(key, list) else key), {}


def _read_transpose(given: dict[str, Any]) -> Call:
    x, axes = given["x"], given.get("axes")
    return (x, tuple(reversed(range(x.ndim))) if axes is None else tuple(axes)), {}


def _write_reshape(given: dict[str, Any]) -> bool:
    shape = given["newshape"]
    return isinstance(shape, (tuple, list)) and all(isinstance(size, int) for size in shape)


def _read_cast(given: dict[str, Any]) -> Call:
    dtype = getattr(torch, str(given["dtype"]), None)
    if not isinstance(dtype, torch.dtype):
        raise FileFormatError(f"A cast in the config asks for the dtype {given['dtype']!r}, which there is not.")
    return (given["x"], dtype), {}


def _write_cast(given: dict[str, Any]) -> bool:
    if not isinstance(given["dtype"], torch.dtype):
        return False
    given["dtype"] = str(given["dtype"]).removeprefix("torch.")
    return True


def _read_gelu(given: dict[str, Any]) -> Call:
    return (given["x"],), {"approximate": "tanh" if given.get("approximate", True) else "none"}


def _write_gelu(given: dict[str, Any]) -> bool:
    given["approximate"] = given["approximate"] == "tanh"
    return True


def _both_ends(given: dict[str, Any]) -> bool:
    return given["x_min"] is not None and given["x_max"] is not None


def _no_dtype(given: dict[str, Any]) -> bool:
    return not isinstance(given.get("axis"), torch.dtype)


def _read_max(given: dict[str, Any]) -> Call:
    axis = given.get("axis")
    return (given["x"], () if axis is None else axis, given.get("keepdims", False)), {}


def _write_max(given: dict[str, Any]) -> bool:
    given["axis"] = None if given["axis"] == () else given["axis"]
    return True


def _read_any(given: dict[str, Any]) -> Call:
    axis = given.get("axis")
    return ((given["x"],) if axis is None else (given["x"], axis, given.get("keepdims", False))), {}


def _all_bool(given: dict[str, Any]) -> bool:
    """On whole numbers, Python's operators go bit by bit."""
    return all(getattr(given.get(name), "dtype", torch.bool) is torch.bool for name in ("x", "x1", "x2"))


_ENDS = {"x_min": _REQUIRED, "x_max": _REQUIRED}
_AXES = {"axis": None, "keepdims": False}
_ROWS = [
    _row("numpy", "Add", "x1 x2", {}, operator.add, *_function("add"), _Tensor.__add__),
    _row("numpy", "Subtract", "x1 x2", {}, operator.sub, *_function("sub"), *_function("subtract")),
    _row("numpy", "Multiply", "x1 x2", {}, operator.mul, *_function("mul"), *_function("multiply")),
    _row("numpy", "TrueDivide", "x1 x2", {}, operator.truediv, *_function("true_divide")),
    _row("numpy", "Divide", "x1 x2", {}, *_function("div"), *_function("divide")),
    _row("numpy", "FloorDivide", "x1 x2", {}, operator.floordiv, *_function("floor_divide")),
    _row("numpy", "Mod", "x1 x2", {}, operator.mod, *_function("remainder")),
    _row("numpy", "Power", "x1 x2", {}, operator.pow, *_function("pow")),
    _row("numpy", "Matmul", "x1 x2", {}, operator.matmul, *_function("matmul")),
    _row("numpy", "GetItem", "x key", {}, operator.getitem, _Tensor.__getitem__, read=_read_key, write=_write_key),
    _row("numpy", "Greater", "x1 x2", {}, operator.gt, *_function("gt"), *_function("greater")),
    _row("numpy", "GreaterEqual", "x1 x2", {}, operator.ge, *_function("ge"), *_function("greater_equal")),
    _row("numpy", "Less", "x1 x2", {}, operator.lt, *_function("lt"), *_function("less")),
    _row("numpy", "LessEqual", "x1 x2", {}, operator.le, *_function("le"), *_function("less_equal")),
    _row("numpy", "Equal", "x1 x2", {}, *_function("eq")),
    _row("numpy", "NotEqual", "x1 x2", {}, *_function("ne"), *_function("not_equal")),
    _row("numpy", "Any", "x", _AXES, *_function("any"), read=_read_any),
    _row("numpy", "All", "x", _AXES, *_function("all"), read=_read_any),
    _row("numpy", "LogicalAnd", "x1 x2", {}, *_function("logical_and")),
    _row("numpy", "LogicalOr", "x1 x2", {}, *_function("logical_or")),
    _row("numpy", "LogicalXor", "x1 x2", {}, *_function("logical_xor")),
    _row("numpy", "LogicalNot", "x", {}, *_function("logical_not")),
    _row("numpy", "Maximum", "x1 x2", {}, torch.maximum, _Tensor.maximum),
    _row("numpy", "Minimum", "x1 x2", {}, torch.minimum, _Tensor.minimum),
    _row("numpy", "Where", "condition x1 x2", {}, torch.where),
    _row("numpy", "Negative", "x", {}, operator.neg, *_function("neg"), *_function("negative")),
    _row("numpy", "Absolute", "x", {}, operator.abs, *_function("abs"), *_function("absolute")),
    _row("numpy", "Concatenate", "xs", {"axis": 0}, torch.cat, torch.concat, torch.concatenate),
    _row("numpy", "Stack", "x", {"axis": 0}, torch.stack),
    _row("numpy", "ExpandDims", "x", {"axis": _REQUIRED}, *_function("unsqueeze")),
    _row("numpy", "Reshape", "x", {"newshape": _REQUIRED}, *_function("reshape"), write=_write_reshape),
    _row("numpy", "Transpose", "x", {"axes": _REQUIRED}, *_function("permute"), read=_read_transpose),
    _row("numpy", "Swapaxes", "x", {"axis1": _REQUIRED, "axis2": _REQUIRED}, *_function("swapaxes")),
    _row("numpy", "Clip", "x", _ENDS, *_function("clamp"), *_function("clip"), write=_both_ends),
    _row("numpy", "Sum", "x", _AXES, *_function("sum"), write=_no_dtype),
    _row("numpy", "Mean", "x", _AXES, *_function("mean"), write=_no_dtype),
    _row("numpy", "Max", "x", {"axis": (), "keepdims": False}, *_function("amax"), read=_read_max, write=_write_max),
    _row("numpy", "Min", "x", {"axis": (), "keepdims": False}, *_function("amin"), read=_read_max, write=_write_max),
    _row("numpy", "Argmax", "x", _AXES, *_function("argmax")),
    _row("numpy", "Argmin", "x", _AXES, *_function("argmin")),
    _row("core", "Cast", "x", {"dtype": _REQUIRED}, _Tensor.to, read=_read_cast, write=_write_cast),
    _row("nn", "Gelu", "x", {"approximate": "none"}, F.gelu, read=_read_gelu, write=_write_gelu),
    _row("nn", "Softmax", "x", {"axis": -1}, *_function("softmax", F)),
    _row("nn", "LogSoftmax", "x", {"axis": -1}, *_function("log_softmax", F)),
    _row("nn", "LeakyRelu", "x", {"negative_slope": 0.01}, F.leaky_relu),
    _row("nn", "Elu", "x", {"alpha": 1.0}, F.elu),
    _row("math", "Logsumexp", "x", {"axis": _REQUIRED, "keepdims": False}, *_function("logsumexp")),
]
# Operators that mean another operation of Keras than their function of torch does, on some dtypes.
_OTHERS = [
    _row("numpy", "LogicalAnd", "x1 x2", {}, operator.and_, _Tensor.__and__, write=_all_bool),
    _row("numpy", "LogicalOr", "x1 x2", {}, operator.or_, _Tensor.__or__, write=_all_bool),
    _row("numpy", "LogicalXor", "x1 x2", {}, operator.xor, _Tensor.__xor__, write=_all_bool),
    _row("numpy", "LogicalNot", "x", {}, operator.invert, _Tensor.__invert__, write=_all_bool),
]
# Of one tensor, without options: Keras's file and name, torch's name.
_PLAIN = """
nn.Relu relu, nn.Sigmoid sigmoid, nn.Selu selu, nn.Relu6 relu6, nn.Silu silu, nn.Softplus softplus, nn.Softsign
softsign, nn.LogSigmoid logsigmoid, nn.HardSilu hardswish, nn.HardSigmoid hardsigmoid, math.Rsqrt rsqrt,
math.Erf erf, numpy.Isnan isnan, numpy.Isinf isinf, numpy.Isfinite isfinite, numpy.Exp exp, numpy.Expm1 expm1,
numpy.Log log, numpy.Log10 log10, numpy.Log1p log1p, numpy.Log2 log2, numpy.Sqrt sqrt, numpy.Square square,
numpy.Sin sin, numpy.Cos cos, numpy.Tan tan, numpy.Sinh sinh, numpy.Cosh cosh, numpy.Tanh tanh, numpy.Ceil ceil,
numpy.Floor floor, numpy.Sign sign, numpy.Reciprocal reciprocal
"""
for _keras, _torch in (_one.split() for _one in _PLAIN.split(",")):
    _file, _class = _keras.split(".")
    _ROWS.append(_row(_file, _class, "x", {}, *_function(_torch, F)))

BY_NAME = {row.name: row for row in _ROWS}
BY_FUNCTION = {function: row for row in reversed(_ROWS + _OTHERS) for function in row.functions}
MODULE, CLASS = "ramify.graph", "Operation"


def describe(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], Call]:
    """Module, class and config of a recorded operation, and the arguments that stand beside them in a file.

    Raises:
        ArgumentError: a function that files cannot name.
    """
    row = BY_FUNCTION.get(function)
    given = row.bound(args, kwargs) if row is not None else None
    if row is not None and given is not None:
        config = {name: given[name] for name in row.config}
        entry = {"module": f"keras.src.ops.{row.module}", "class_name": row.name, "config": config}
        return {**entry, "registered_name": row.name}, (tuple(given[name] for name in row.inputs), {})
    known = keras_operations.describe(function, args, kwargs)
    if known is not None:
        file, class_name, config, inputs = known
        entry = {"module": f"keras.src.ops.{file}", "class_name": class_name, "config": config}
        return {**entry, "registered_name": class_name}, (inputs, {})
    name = pure.name_of(function)
    if function is getattr:
        name, args = pure.attribute_name(args[1]), args[:1]
    if name is None:
        word = getattr(function, "__qualname__", repr(function))
        raise ArgumentError(
            f"The operation `{word}` in the graph cannot be written to a file: files may only name the pure functions "
            "of `operator`, `torch`, `torch.nn.functional`, `torch.linalg` and tensors' methods. Put it into the "
            "`call` of a layer of your own, registered with `register_keras_serializable`."
        )
    return {"module": MODULE, "class_name": CLASS, "config": {"function": name}, "registered_name": None}, (
        args,
        dict(kwargs),
    )


def module_of(class_name: str) -> str | None:
    """The module that Keras writes for an operation; ``None`` for what is none.

    >>> module_of("Multiply")
    'keras.src.ops.numpy'
    """
    row = BY_NAME.get(class_name)
    file = keras_operations.file_of(class_name) if row is None else row.module
    return None if file is None else f"keras.src.ops.{file}"


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of a config's layers is an operation rather than a layer."""
    module = str(entry.get("module"))
    return module.startswith(("keras.src.ops.", "keras.ops")) or (module == MODULE and entry.get("class_name") == CLASS)


def resolve(entry: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, Call]:
    """The function that an entry stands for, and the arguments to call it with.

    Raises:
        FileFormatError: an operation that is not in the tables.
    """
    config = dict(entry.get("config") or {})
    if entry.get("module") == MODULE:
        name = config.get("function")
        attribute = pure.attribute_of(name)
        if attribute is not None:
            return getattr, ((args[0], attribute), {})
        function = pure.function_of(name)
        if function is None:
            raise FileFormatError(f"The config names the function {name!r}, which is not among those that a file may.")
        return function, (args, dict(kwargs))
    row = BY_NAME.get(str(entry.get("class_name")))
    if row is None:
        known = keras_operations.resolve(str(entry.get("class_name")), config, args, kwargs)
        if known is not None:
            return known[0], known[1:]
        raise FileFormatError(
            f"The config has the Keras operation {entry.get('class_name')!r} (node '{entry.get('name')}'), for which "
            "there is no equal function here. Replace it by a layer, or by the operations "
            f"{', '.join(sorted(BY_NAME))}."
        )
    given = {name: config[name] for name in row.config if name in config}
    given |= dict(zip(row.inputs, args, strict=False)) | dict(kwargs)
    if row.read is not None:
        return row.functions[0], row.read({**{k: v for k, v in row.config.items() if v is not _REQUIRED}, **given})
    names = (*row.inputs, *row.config)
    values = [given.get(name, row.config.get(name)) for name in names]
    unknown = set(given) - set(names)
    if unknown or any(value is _REQUIRED for value in values):
        raise FileFormatError(
            f"The operation '{entry.get('name')}' ({row.name}) is called with {sorted(given)}, but takes {names}."
        )
    return row.functions[0], (tuple(values), {})
