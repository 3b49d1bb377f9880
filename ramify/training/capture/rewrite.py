"""What makes a recorded program leaner without changing a bit of its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from ramify.training.capture.budget import within_budget
from ramify.training.capture.internals import lean, overload_of, schema_of
from ramify.training.capture.program import Op, Program, Value

_aten = torch.ops.aten
_VIEWS = {
    _aten.t.default,
    _aten.view.default,
    _aten.permute.default,
    _aten.transpose.int,
    _aten.expand.default,
    _aten.unsqueeze.default,
    _aten.squeeze.dim,
    _aten.select.int,
    _aten.slice.Tensor,
    _aten.detach.default,
    _aten.alias.default,
}


def rewrite(program: Program, memory_budget: float | None = None) -> Program:
    """All of this file, in order; and recomputation for a budget, before memory is given from hand to hand."""
    program = without_dead_ends(without_copies_of_names(program))
    program = without_views_of_sums(with_constants_made_once(program))
    if memory_budget is not None:
        program = within_budget(program, memory_budget)
    return in_place(with_views_made_once(program))


def without_copies_of_names(program: Program) -> Program:
    """`detach`, and a view of the same shape, give the same tensor again, which nothing needs without autograd."""
    names: dict[Value, Value] = {}

    def swap(value: Value) -> Value:
        return names.get(value, value)

    ops: list[Op] = []
    turn = program.turn
    for place, given in enumerate(program.ops):
        op = given.with_values(swap)
        if op.func in _VIEWS and op.outs[0] is not None and _is_the_same(op):
            names[op.outs[0]] = op.args[0]
            turn -= place < program.turn
        else:
            ops.append(op)
    outputs = [swap(value) for value in program.outputs]
    return _changed(program, "names", ops=ops, outputs=outputs, turn=turn)


def _is_the_same(op: Op) -> bool:
    made, given = op.outs[0], op.args[0]
    return made is not None and made.shape == given.shape and made.strides == given.strides


def without_dead_ends(program: Program) -> Program:
    """What nobody reads is not computed: the gradient of the inputs, a maximum's places, and so on."""
    wanted = set(program.outputs)
    lasting = {value.root for value in (*program.inputs, *program.kept)}
    # Memory is followed as a whole: who reads a view of it sees what was written to another.
    wanted_roots = {value.root for value in wanted}
    keep: list[bool] = []
    for op in reversed(program.ops):
        writes = op.writes()
        needed = op.draws or any(out in wanted for out in op.outs)
        needed = needed or any(value.root in lasting or value.root in wanted_roots for value in writes)
        if needed:
            for value in op.reads():
                wanted.add(value)
                wanted_roots.add(value.root)
        keep.append(needed)
    keep.reverse()
    turn = sum(keep[: program.turn])
    return _changed(program, "dead ends", ops=[op for op, k in zip(program.ops, keep, strict=True) if k], turn=turn)


_FILLS = {
    _aten.ones_like.default,
    _aten.zeros_like.default,
    _aten.full_like.default,
    _aten.new_zeros.default,
    _aten.new_ones.default,
    _aten.new_full.default,
    _aten.zeros.default,
    _aten.ones.default,
    _aten.full.default,
    _aten.scalar_tensor.default,
    _aten.arange.start_step,
}
_MOST_KEPT = 1 << 16
"""Bytes of a constant up to which it may stay in memory between steps."""


def with_constants_made_once(program: Program) -> Program:
    """Zeros to start with, ones to begin the backward pass with, numbers that are counted up by: made beforehand.

    Only what nobody writes to; what is returned goes to an optimizer, which may.
    """
    devices = {tensor.device for tensor in program.kept.values()}
    if len(devices) != 1:
        return program
    device = devices.pop()
    kept, hoisted = dict(program.kept), set(program.hoisted)
    changed = {value.root for op in program.ops for value in op.writes()}
    changed.update(value.root for value in program.outputs)
    ops: list[Op] = []
    numbers: dict[Any, Value] = {}
    turn = program.turn
    for place, op in enumerate(program.ops):
        made = op.outs[0] if op.single else None
        if made is not None and op.func in _FILLS and made.nbytes <= _MOST_KEPT and made.root not in changed:
            args = [_empty(arg, device) if type(arg) is Value else arg for arg in op.args]
            kept[made] = op.func(*args, **op.kwargs)
            hoisted.add(made)
            turn -= place < program.turn
        else:
            ops.append(_counting_by_tensor(op, numbers, device) or op)
    kept.update({value: torch.tensor(key[0], dtype=key[1], device=device) for key, value in numbers.items()})
    hoisted.update(numbers.values())
    return _changed(program, "constants", ops=ops, kept=kept, hoisted=hoisted, turn=turn)


