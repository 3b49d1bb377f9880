"""What a call costs: floating-point operations and the memory of its results, without running it on data.

Every call is run once on tensors without data, under torch's own counter, so that there is no second table of formulas
that could be wrong.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import conv_flop_count, flop_registry

from ramify import dtypes
from ramify.graph import Graph, Node, SymbolicTensor, SymbolicValue, paused
from ramify.graph.dims import BATCH
from ramify.graph.infer import run_probe
from ramify.graph.quick import QUICK
from ramify.graph.structure import flatten, map_leaves
from ramify.layers.layer import Layer
from ramify.visualize.facts import graph_of, leaves_of, made_by, shown_calls
from ramify.visualize.families import family_of


class Cost(NamedTuple):
    """What a call costs.

    Attributes:
        flops: floating-point operations, as `torch.utils.flop_counter` counts them: two for a multiplication with its
            addition in matrix products, convolutions and attention, none for anything else.
        memory: bytes of what it returns.

    ``None`` where a size is unknown (other than the batch), or where the call cannot run without data.
    """

    flops: int | None
    memory: int | None


UNKNOWN = Cost(None, None)


def costs_of(graph: Graph, batch_size: int = 1) -> dict[Node, Cost]:
    """What each call that a graph's outputs need costs.

    Args:
        graph: the calls; a model among them counts as the sum of what is in it.
        batch_size: the batch that it runs on.

    Example:

    >>> import ramify
    >>> x = ramify.Input(shape=(4,))
    >>> model = ramify.Model(x, ramify.layers.Dense(2)(x))
    >>> list(costs_of(model.graph, batch_size=10).values())
    [Cost(flops=160, memory=80)]
    """
    meter = Meter()
    return {node: meter.cost(node, batch_size) for node in shown_calls(graph)}


class Meter:
    """Measures calls, those that are alike once."""

    def __init__(self) -> None:
        self._known: dict[Any, int | None] = {}
        self._sums: dict[tuple[Graph, int], Cost] = {}

    def cost(self, node: Node, batch_size: int = 1) -> Cost:
        """What a call costs on a batch."""
        inner = graph_of(node.target)
        if inner is None:
            return Cost(self._flops(node, batch_size), memory_of(made_by(node), batch_size))
        batch = inner_batch(node, batch_size)
        total = UNKNOWN if batch is None else self._sum(inner, batch)
        return Cost(self._flops(node, batch_size), total.memory) if total.flops is None else total

    def _sum(self, graph: Graph, batch_size: int) -> Cost:
        if (graph, batch_size) not in self._sums:
            costs = [self.cost(node, batch_size) for node in shown_calls(graph)]
            self._sums[graph, batch_size] = Cost(total(c.flops for c in costs), total(c.memory for c in costs))
        return self._sums[graph, batch_size]

    def _flops(self, node: Node, batch_size: int) -> int | None:
        told: list[Any] = [tuple(node.kwargs)]
        for leaf in leaves_of((*node.args, *node.kwargs.values())):
            size = sizes_of(leaf, batch_size) if isinstance(leaf, SymbolicValue) else leaf
            if size is None and leaf is not None:
                return None
            told.append(_leaf(leaf, size))
        key = _key(node.target, told)
        try:
            return self._known[key]
        except KeyError:
            pass
        except TypeError:  # what was told cannot be compared
            key = None

        def concrete(leaf: Any) -> Any:
            if isinstance(leaf, SymbolicTensor):
                return torch.empty(sizes_of(leaf, batch_size), dtype=leaf.dtype, device="meta")
            return sizes_of(leaf, batch_size) if isinstance(leaf, SymbolicValue) else leaf

        count = _count(node.target, map_leaves(concrete, node.args), map_leaves(concrete, node.kwargs))
        if key is not None:
            self._known[key] = count
        return count


def total(values: Any) -> int | None:
    """The sum, or ``None`` where a part is unknown."""
    values = list(values)
    return None if any(value is None for value in values) else sum(values)


def sizes_of(value: SymbolicValue, batch_size: int) -> Any:
    """The shape of a symbolic tensor (the number, of a symbolic size) on a batch; ``None`` where it is unknown."""
    probes: Any = getattr(value, "probes", ())
    if not isinstance(value, SymbolicTensor):
        return _size(tuple(probes), batch_size)
    return _shape(probes, batch_size)


@functools.lru_cache(4096)
def _shape(probes: tuple[tuple[int, ...], ...], batch_size: int) -> tuple[int, ...] | None:
    sizes = [_size(of_axis, batch_size) for of_axis in zip(*probes, strict=True)]
    return None if None in sizes else tuple(sizes)  # type: ignore[arg-type]  # no None is left


def _size(probes: tuple[int, ...], batch_size: int) -> int | None:
    """A size from its values under the probes, if it is a multiple of the batch and a constant."""
    slope, rest = divmod(probes[1] - probes[0], BATCH[1] - BATCH[0])
    base = probes[0] - slope * BATCH[0]
    fits = not rest and base >= 0 and (slope == 0 or base < BATCH[0] or slope < 1000)
    third = len(probes) < 3 or probes[2] == probes[0]  # the third probe has the first one's batch, and other sizes
    return base + slope * batch_size if fits and third else None


def memory_of(values: list[SymbolicValue], batch_size: int = 1) -> int | None:
    """The bytes of symbolic tensors on a batch."""
    tensors = [value for value in values if isinstance(value, SymbolicTensor)]
    return total(_bytes(value.probes, value.dtype, batch_size) for value in tensors)


@functools.lru_cache(4096)
def _bytes(probes: tuple[tuple[int, ...], ...], dtype: torch.dtype, batch_size: int) -> int | None:
    shape = _shape(probes, batch_size)
    return None if shape is None else math.prod(shape) * dtypes.to_torch(dtype).itemsize


def inner_batch(node: Node, batch_size: int) -> int | None:
    """The batch that a model in the model is called on."""
    first = next((leaf for leaf in flatten((node.args, node.kwargs)) if isinstance(leaf, SymbolicTensor)), None)
    if first is None or not first.ndim:
        return batch_size
    return _size(tuple(probe[0] for probe in first.probes), batch_size)


# ---- counting ----


class _Products(TorchFunctionMode):
    """Counts the products for which a probe has quick rules, so that no kernel runs; others are left to `kernels`."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0
        self.kernels = _Kernels()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        formula = _FORMULAS.get(func)
        if formula is not None:
            result = QUICK[func](*args, **(kwargs or {}))
            if result is not None:
                self.flops += formula(*args, **(kwargs or {}), result=result)
                return result
        if func in QUICK:
            return func(*args, **(kwargs or {}))
        with self.kernels:
            return func(*args, **(kwargs or {}))


