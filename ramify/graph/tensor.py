"""`SymbolicTensor`, a tensor that does not exist yet, and `record`, which turns a call on such tensors into a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import InputError, RamifyError, ShapeError, SymbolicValueError, UnknownSizeError
from ramify.graph import infer
from ramify.graph.dims import BATCH, SIZE, Probe, Shape, checked_shape, merged, probes_of
from ramify.graph.node import Node, SymbolicValue
from ramify.graph.operators import Operators, TensorOperators
from ramify.graph.quick import META
from ramify.graph.structure import flatten, map_leaves

MASK = "_ramify_mask"  # the attribute under which a real tensor carries its mask


class SymbolicTensor(SymbolicValue, TensorOperators):
    """A tensor of known rank and dtype that will exist when the graph runs.

    Operators, indexing, methods of `torch.Tensor` and functions of `torch` on it record calls and return new symbolic
    tensors.

    Args:
        shape: sizes, with ``None`` for the unknown ones.
        dtype: a `torch.dtype` or its name.
        name: a word for messages and pictures.
        probes: the shape under each probe, where it is already known (see `ramify.graph.dims`).

    Attributes:
        shape: tuple of sizes, ``None`` where unknown.
        dtype: `torch.dtype`.
        mask: symbolic boolean tensor that tells which positions count, or ``None``.

    Example:

    >>> import torch, ramify
    >>> x = ramify.Input(shape=(8,))
    >>> torch.relu(x * 2)[:, :3].shape
    (None, 3)
    """

    __slots__ = ("_name", "dtype", "mask", "probes", "shape")

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        name: str | None = None,
        probes: tuple[Probe, ...] | None = None,
    ) -> None:
        self.probes = probes_of(checked_shape(shape)) if probes is None else probes
        self.shape: Shape = merged(self.probes)
        self.dtype: torch.dtype = dtypes.to_torch(dtype)
        self.mask: SymbolicTensor | None = None
        self._name = name
        self.path = ()

    @property
    def name(self) -> str:
        """The given name, else that of the call that makes the tensor."""
        return self._name or (self.node.name if hasattr(self, "node") else "tensor")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    rank = ndim
    sparse, ragged, ragged_rank, row_splits_dtype = False, False, None, None

    def dim(self) -> int:
        """The number of axes, as `torch.Tensor.dim`."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> Any:
        """Sizes as `torch.Tensor.size`; an unknown one is a `SymbolicSize` that can be calculated with."""
        if dim is not None:
            known = self.shape[dim]
            return record(torch.Tensor.size, (self, dim), {}) if known is None else known
        return tuple(self.size(axis) for axis in range(self.ndim))

    def _record(self, function: Callable[..., Any], *args: Any) -> Any:
        return record(function, args, {})

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return record(func, args, kwargs or {})

    def __getattr__(self, name: str) -> Any:
        member = None if name.startswith("_") else getattr(torch.Tensor, name, None)
        if member is None or name in _NEED_VALUES:
            if member is not None:
                self._refuse(f"`{name}` of", "It can only be asked of a real tensor: run the model first.")
            raise AttributeError(f"a symbolic tensor has no attribute '{name}'")
        if name.endswith("_") and not name.endswith("__"):
            self._refuse(f"The in-place method `{name}` of", f"Use `{name[:-1]}`, which returns a new tensor.")
        if not callable(member):
            return record(getattr, (self, name), {})
        return lambda *args, **kwargs: record(member, (self, *args), kwargs)

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={dtypes.name(self.dtype)}, name={self.name}>"


_NEED_VALUES = frozenset(
    "item tolist numpy cpu cuda backward grad data data_ptr storage untyped_storage register_hook requires_grad "
    "requires_grad_ retain_grad is_cuda is_leaf grad_fn device".split()
)


