"""Writing down what a real step does, below autograd: each operation, and which tensors it took and gave."""

from __future__ import annotations

import gc
import weakref
from typing import Any, Self

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ramify.training.capture.bindings import run, same
from ramify.training.capture.internals import memory_of, schema_of
from ramify.training.capture.program import Op, Program, Value, swapped
from ramify.variables import Variable

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_BY_DATA = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)
_INDEXING = ("aten::index", "aten::_unsafe_index")
_READERS = {torch.Tensor.numpy, torch.Tensor.tolist, torch.Tensor.__array__, torch.Tensor.data_ptr}


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's
    """Records the operations that run while it is active, which run as they would without it.

    Tensors are told apart by identity and not kept alive, so that a recorded step takes no more memory than another.
    Those that are there before the step are held from their first use on: they are weights, state or constants.

    Args:
        inputs: the tensors of the batch, each once.

    Attributes:
        problem: why the step is no fixed list of operations; ``None`` while it seems to be one.
    """

    records_whole_kernels = True  # our own operations are recorded as they are, not as what they stand for

    def __init__(self, inputs: list[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.problem: str | None = None
        self.kept: dict[Value, torch.Tensor] = {}
        self.ops: list[Op] = []
        self.turn: int | None = None
        self._made: dict[Value, weakref.ref[torch.Tensor]] = {}
        self._found: dict[int, tuple[weakref.ref[torch.Tensor], Value]] = {}
        self.inputs = [self._note(tensor, Value(tensor)) for tensor in inputs]

    def __enter__(self) -> Self:
        self._reads = _Reads(self)
        self._reads.__enter__()  # type: ignore[no-untyped-call]  # torch's
        super().__enter__()  # type: ignore[no-untyped-call]  # torch's
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]  # torch's
        self._reads.__exit__(*error)  # type: ignore[no-untyped-call]  # torch's

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler to keep it out of here

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self.problem is None:
            self.problem = _why_not(func, args)
        if self.problem is not None:
            return func(*args, **kwargs)
        noted_args, noted_kwargs = self._values(args), {name: self._values(arg) for name, arg in kwargs.items()}
        out, call = run(func, args, kwargs)
        single = isinstance(out, torch.Tensor)
        flat = [out] if single else list(out) if isinstance(out, (tuple, list)) else []
        given = [tensor for tensor in (*args, *kwargs.values()) if isinstance(tensor, torch.Tensor)]
        outs = [self._output(tensor, given) if isinstance(tensor, torch.Tensor) else None for tensor in flat]
        if any(isinstance(item, (tuple, list)) for item in flat):
            self.problem = f"{func} returns lists in a tuple"
        self.ops.append(Op(func, noted_args, noted_kwargs, outs, single, call, torch.is_grad_enabled()))
        return out

    def turn_back(self) -> None:
        """The backward pass begins."""
        self.turn = len(self.ops)

    def program(self, outputs: list[torch.Tensor]) -> Program:
        """What was recorded, as a program that returns `outputs`."""
        turn = len(self.ops) if self.turn is None else self.turn
        returned = [self._value(tensor) for tensor in outputs]
        return Program(list(self.inputs), dict(self.kept), list(self.ops), returned, turn)

    def escaped(self, known: set[int]) -> str | None:
        """Whether Python code has put away a tensor of the step, which would go stale when the step is only replayed.

        Args:
            known: ids of tensors that may live on.
        """
        for collect in (False, True):
            if collect:
                gc.collect()
            alive = [tensor for ref in self._made.values() if (tensor := ref()) is not None and id(tensor) not in known]
            if not alive:
                return None
        return (
            f"a tensor of shape {tuple(alive[0].shape)} is still held after the step by Python code, which a replayed "
            "step would not run"
        )

    # ---- tensors and values ----

    def _values(self, tree: Any) -> Any:
        if isinstance(tree, torch.Tensor):
            return self._value(tree)
        if isinstance(tree, (list, tuple)):
            return type(tree)(self._values(leaf) for leaf in tree) if type(tree) in (list, tuple) else list(tree)
        return tree

    def _value(self, tensor: torch.Tensor) -> Value:
        entry = self._found.get(id(tensor))
        if entry is not None and entry[0]() is tensor:
            return entry[1]
        if type(tensor) not in _PLAIN and not isinstance(tensor, Variable):
            self.problem = f"it works on a {type(tensor).__name__}, which does more than its operations show"
        value = self._note(tensor, Value(tensor))
        self.kept[value] = tensor
        return value

    def _note(self, tensor: torch.Tensor, value: Value) -> Value:
        self._found[id(tensor)] = (weakref.ref(tensor), value)
        return value

    def _output(self, tensor: torch.Tensor, given: list[torch.Tensor]) -> Value:
        entry = self._found.get(id(tensor))
        if entry is not None and entry[0]() is tensor:  # in place
            return entry[1]
        memory = memory_of(tensor)
        root = next((t for t in given if memory_of(t) == memory), None)
        value = self._note(tensor, Value(tensor, None if root is None else self._value(root)))
        self._made[value] = self._found[id(tensor)][0]
        return value


class _Reads(TorchFunctionMode):
    """Notices what no operation shows: Python code that takes the numbers out of a tensor."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _READERS:
            self.recorder.problem = f"Python code reads a tensor's numbers by `{func.__name__}`"
        return func(*args, **(kwargs or {}))


def _why_not(func: Any, args: Any) -> str | None:
    if any(tag in func.tags for tag in _BY_DATA):
        if schema_of(func).name in _INDEXING and all(t is None or t.dtype is not torch.bool for t in args[1]):
            return None
        return f"what {func} gives, or its size, depends on the numbers"
    if torch.Tag.inplace_view in func.tags:
        return f"{func} changes a tensor's shape in place"
    return None


def difference(first: Program, second: Program) -> str | None:
    """What two recordings of a step do differently; ``None`` where they do the same."""
    if len(first.ops) != len(second.ops) or first.turn != second.turn:
        return f"one step took {len(first.ops)} operations, the next {len(second.ops)}"
    numbers: dict[Value, int] = {}
    for pair in zip(_order(first), _order(second), strict=False):
        numbers.update(dict.fromkeys(pair, len(numbers)))

    def number(value: Value) -> Any:
        return _Numbered(numbers.get(value, -1))

    for a, b in zip(first.ops, second.ops, strict=True):
        if a.func is not b.func or [numbers.get(v) for v in a.outs if v] != [numbers.get(v) for v in b.outs if v]:
            return f"{a.func} in one step was {b.func} in the next"
        if not same(swapped([a.args, *a.kwargs.items()], number), swapped([b.args, *b.kwargs.items()], number)):
            return f"{a.func} had other arguments in the next step"
    return _other_constants(first, second, numbers)


class _Numbered(int):
    """The number of a value, which no number among the arguments equals."""


def _order(program: Program) -> list[Value]:
    """All values in the order of their first appearance."""
    found: dict[Value, None] = dict.fromkeys(program.inputs)
    for op in program.ops:
        found.update(dict.fromkeys(op.reads()))
        found.update(dict.fromkeys(out for out in op.outs if out is not None))
    found.update(dict.fromkeys(program.outputs))
    return list(found)


def _other_constants(first: Program, second: Program, numbers: dict[Value, int]) -> str | None:
    """Kept tensors must be the same ones, or have the same numbers and never change."""
    before = {numbers[value]: tensor for value, tensor in first.kept.items()}
    changed = {value.root for op in second.ops for value in op.writes()}
    for value, tensor in second.kept.items():
        old = before.get(numbers[value])
        if old is tensor:
            continue
        what = f"a tensor of shape {tuple(tensor.shape)} that Python code makes in each step"
        if value.root in changed:
            return f"{what} is changed in place"
        if old is None or old.shape != tensor.shape or old.dtype is not tensor.dtype or not torch.equal(old, tensor):
            return f"{what} has other numbers in the next step"
    return None