def _linear(x: torch.Tensor, weight: torch.Tensor, *_: Any, **__: Any) -> int:
    return int(_MM((math.prod(x.shape[:-1]), x.shape[-1]), tuple(reversed(weight.shape))))


def _convolution(x: torch.Tensor, kernel: torch.Tensor, *_: Any, result: torch.Tensor, **__: Any) -> int:
    return int(conv_flop_count(list(x.shape), list(kernel.shape), list(result.shape)))


def _addmm(bias: Any, x: torch.Tensor, weight: torch.Tensor, **__: Any) -> int:
    del bias
    return int(_MM(tuple(x.shape), tuple(weight.shape)))


def _attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *_: Any, **__: Any) -> int:
    batch, length, size = math.prod(q.shape[:2]), q.shape[2], q.shape[3]
    scores = _BMM((batch, length, size), (batch, size, k.shape[2]))
    return int(scores + _BMM((batch, length, k.shape[2]), (batch, k.shape[2], v.shape[3])))


_MM: Any
_BMM: Any
_MM, _BMM = flop_registry[torch.ops.aten.mm], flop_registry[torch.ops.aten.bmm]
_FORMULAS: dict[Any, Callable[..., int]] = {
    F.linear: _linear,
    F.conv1d: _convolution,
    F.conv2d: _convolution,
    F.conv3d: _convolution,
    torch.addmm: _addmm,
    F.scaled_dot_product_attention: _attention,
}


class _Kernels(TorchDispatchMode):
    """Counts what kernels do, by torch's formulas, as `FlopCounterMode` does with less speed."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0


def _dispatch(self: _Kernels, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    del types
    out = func(*args, **(kwargs or {}))
    formula = flop_registry.get(func._overloadpacket)  # noqa: SLF001 - the registry's key
    if formula is not None:
        self.flops += int(formula(*args, **(kwargs or {}), out_val=out))
    return out


# In the class's body, torch would wrap it for its compiler, which takes more than a second to import.
_Kernels.__torch_dispatch__ = _dispatch  # type: ignore[assignment, method-assign]


class _Moved(TorchFunctionMode):
    """Within it every function sees tensors without data."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return func(*map_leaves(_to_meta, args), **map_leaves(_to_meta, kwargs or {}))


def _to_meta(leaf: Any) -> Any:
    if isinstance(leaf, torch.Tensor) and leaf.device.type != "meta":
        return torch.empty_strided(leaf.shape, leaf.stride(), dtype=leaf.dtype, device="meta")
    return leaf


def _count(target: Any, args: Any, kwargs: Any) -> int | None:
    recurrent = isinstance(target, Layer) and family_of(target).key == "recurrent"
    if recurrent and target.activity_regularizer is not None:
        return None

    def counted(*a: Any, **k: Any) -> None:
        if recurrent:  # probes see one step of a sequence, and all of them count
            with paused(), products.kernels, _Moved():
                target(*a, **k)
        else:
            with products:
                target(*a, **k)

    products = _Products()
    try:
        run_probe(counted, args, kwargs)
    except Exception:  # noqa: BLE001 - what cannot run without data has no count; building it told of real mistakes
        return None
    return products.flops + products.kernels.flops


def _key(target: Any, leaves: list[Any]) -> Any:
    """Equal for calls that must cost the same; ``None`` where that cannot be told."""
    if isinstance(target, torch.nn.Module):
        if not type(target).__module__.startswith("ramify.layers") or target._modules:
            return None
        told = [
            (name, value)
            for name, value in target.__dict__.items()
            if name[0] != "_" and type(value) in _PLAIN and name not in _VARYING
        ]
        weights = [None if weight is None else tuple(weight.shape) for weight in target._parameters.values()]
        what: Any = (type(target), tuple(told), tuple(weights))
    else:
        what = target
    return (what, *leaves)


def _leaf(leaf: Any, size: Any) -> Any:
    if isinstance(leaf, (SymbolicTensor, torch.Tensor)):
        return size if isinstance(size, tuple) else tuple(leaf.shape), leaf.dtype
    return size


_PLAIN = {bool, int, float, str, tuple, type(None)}
_VARYING = {"name", "built", "training"}