def _empty(value: Value, device: torch.device) -> torch.Tensor:
    return torch.empty_strided(value.shape, value.strides, dtype=value.dtype, device=device)


def _counting_by_tensor(op: Op, numbers: dict[Any, Value], device: torch.device) -> Op | None:
    """`count.add_(32)` with the number as a tensor, of which torch need not make one each time (a third of the time).

    Other dtypes would round the number differently.
    """
    if op.func is not _aten.add_.Tensor or op.kwargs or type(op.args[1]) not in (int, float):
        return None
    dtype = op.args[0].dtype
    if dtype not in (torch.float32, torch.float64):
        return None
    key = (op.args[1], dtype)
    if key not in numbers:
        numbers[key] = Value(torch.empty((), dtype=dtype, device=device))
    return Op(op.func, (op.args[0], numbers[key]), {}, op.outs, True, torch.Tensor.add_, op.grad)


def without_views_of_sums(program: Program) -> Program:
    """A sum that keeps its axes, for a view without them (what the gradient of a bias is): a sum that drops them."""
    readers: dict[Value, int] = {}
    for value in (*(value for op in program.ops for value in op.reads()), *program.outputs):
        readers[value] = readers.get(value, 0) + 1
    sums: dict[Value, int] = {}
    names: dict[Value, Value] = {}
    ops: list[Op | None] = []
    for place, given in enumerate(program.ops):
        op = given.with_values(lambda value: names.get(value, value))
        ops.append(op)
        made = op.outs[0] if op.single else None
        if op.func is _aten.sum.dim_IntList and made is not None and len(op.args) == 3 and op.args[2]:
            sums[made] = place
        elif op.func is _aten.view.default and made is not None and op.args[0] in sums and readers[op.args[0]] == 1:
            before = ops[sums[op.args[0]]]
            if before is not None and made.shape == _without(before.args[0].shape, before.args[1]):
                names[made] = made.like()
                args = (before.args[0], before.args[1], False)
                ops[sums[op.args[0]]] = Op(before.func, args, before.kwargs, [names[made]], True, before.call, op.grad)
                ops[place] = None
    turn = sum(op is not None for op in ops[: program.turn])
    outputs = [names.get(value, value) for value in program.outputs]
    return _changed(program, "sums", ops=[op for op in ops if op is not None], outputs=outputs, turn=turn)


def _without(shape: Any, axes: Any) -> tuple[int, ...]:
    dropped = {axis % len(shape) for axis in axes}
    return tuple(size for axis, size in enumerate(shape) if axis not in dropped)


def with_views_made_once(program: Program) -> Program:
    """Views of weights (transposed kernels) are made when the program is, and not in every step."""
    kept, hoisted = dict(program.kept), set(program.hoisted)
    ops: list[Op] = []
    turn = program.turn
    for place, op in enumerate(program.ops):
        if op.func in _VIEWS and op.outs[0] is not None and op.args[0] in kept:
            with torch.no_grad():
                kept[op.outs[0]] = op.func(kept[op.args[0]], *op.args[1:], **op.kwargs)
            hoisted.add(op.outs[0])
            turn -= place < program.turn
        else:
            ops.append(op)
    return _changed(program, "views", ops=ops, kept=kept, hoisted=hoisted, turn=turn)


