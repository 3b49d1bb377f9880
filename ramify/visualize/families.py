"""Families of layers: what tells a convolution from a merge at a glance, a word, a colour and a drawn sign each."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple


class Family(NamedTuple):
    """A family.

    Attributes:
        key: short name, used for style classes.
        word: what readers are told.
        color: of the stripe; white on it has a contrast of at least 4.5.
        sign: strokes on a grid of 16 by 16: polylines of ``x,y`` points, ``o`` for a circle ``x,y,radius``.
    """

    key: str
    word: str
    color: str
    sign: str


_ALL = [
    Family("input", "input or output", "#57606a", "2,8 11,8|8,4 12,8 8,12|14,3 14,13"),
    Family("dense", "dense", "#1d63d8", "o3.5,4,1.6|o3.5,12,1.6|o12.5,8,1.6|5,4.8 11,7.4|5,11.2 11,8.6"),
    Family("conv", "convolution", "#6d3fe0", "2.5,2.5 13.5,2.5 13.5,13.5 2.5,13.5 2.5,2.5|2.5,8 13.5,8|8,2.5 8,13.5"),
    Family("pool", "pooling", "#0f766e", "2,3 14,3 10,8 10,13 6,13 6,8 2,3"),
    Family("norm", "normalization", "#a8500b", "1.5,12.5 4,12 6,8.5 8,3.5 10,8.5 12,12 14.5,12.5"),
    Family("act", "activation", "#c02670", "2,12 7.5,12 13.5,3.5"),
    Family("merge", "merge", "#15803d", "o8,8,6|8,5 8,11|5,8 11,8"),
    Family(
        "attention", "attention", "#9a1fb0",
        "o8,8,2|1.5,8 4.5,4.6 8,3.4 11.5,4.6 14.5,8 11.5,11.4 8,12.6 4.5,11.4 1.5,8",
    ),
    Family(
        "recurrent", "recurrent", "#bd3d0b",
        "12.6,5 10.8,3.2 8,2.5 5,3.4 3,5.8 2.6,8.6 3.8,11.4 6.6,13.2 9.8,13.1 12.4,11.2|13.2,1.8 "
        "12.8,5.2 9.4,5",
    ),
    Family("embedding", "embedding", "#0b6f8a", "2.5,3.5 13.5,3.5|2.5,8 13.5,8|2.5,12.5 13.5,12.5|5.5,3.5 5.5,12.5"),
    Family(
        "reshape", "reshaping", "#5b6b82",
        "2,5.5 2,2.5 8,2.5 8,5.5 2,5.5|6,10 14,10 14,13.5 6,13.5 6,10|4.5,8 4.5,11.5 5.2,11.5",
    ),
    Family(
        "regular", "regularization", "#746a63",
        "o4,4,1.5|o12,4,1.5|o4,12,1.5|10.5,10.5 13.5,13.5|13.5,10.5 10.5,13.5",
    ),
    Family("prep", "preprocessing", "#4d7011", "2,4 14,4|2,8 10,8|2,12 12,12|12,6.5 12,9.5"),
    Family(
        "model", "model", "#22408f",
        "1.5,1.5 14.5,1.5 14.5,14.5 1.5,14.5 1.5,1.5|4.5,4.5 11.5,4.5 11.5,7 4.5,7 4.5,4.5|4.5,9.5 "
        "11.5,9.5 11.5,12 4.5,12 4.5,9.5",
    ),
    Family(
        "custom", "custom layer", "#374151",
        "6,2.5 4.5,3 4.5,7 3,8 4.5,9 4.5,13 6,13.5|10,2.5 11.5,3 11.5,7 13,8 11.5,9 11.5,13 "
        "10,13.5",
    ),
    Family("op", "operation", "#4b5768", "5,13.5 7,12 8.5,4 10.5,2.5|5.5,7 10.5,7"),
]  # fmt: skip
FAMILIES = {family.key: family for family in _ALL}

_FOLDERS = {
    "activations": "act",
    "attention": "attention",
    "convolutional": "conv",
    "merging": "merge",
    "normalization": "norm",
    "pooling": "pool",
    "preprocessing": "prep",
    "recurrent": "recurrent",
    "rnn": "recurrent",
    "regularization": "regular",
    "reshaping": "reshape",
}
_TORCH = {  # files of torch.nn.modules
    "activation": "act",
    "adaptive": "act",
    "batchnorm": "norm",
    "conv": "conv",
    "dropout": "regular",
    "flatten": "reshape",
    "instancenorm": "norm",
    "linear": "dense",
    "normalization": "norm",
    "pooling": "pool",
    "rnn": "recurrent",
    "sparse": "embedding",
    "transformer": "attention",
}
_CLASSES = {
    "Activation": "act",
    "Dense": "dense",
    "EinsumDense": "dense",
    "Embedding": "embedding",
    "InputLayer": "input",
    "Bidirectional": "recurrent",
    "MultiheadAttention": "attention",
}


def family_of(target: Any) -> Family:
    """The family of a layer, by its class and those it derives from; ``op`` for a function.

    >>> import ramify
    >>> family_of(ramify.layers.Dense(3)).word
    'dense'
    """
    if not isinstance(target, type) and not hasattr(target, "_modules"):
        return FAMILIES["op"]
    if type(target).__name__ == "TorchModuleWrapper" and hasattr(inner := getattr(target, "module", None), "_modules"):
        target = inner
    kind: Any = type(target)
    return _family_of_class(kind)


@functools.cache
def _family_of_class(kind: type) -> Family:
    if hasattr(kind, "has_graph"):
        return FAMILIES["model"]
    for cls in kind.__mro__:
        if cls.__name__ in _CLASSES:
            return FAMILIES[_CLASSES[cls.__name__]]
        parts = cls.__module__.split(".")
        if parts[:2] == ["ramify", "layers"] and len(parts) > 2 and parts[2] in _FOLDERS:
            return FAMILIES[_FOLDERS[parts[2]]]
        if parts[:3] == ["torch", "nn", "modules"] and parts[-1] in _TORCH:
            return FAMILIES[_TORCH[parts[-1]]]
    return FAMILIES["custom"]