class SymbolicSize(SymbolicValue, Operators):
    """An unknown size as a value: calculate with it and pass it on; it has no number until data arrives."""

    __slots__ = ("probes",)

    def __init__(self, probes: tuple[int, ...]) -> None:
        self.probes = probes
        self.path = ()

    def _record(self, function: Callable[..., Any], *args: Any) -> Any:
        return record(function, args, {})

    def _unknown(self, *_: Any) -> Any:
        raise UnknownSizeError(
            f"This size is unknown until data arrives (it comes from {self.node.describe()}), so Python can neither "
            "compare it nor make a number of it here. Give the size in `Input(shape=...)`, or put the code that "
            "branches on it into a layer's `call`, where sizes are numbers."
        )

    __bool__ = __int__ = __index__ = __float__ = _unknown
    __lt__ = __le__ = __gt__ = __ge__ = _unknown
    __eq__ = __ne__ = _unknown
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "<SymbolicSize>"


def is_symbolic(value: Any) -> bool:
    """Whether a value, or anything nested in it, is symbolic."""
    if isinstance(value, (list, tuple)):
        return any(is_symbolic(item) for item in value)
    if isinstance(value, dict):
        return any(is_symbolic(item) for item in value.values())
    if isinstance(value, slice):
        return is_symbolic((value.start, value.stop, value.step))
    return isinstance(value, SymbolicValue)


def placeholder(target: Any, shape: Sequence[int | None], dtype: Any, name: str | None = None) -> SymbolicTensor:
    """A symbolic tensor where data enters a graph; `target` is the input layer."""
    node = Node(target, (), {}, name or "input", is_input=True)
    tensor: SymbolicTensor = node.finish(SymbolicTensor(shape, dtype))
    return tensor


def record(
    target: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str | None = None,
    outputs: Any = None,
    implicit: tuple[str, ...] = (),
) -> Any:
    """Record one call on symbolic values: a new node, and symbolic values for what it will return.

    Args:
        target: a layer or a function; it is run on tensors without data to learn the shapes.
        args: positional arguments, nested; symbolic values among the leaves.
        kwargs: keyword arguments, likewise.
        name: a word for the call; the target's name when not given.
        implicit: names among `kwargs` that were filled in rather than given.
        outputs: symbolic values without a node, where the caller knows the result; inferred when not given.

    Returns:
        The result's structure, with a `SymbolicTensor` or `SymbolicSize` for each leaf that depends on data.

    Raises:
        ShapeError: the call does not take these shapes.
        SymbolicValueError: the call needs numbers to go on.
    """
    # A list that the caller appends to later must not grow.
    args, kwargs = map_leaves(lambda leaf: leaf, (args, kwargs))
    node = Node(target, args, kwargs, name or _name_of(target), implicit)
    for leaf in flatten((args, kwargs)):
        if isinstance(leaf, torch.nn.Parameter) and not isinstance(target, torch.nn.Module):
            raise InputError(
                f"`{node.name}` mixes a symbolic tensor with a parameter of shape {tuple(leaf.shape)}, which the model "
                "would not own. If it belongs to an `nn.Module`, wrap the module with `layers.TorchModuleWrapper`; "
                "otherwise hold the parameter in a layer of your own."
            )
    return node.finish(map_leaves(make_value, infer_call(node)) if outputs is None else outputs)


def _name_of(target: Any) -> str:
    name = getattr(target, "name", None) or getattr(target, "__name__", type(target).__name__)
    return str(name).strip("_") or "call"


def make_value(leaf: Any) -> Any:
    """The symbolic value for a leaf of an inferred result."""
    if not isinstance(leaf, infer.Spec):
        return leaf
    if leaf.dtype is None:
        return SymbolicSize(leaf.probes)
    return SymbolicTensor((), leaf.dtype, probes=leaf.probes)


def infer_call(node: Node) -> Any:
    """Run a node's target once per probe; returns its result with a `Spec` for every leaf that depends on data."""
    count = max((len(value.probes) for value in _symbolic_inputs(node)), default=2)
    results: list[Any] = []
    for i in range(count):
        try:
            results.append(_run(node, i))
        except Exception as error:  # whatever the user's code raises is told with its place in the graph
            if i == 2:
                break
            matched = (_match_sizes(node, 1) or _match_sizes(node)) if i == 0 else None
            if matched is None:
                raise _explained(error, node) from error
            return matched
    try:
        return infer.combine(results)
    except ValueError as error:
        raise ShapeError(f"{node.describe()} cannot be part of a graph: {error}. Fix the sizes in `Input`.") from None


