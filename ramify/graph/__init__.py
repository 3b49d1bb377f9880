"""The heart: symbolic tensors, the calls recorded on them, the slice between inputs and outputs, and its compilation.

Read in this order: `structure`, `dims`, `node`, `operators`, `infer`, `tensor`, `graph`, `lower`.
"""

from ramify.graph.graph import Graph
from ramify.graph.infer import is_probing, paused, visible_shape
from ramify.graph.lower import lower
from ramify.graph.node import Node, SymbolicValue, calls_of, unlist
from ramify.graph.tensor import (
    MASK,
    SymbolicSize,
    SymbolicTensor,
    infer_call,
    is_symbolic,
    make_value,
    placeholder,
    record,
)

__all__ = [
    "MASK",
    "Graph",
    "Node",
    "SymbolicSize",
    "SymbolicTensor",
    "SymbolicValue",
    "calls_of",
    "infer_call",
    "is_probing",
    "is_symbolic",
    "lower",
    "make_value",
    "paused",
    "placeholder",
    "record",
    "unlist",
    "visible_shape",
]
