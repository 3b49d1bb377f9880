"""Torch's own modules as plain data: the class by its name in a table, the constructor's arguments, the modules inside.

Nothing is pickled, imported or looked up by a name out of a file. What a module is made of is learned from its
attributes, and believed only when a module made from it has the same tensors.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from ramify.errors import FileFormatError

_CLASSES = """
AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d AlphaDropout
AvgPool1d AvgPool2d AvgPool3d BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU ChannelShuffle ConstantPad1d
ConstantPad2d ConstantPad3d Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineSimilarity
Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold GELU GLU GRU GRUCell
GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d LSTM LSTMCell
LayerNorm LeakyReLU Linear LocalResponseNorm LogSigmoid LogSoftmax MaxPool1d MaxPool2d MaxPool3d Mish
MultiheadAttention PReLU PixelShuffle PixelUnshuffle RMSNorm RNN RNNCell RReLU ReLU ReLU6 ReflectionPad1d
ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d SELU SiLU Sigmoid Softmax Softmax2d
Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold TransformerEncoderLayer Unflatten Unfold Upsample
UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d
""".split()
TAG = "__torch_module__"
_TABLE: dict[str, type[nn.Module]] = {n: getattr(nn, n) for n in _CLASSES if hasattr(nn, n)}
_CONTAINERS: dict[str, type[nn.Module]] = {c.__name__: c for c in (nn.Sequential, nn.ModuleList, nn.ModuleDict)}
_NAME = {cls: name for name, cls in {**_TABLE, **_CONTAINERS}.items()}
_PLAIN = (bool, int, float, str, type(None))
_NOT_ARGUMENTS = {"self", "args", "kwargs", "device", "dtype", "_weight", "_freeze"}
_DEEPEST = 100
_RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)
_FROM_ENCODER: dict[str, Callable[[Any], Any]] = {
    "d_model": lambda m: m.self_attn.embed_dim,
    "nhead": lambda m: m.self_attn.num_heads,
    "dim_feedforward": lambda m: m.linear1.out_features,
    "dropout": lambda m: m.dropout.p,
    "activation": lambda m: "gelu" if m.activation is nn.functional.gelu else "relu",
    "layer_norm_eps": lambda m: m.norm1.eps,
    "batch_first": lambda m: m.self_attn.batch_first,
    "bias": lambda m: m.linear1.bias is not None,
}


def describe(module: nn.Module) -> dict[str, Any] | None:
    """A module as plain data, without the values of its tensors; ``None`` for one that is more than its table says.

    >>> describe(nn.Linear(2, 3, bias=False))["config"]["arguments"]
    {'in_features': 2, 'out_features': 3, 'bias': False}
    """
    found = _structure(module)
    if found is None:
        return None
    with torch.device("meta"):
        try:
            again = restore(found, "the module")
        except (FileFormatError, RuntimeError):
            return None
    return found if _tensors(again) == _tensors(module) else None


def _tensors(module: nn.Module) -> dict[str, Any]:
    learned = {name: (tuple(p.shape), p.dtype, p.requires_grad) for name, p in module.named_parameters()}
    return {**learned, **{name: (tuple(b.shape), b.dtype, False) for name, b in module.named_buffers()}}


def _structure(module: nn.Module) -> dict[str, Any] | None:
    name = _NAME.get(type(module))
    if name is None or _has_hooks(module):
        return None
    config: dict[str, Any] = {"class": f"torch.nn.{name}"}
    if name in _CONTAINERS:
        inside = {key: _structure(child) for key, child in module.named_children()}
        if None in inside.values():
            return None
        config["children"] = inside
    else:
        arguments = _arguments(module)
        if not all(_is_plain(value) for value in arguments.values()):
            return None
        config["arguments"] = arguments
        frozen = [key for key, parameter in module.named_parameters() if not parameter.requires_grad]
        dtype = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
        config |= {"frozen": frozen} if frozen else {}
        config |= {} if dtype is torch.float32 else {"dtype": str(dtype).removeprefix("torch.")}
    return {"class_name": TAG, "config": config}


def _has_hooks(module: nn.Module) -> bool:
    return any(value for name, value in vars(module).items() if name.endswith("_hooks"))


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, (tuple, list)) else isinstance(value, _PLAIN)


@functools.cache
def _parameters(cls: Any) -> tuple[str, ...]:
    if cls in _RECURRENT:  # they pass everything on to their base
        own = inspect.signature(nn.RNNBase.__init__).parameters
        names = [name for name in own if name not in ("mode", "proj_size")]
        names += {nn.RNN: ["nonlinearity"], nn.LSTM: ["proj_size"]}.get(cls, [])
    else:
        names = list(inspect.signature(cls.__init__).parameters)
    return tuple(name for name in names if name not in _NOT_ARGUMENTS)


def _arguments(module: Any) -> dict[str, Any]:
    """Constructor arguments, without defaults: other versions of torch may not have all of them."""
    found: dict[str, Any] = {}
    defaults = {name: p.default for name, p in inspect.signature(type(module).__init__).parameters.items()}
    cls: Any = type(module)
    for name in _parameters(cls):
        if isinstance(module, nn.TransformerEncoderLayer) and name in _FROM_ENCODER:
            value = _FROM_ENCODER[name](module)
        elif isinstance(module, nn.MultiheadAttention) and name in ("bias", "add_bias_kv"):
            value = (module.in_proj_bias if name == "bias" else module.bias_k) is not None
        elif name == "bias" and not isinstance(module, _RECURRENT):
            held = getattr(module, "bias", None)
            value = held if isinstance(held, bool) else held is not None
        elif isinstance(module, nn.PReLU) and name == "init":
            value = 0.25
        else:
            value = getattr(module, name, None)
            if not hasattr(module, name):
                continue
        if name not in defaults or value is not defaults[name]:
            found[name] = list(value) if isinstance(value, (tuple, list)) else value
    return found


def restore(config: Any, what: str, depth: int = 0) -> nn.Module:
    """The module that `describe` described, with fresh weights.

    Args:
        config: what `describe` gave.
        what: whose module it is, for messages.
        depth: how many modules this one is in.

    Raises:
        FileFormatError: it names a class that is not in the table, or is damaged.
    """
    inner = config.get("config") if isinstance(config, Mapping) else None
    if depth > _DEEPEST or not isinstance(inner, Mapping):
        raise FileFormatError(f"The torch module of {what} is described in a way that is not understood.")
    name = str(inner.get("class")).removeprefix("torch.nn.")
    children = inner.get("children")
    if name in _CONTAINERS and isinstance(children, Mapping):
        made = _CONTAINERS[name]()
        for key, child in children.items():
            made.add_module(str(key), restore(child, what, depth + 1))
        return made
    cls: Any = _TABLE.get(name)
    arguments = inner.get("arguments")
    if cls is None or not isinstance(arguments, Mapping) or not set(arguments) <= set(_parameters(cls)):
        raise FileFormatError(
            f"The torch module of {what} is a {name!r:.60}, which is not among those that a file may."
        )
    if not all(_is_plain(value) for value in arguments.values()):
        raise FileFormatError(f"The torch module of {what} has arguments that are no plain values.")
    try:
        module = cls(**{key: _tuples(value) for key, value in arguments.items()})
        module.to(getattr(torch, str(inner.get("dtype", "float32"))))
        for key in inner.get("frozen", ()):
            module.get_parameter(key).requires_grad_(False)
    except (TypeError, ValueError, RuntimeError, AttributeError, AssertionError, NotImplementedError) as error:
        raise FileFormatError(f"The torch module of {what} ({name}) cannot be made: {error}.") from None
    return module


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
