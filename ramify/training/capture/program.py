"""`Program`: a step as a list of operations on numbered values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from ramify.training.capture.internals import schema_of

# Operations whose schema does not tell that they move averages, and at which places these stand.
HIDDEN_WRITES = {
    torch.ops.aten.native_batch_norm.default: (3, 4),
    torch.ops.aten.cudnn_batch_norm.default: (3, 4),
}


class Value:
    """A tensor of a program, known by what is fixed about it.

    Args:
        tensor: the tensor that was seen when the program was recorded.
        root: the value whose memory it shares; itself where the memory is its own.

    Attributes:
        nbytes: size of its memory, in bytes; of the whole of it, where the value is a part.
    """

    __slots__ = ("dtype", "nbytes", "root", "shape", "strides")
    root: Value
    nbytes: int

    def __init__(self, tensor: torch.Tensor, root: Value | None = None) -> None:
        self.shape, self.dtype, self.strides = tensor.shape, tensor.dtype, tensor.stride()
        self.root = self if root is None else root.root
        self.nbytes = tensor.untyped_storage().nbytes() if root is None else root.nbytes

    def like(self, root: Value | None = None) -> Value:
        """Another value of the same kind, with memory of its own or that of `root`."""
        twin = Value.__new__(Value)
        twin.shape, twin.dtype, twin.strides = self.shape, self.dtype, self.strides
        twin.nbytes = self.nbytes
        twin.root = twin if root is None else root.root
        return twin


@dataclass(eq=False, slots=True)
class Op:
    """One operation.

    Attributes:
        func: the overload, such as `aten.addmm.default`.
        args: its arguments, with a `Value` for each tensor.
        kwargs: those by name.
        outs: what it returns, flat; ``None`` for what is no tensor.
        single: whether it returns one tensor, rather than a tuple or list.
        call: what is called for it: a binding of torch's that leads to `func` with less ado, or `func` itself.
        grad: whether gradients were asked for: some kernels look, and put by what their backward pass needs.
    """

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outs: list[Value | None]
    single: bool
    call: Callable[..., Any]
    grad: bool

    def reads(self) -> Iterator[Value]:
        """The values among the arguments, each as often as it stands there."""
        yield from values_in(self.args)
        yield from values_in(tuple(self.kwargs.values()))

    def writes(self) -> list[Value]:
        """The values that the operation changes in place."""
        if self.func in HIDDEN_WRITES and self.args[5]:  # while training
            return list(values_in(self.args[place] for place in HIDDEN_WRITES[self.func]))
        return [
            value
            for place, name in _written_arguments(self.func)
            for value in values_in((self.args[place] if place < len(self.args) else self.kwargs.get(name),))
        ]

    @property
    def draws(self) -> bool:
        """Whether it takes random numbers."""
        return _draws(self.func)

    def with_values(self, swap: Callable[[Value], Value]) -> Op:
        """The same operation on other values; what it returns stays."""
        args = tuple(swapped(arg, swap) for arg in self.args)
        kwargs = {name: swapped(arg, swap) for name, arg in self.kwargs.items()}
        return Op(self.func, args, kwargs, self.outs, self.single, self.call, self.grad)


@dataclass
class Program:
    """A step.

    Attributes:
        inputs: values that are fed.
        kept: values that last: weights, state and constants, with their tensors.
        ops: what is done, in order.
        outputs: values that are returned.
        turn: number of the operation with which the backward pass begins; that of all where there is none.
        hoisted: kept values that are views of others, made once; good as long as those stay where they are in memory.
        homes: memory -> the memory that it takes over.
        rewrites: name of a rewrite -> how often it was applied.
    """

    inputs: list[Value]
    kept: dict[Value, torch.Tensor]
    ops: list[Op]
    outputs: list[Value]
    turn: int
    hoisted: set[Value] = field(default_factory=set)
    homes: dict[Value, Value] = field(default_factory=dict)
    rewrites: dict[str, int] = field(default_factory=dict)

    def last_uses(self) -> dict[Value, int]:
        """For each value the number of the last operation that reads, writes or makes it; outputs last for ever."""
        last: dict[Value, int] = {}
        for place, op in enumerate(self.ops):
            last.update(dict.fromkeys(op.reads(), place))
            last.update((out, place) for out in op.outs if out is not None)
        last.update(dict.fromkeys(self.outputs, len(self.ops)))
        return last

    def peak_bytes(self) -> int:
        """The most memory that values made by the program take at a time, if each is freed after its last use."""
        homes = self.homes
        lasting = {value.root for value in (*self.inputs, *self.kept)}
        ends: dict[Value, int] = {}
        for value, place in self.last_uses().items():
            root = homes.get(value.root, value.root)
            ends[root] = max(ends.get(root, 0), place)
        freed: dict[int, int] = {}
        for root, place in ends.items():
            if root not in lasting:
                freed[place] = freed.get(place, 0) + root.nbytes
        alive = peak = 0
        born: set[Value] = set(lasting)
        for place, op in enumerate(self.ops):
            for out in op.outs:
                if out is not None and out.root not in born and out.root not in homes:
                    born.add(out.root)
                    alive += out.root.nbytes
            peak = max(peak, alive)
            alive -= freed.get(place, 0)
        return peak


@functools.cache
def _written_arguments(func: Any) -> list[tuple[int, str]]:
    """Places and names of the arguments that an overload writes to."""
    arguments = enumerate(schema_of(func).arguments)
    return [(place, arg.name) for place, arg in arguments if arg.alias_info is not None and arg.alias_info.is_write]


@functools.cache
def _draws(func: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in func.tags


def values_in(tree: Any) -> Iterator[Value]:
    """The values in nested tuples and lists."""
    for leaf in tree:
        if type(leaf) is Value:
            yield leaf
        elif type(leaf) is list or type(leaf) is tuple:
            yield from values_in(leaf)


def swapped(tree: Any, swap: Callable[[Value], Value]) -> Any:
    """Nested tuples and lists with other values in them."""
    if type(tree) is Value:
        return swap(tree)
    if type(tree) is list or type(tree) is tuple:
        return type(tree)(swapped(leaf, swap) for leaf in tree)
    return tree