# The variant that writes into its first argument, for operations that go over memory once, number by number.
_IN_PLACE: dict[Any, Callable[..., Any]] = {
    _aten.relu.default: torch.Tensor.relu_,
    _aten.add.Tensor: torch.Tensor.add_,
    _aten.sub.Tensor: torch.Tensor.sub_,
    _aten.mul.Tensor: torch.Tensor.mul_,
    _aten.div.Tensor: torch.Tensor.div_,
    _aten.neg.default: torch.Tensor.neg_,
    _aten.tanh.default: torch.Tensor.tanh_,
    _aten.sigmoid.default: torch.Tensor.sigmoid_,
    _aten.exp.default: torch.Tensor.exp_,
    _aten.sqrt.default: torch.Tensor.sqrt_,
    _aten.rsqrt.default: torch.Tensor.rsqrt_,
    _aten.clamp.default: torch.Tensor.clamp_,
}
# Those that write into an argument by name: the place of the argument that is used up, and the name.
_INTO: dict[Any, tuple[Any, str]] = {
    _aten.threshold_backward.default: (_aten.threshold_backward.grad_input, "grad_input"),
    _aten.tanh_backward.default: (_aten.tanh_backward.grad_input, "grad_input"),
    _aten.sigmoid_backward.default: (_aten.sigmoid_backward.grad_input, "grad_input"),
    _aten.gelu_backward.default: (_aten.gelu_backward.grad_input, "grad_input"),
    _aten.silu_backward.default: (_aten.silu_backward.grad_input, "grad_input"),
    _aten.elu_backward.default: (_aten.elu_backward.grad_input, "grad_input"),
    _aten.hardtanh_backward.default: (_aten.hardtanh_backward.grad_input, "grad_input"),
    _aten.leaky_relu_backward.default: (_aten.leaky_relu_backward.grad_input, "grad_input"),
}
_WORTH = 1 << 12
"""Bytes from which writing in place is worth more than the longer way through a general overload."""


def in_place(program: Program) -> Program:
    """Results take the place of an argument that is not needed any more, which saves fresh memory."""
    fixed = {value.root for value in (*program.inputs, *program.kept, *program.outputs)}
    ends: dict[Value, int] = {}
    for value, place in program.last_uses().items():
        ends[value.root] = max(ends.get(value.root, 0), place)
    ops: list[Op] = []
    homes: dict[Value, Value] = {}  # memory -> the memory that it was given in the new program

    def home(value: Value) -> Value:
        return homes.get(value.root, value.root)

    late: dict[Value, int] = dict(ends)
    for place, op in enumerate(program.ops):
        made = op.outs[0] if op.single else None
        first = op.args[0] if op.args else None
        if (
            made is not None
            and type(first) is Value
            and (op.func in _IN_PLACE or (op.func in _INTO and made.nbytes >= _WORTH))
            and _alike(first, made)
            and made.root is made
            and home(first) not in fixed
            and first.root not in fixed
            and late[home(first)] == place
            and sum(value.root is first.root for value in op.reads()) == 1
        ):
            ops.append(_into(op, first))
            homes[made] = home(first)
            late[home(first)] = ends[made]
            if made in fixed:
                fixed.add(home(first))
        else:
            ops.append(op)
    return _changed(program, "in place", ops=ops, homes=homes, in_place=len(homes))


def _alike(a: Value, b: Value) -> bool:
    return a.shape == b.shape and a.dtype is b.dtype and a.strides == b.strides and a.root.nbytes == b.nbytes


def _into(op: Op, first: Value) -> Op:
    if op.func in _IN_PLACE:
        call = _IN_PLACE[op.func]
        func = getattr(_aten, schema_of(op.func).name.split("::")[1] + "_")
        return Op(getattr(func, overload_of(op.func)), op.args, op.kwargs, op.outs, True, call, op.grad)
    func, name = _INTO[op.func]
    return Op(func, op.args, {**op.kwargs, name: first}, op.outs, True, lean(func), op.grad)


def _changed(program: Program, name: str, in_place: int | None = None, **parts: Any) -> Program:
    count = len(program.ops) - len(parts["ops"]) if in_place is None else in_place
    return replace(program, **parts, rewrites={**program.rewrites, name: count})