def _symbolic_inputs(node: Node) -> list[SymbolicTensor | SymbolicSize]:
    return [leaf for leaf in node.inputs if isinstance(leaf, (SymbolicTensor, SymbolicSize))]


def _run(node: Node, i: int, sizes: dict[int, Probe] | None = None) -> Any:
    def concrete(leaf: Any) -> Any:
        if isinstance(leaf, SymbolicTensor):
            probe = (sizes or {}).get(id(leaf)) or leaf.probes[i if i < len(leaf.probes) else 0]
            return torch.empty(probe, dtype=leaf.dtype, device=META)
        if isinstance(leaf, SymbolicSize):
            return leaf.probes[i if i < len(leaf.probes) else 0]
        if isinstance(leaf, np.ndarray) and not isinstance(node.target, torch.nn.Module):
            return torch.as_tensor(leaf)  # as it is when the graph runs
        return leaf

    return infer.run_probe(node.target, map_leaves(concrete, node.args), map_leaves(concrete, node.kwargs))


def _match_sizes(node: Node, but: int | None = None) -> Any:
    """Try again with unknown sizes taken from inputs of the same rank that know them, as data would have to have them.

    An unknown length that meets a known one must be equal to it (or broadcasts, where that is `but` 1), as in Keras.
    """
    tensors = [leaf for leaf in _symbolic_inputs(node) if isinstance(leaf, SymbolicTensor)]
    results = []
    for i in range(2):
        sizes = {}
        for tensor in tensors:
            probe = list(tensor.probes[i])
            for axis in range(tensor.ndim):
                known = {o.shape[axis] for o in tensors if o.ndim == tensor.ndim} - {None, but}
                if tensor.shape[axis] is None and probe[axis] == (SIZE if axis else BATCH)[i] and len(known) == 1:
                    probe[axis] = known.pop() or 0
            sizes[id(tensor)] = tuple(probe)
        if all(sizes[id(t)] == t.probes[i] for t in tensors):
            return None
        try:
            results.append(_run(node, i, sizes))
        except Exception:  # noqa: BLE001 - any failure here only means that the first error is the one to tell
            return None
    return infer.combine(results)


def _explained(error: Exception, node: Node) -> Exception:
    """The error to raise for what a call raised while its shapes were inferred."""
    vars(error).setdefault("call", node)  # for pictures of how far the graph came
    shapes = ", ".join(str(leaf.shape) for leaf in _symbolic_inputs(node) if isinstance(leaf, SymbolicTensor))
    where = f"{node.describe()}, called on shape{'s' if '), (' in shapes else ''} {shapes}"
    if isinstance(error, RamifyError):
        return error
    text = str(error).strip().split("\n")[0]
    if isinstance(error, NotImplementedError) or "meta tensor" in text or "data-dependent" in text:
        return SymbolicValueError(
            f"{where}, needs the numbers in its input to know the shape of its result ({text}). "
            "Give its class a `compute_output_shape(self, input_shape)`, or use operations whose shape follows "
            "from shapes alone."
        )
    if isinstance(error, (RuntimeError, ValueError, IndexError)):
        made = "; ".join(f"{leaf.shape} from {leaf.node.describe()}" for leaf in node.inputs if hasattr(leaf, "shape"))
        unknown = f" ({BATCH[0]} and {SIZE[0]} in the reason stand for unknown sizes.)" if "None" in shapes else ""
        return ShapeError(
            f"{where}, failed: {text.rstrip('.')}.{unknown} Its inputs: {made}. "
            "Change the shapes there, or the arguments of the call."
        )
    error.add_note(f"Raised while a graph was being built, in {where}.")
    return error
