"""Recomputation: intermediate results that do not fit a budget are made again for the backward pass.

The forward pass is cut into stretches. Of a stretch that is to be recomputed, only what later stretches read stays in
memory; before the backward pass comes to it, the rest is computed again from there, by the same operations on the same
numbers, so that results do not change by a bit. What cannot be done twice (random draws, what writes in place) is kept.

Source: Chen et al., 2016, "Training deep nets with sublinear memory cost".
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import torch

from ramify.training.capture.internals import schema_of
from ramify.training.capture.program import HIDDEN_WRITES, Op, Program, Value

_STRETCHES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_HEAVY = 16
"""What an operation that multiplies matrices counts, in operations that go over memory once."""


def within_budget(program: Program, budget: float) -> Program:
    """The program that recomputes least among those whose results fit a budget.

    Args:
        program: a recorded step, before its operations write in place.
        budget: bytes that results and gradients may take at a time; up to 1 a share of what they take now.

    Returns:
        A program of the same results; the one that takes least memory, with a warning, where none fits.
    """
    now = program.peak_bytes()
    limit = budget * now if budget <= 1 else budget
    if now <= limit:
        return program
    least, fitting = program, None
    lowest, cheapest = now, float("inf")
    for candidate, cost in _candidates(program):
        peak = candidate.peak_bytes()
        if peak < lowest:
            least, lowest = candidate, peak
        if peak <= limit and cost < cheapest:
            fitting, cheapest = candidate, cost
    if fitting is not None:
        return fitting
    warnings.warn(
        f"memory_budget={budget} asks for {limit / 1e6:.1f} MB, but a step takes {lowest / 1e6:.1f} MB at least "
        f"({now / 1e6:.1f} MB without recomputation). Make the batch smaller.",
        stacklevel=2,
    )
    return least


def _candidates(program: Program) -> Iterator[tuple[Program, float]]:
    written = {value.root for op in program.ops for value in op.writes()}
    reads = _last_reads(program)
    seen: set[tuple[int, int]] = set()
    for number in _STRETCHES:
        cuts = _cuts(program, number)
        for share in (0.25, 0.5, 0.75, 1.0):
            several = cuts[: max(1, round(share * len(cuts)))]
            if several and (key := (several[-1], len(several))) not in seen:
                seen.add(key)
                yield _recomputing(program, several, written, reads)


def _cuts(program: Program, number: int) -> list[int]:
    """Ends of `number` stretches of the forward pass whose results take about the same memory."""
    sizes = [sum(out.nbytes for out in op.outs if out and out.root is out) for op in program.ops[: program.turn]]
    whole, passed = sum(sizes), 0
    cuts: list[int] = []
    for place, size in enumerate(sizes):
        passed += size
        if passed * number >= whole * (len(cuts) + 1):
            cuts.append(place + 1)
    return cuts


def _recomputing(
    program: Program, cuts: list[int], written: set[Value], reads: dict[Value, int]
) -> tuple[Program, float]:
    """A program that recomputes the stretches that end at `cuts`, and what that costs."""
    names: dict[Value, Value] = {}
    inserted: dict[int, list[Op]] = {}
    cost, start = 0.0, 0
    for end in cuts:
        again, dropped = _stretch(program, start, end, written, reads)
        start = end
        first = next((i for i, op in _backward(program) if any(v in dropped for v in op.reads())), None)
        if first is None:
            continue
        twins = _twins(again)
        copies = [_copy(op, twins) for op in again]
        names.update({value: twins[value] for value in dropped})
        inserted.setdefault(first, []).extend(copies)
        cost += sum(_cost(op) for op in again)
    ops = program.ops[: program.turn]
    for place, op in _backward(program):
        ops.extend(inserted.get(place, ()))
        ops.append(op.with_values(lambda value: names.get(value, value)))
    count = sum(map(len, inserted.values()))
    return replace(program, ops=ops, rewrites={**program.rewrites, "recomputed": count}), cost


def _backward(program: Program) -> Iterator[tuple[int, Op]]:
    return ((place, program.ops[place]) for place in range(program.turn, len(program.ops)))


def _last_reads(program: Program) -> dict[Value, int]:
    """Memory -> the last operation of the forward pass that reads it."""
    last: dict[Value, int] = {}
    for place in range(program.turn):
        for value in program.ops[place].reads():
            last[value.root] = place
    last.update({value.root: len(program.ops) for value in program.outputs})
    return last


def _stretch(
    program: Program, start: int, end: int, written: set[Value], reads: dict[Value, int]
) -> tuple[list[Op], set[Value]]:
    """What to compute again of a stretch, and the values of the backward pass that need not be kept then."""
    lost: set[Value] = set()  # can be made again, and are not read by what follows
    makers: list[Op] = []
    for op in program.ops[start:end]:
        outs = [out for out in op.outs if out is not None]
        if _repeatable(op, written) and all(reads.get(out.root, -1) < end for out in outs):
            lost.update(outs)
            makers.append(op)
    # A view of memory that is kept anyway costs nothing to keep.
    held = {out.root for op in program.ops[start:end] for out in op.outs if out is not None and out not in lost}
    lost = {value for value in lost if value.root not in held}
    wanted = {value for _, op in _backward(program) for value in op.reads() if value in lost}
    dropped, again = set(wanted), []
    for op in reversed(makers):
        if any(out in wanted for out in op.outs):
            again.append(op)
            wanted.update(value for value in op.reads() if value in lost)
    return again[::-1], dropped


def _repeatable(op: Op, written: set[Value]) -> bool:
    hidden = {value.root for value in op.writes()} if op.func in HIDDEN_WRITES else set()
    if op.draws or (schema_of(op.func).is_mutable and not hidden):
        return False
    return not any(v.root in written and v.root not in hidden for v in (*op.reads(), *(o for o in op.outs if o)))


def _twins(ops: list[Op]) -> dict[Value, Value]:
    """The values that a second run makes."""
    twins: dict[Value, Value] = {}
    for op in ops:
        for out in op.outs:
            if out is not None:
                root = None if out.root is out else twins.get(out.root, out.root)
                twins[out] = out.like(root)
    return twins


def _copy(op: Op, twins: dict[Value, Value]) -> Op:
    copy = op.with_values(lambda value: twins.get(value, value))
    copy.outs = [None if out is None else twins[out] for out in op.outs]
    if op.func in HIDDEN_WRITES:  # moving averages have moved the first time
        copy.args = tuple(None if i in HIDDEN_WRITES[op.func] else arg for i, arg in enumerate(copy.args))
    return copy


def _cost(op: Op) -> float:
    heavy = any(part in schema_of(op.func).name for part in ("mm", "conv", "linear", "attention", "rnn", "gru"))
    size = sum(out.nbytes for out in op.outs if out is not None and out.root is out)
    return float(size * (_HEAVY if heavy else 1)) + torch.finfo(torch.float32).eps
