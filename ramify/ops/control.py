"""Control flow over tensors: branches, loops, maps and scans, and gradients of one's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.graph import is_probing, is_symbolic, record
from ramify.graph.structure import flatten, map_leaves, unflatten
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop",
]  # fmt: skip

Function = Callable[..., Any]


def cond(pred: Any, true_fn: Function, false_fn: Function) -> Any:
    """The result of one of two functions.

    A real `pred` decides which function runs. A symbolic one, or one inside a compiled or shape-inferring run, has both
    run and the result chosen number by number; so both must be free of side effects and return alike structures.

    Args:
        pred: boolean scalar.
        true_fn: function without arguments.
        false_fn: likewise.

    Returns:
        What the chosen function returns.

    >>> cond(torch.tensor(True), lambda: 1, lambda: 2)
    1
    """
    if not is_symbolic(pred) and not (isinstance(pred, Tensor) and pred.device.type == "meta"):
        return true_fn() if bool(pred) else false_fn()
    yes, no = true_fn(), false_fn()
    return unflatten(yes, [choose(pred, a, b) for a, b in zip(flatten(yes), flatten(no), strict=True)])


@op
def choose(pred: Any, yes: Any, no: Any) -> Any:
    """One of two tensors of equal shape by a boolean scalar: what a symbolic `cond` records.

    >>> choose(torch.tensor(False), torch.zeros(2), torch.ones(2))
    tensor([1., 1.])
    """
    if yes is None and no is None:
        return None
    return torch.where(to_tensor(pred).bool(), to_tensor(yes), to_tensor(no))


@op
def switch(index: Any, branches: Sequence[Function], *operands: Any) -> Any:
    """The result of one of several functions.

    Args:
        index: whole number; what lies outside is moved to the nearest end.
        branches: functions that take the operands and return results of equal shapes.
        *operands: what the chosen one is called with.

    Returns:
        What it returns.

    >>> switch(1, [torch.neg, torch.abs], torch.tensor(-3))
    tensor(3)
    """
    if isinstance(index, Tensor) and index.device.type == "meta":
        return branches[0](*operands)
    return branches[max(0, min(int(index), len(branches) - 1))](*operands)


@op
def while_loop(cond: Function, body: Function, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """Call `body` on its own result for as long as `cond` says so.

    Args:
        cond: function of the loop variables that returns a boolean scalar; it is read before every turn.
        body: function of the loop variables that returns new ones, of the same structure, shapes and dtypes.
        loop_vars: one tensor, or a tuple or list of tensors.
        maximum_iterations: stop after so many turns; ``None``: never.

    Returns:
        The last loop variables.

    >>> while_loop(lambda i: i < 5, lambda i: i + 2, torch.tensor(0))
    tensor(6)
    """
    several = isinstance(loop_vars, (list, tuple))
    state = tuple(map_leaves(to_tensor, v) for v in loop_vars) if several else (map_leaves(to_tensor, loop_vars),)
    turns = 0
    while not _on_meta(state) and (maximum_iterations is None or turns < maximum_iterations) and cond(*state):
        result = body(*state)
        state = tuple(map_leaves(to_tensor, v) for v in result) if several else (map_leaves(to_tensor, result),)
        turns += 1
    return state if several else state[0]


def _on_meta(value: Any) -> bool:
    """Whether shapes are being inferred, where no condition can be read; loops keep their shapes."""
    return is_probing() or any(isinstance(leaf, Tensor) and leaf.device.type == "meta" for leaf in flatten(value))


@op
def fori_loop(lower: Any, upper: Any, body_fun: Function, init_val: Any) -> Any:
    """``body_fun(i, value)`` for every `i` from `lower` up to `upper`, each on what the one before returned.

    Args:
        lower: first `i`.
        upper: end of the range, not reached.
        body_fun: function of a whole number and a value that returns the next value, of the same shape.
        init_val: first value: a tensor or several, nested.

    Returns:
        The last value.

    >>> fori_loop(0, 5, lambda i, total: total + i, 0)
    10
    """
    if _on_meta((lower, upper)):
        return body_fun(0, init_val)
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


@op
def map(f: Function, xs: Any) -> Any:
    """A function applied to every slice along the first axis, one after the other, and the results stacked.

    Args:
        f: function of one slice (of the structure of `xs`).
        xs: tensor, or several of equal first size, nested.

    Returns:
        What `f` returns, each tensor with a first axis of that size in front.

    >>> map(lambda x: x * x, torch.tensor([1, 2, 3]))
    tensor([1, 4, 9])
    """
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


@op
def vectorized_map(function: Function, elements: Any) -> Any:
    """As `map`, but on all slices at once, by `torch.vmap`; the function may not branch on numbers.

    Args:
        function: function of one slice (of the structure of `elements`).
        elements: tensor, or several of equal first size, nested.

    Returns:
        What `function` returns, each tensor with a first axis of that size in front.

    >>> vectorized_map(lambda x: x * x, torch.tensor([1, 2, 3]))
    tensor([1, 4, 9])
    """
    return torch.vmap(function)(map_leaves(to_tensor, elements))


@op
def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,  # noqa: ARG001 - Keras has it; the loop runs in Python either way
) -> Any:
    """Go through the slices along the first axis, carrying a state on, and stack what comes out on the way.

    Args:
        f: ``f(carry, x) -> (carry, y)``.
        init: first carry, nested.
        xs: tensor, or several of equal first size, nested; ``None`` for `length` turns without input.
        length: how many slices to take; all of them when not given.
        reverse: begin at the end; the outputs stand where their inputs do.
        unroll: accepted for Keras's sake; the loop runs in Python either way.

    Returns:
        ``(last carry, stacked outputs)``.

    Raises:
        ArgumentError: neither `xs` nor `length`, or sizes that differ.

    >>> scan(lambda total, x: (total + x, total), torch.tensor(0), torch.tensor([1, 2, 3]))
    (tensor(6), tensor([0, 1, 3]))
    """
    xs, carry = map_leaves(lambda leaf: None if leaf is None else to_tensor(leaf), xs), init
    leaves = [leaf for leaf in flatten(xs) if leaf is not None]
    sizes = {leaf.shape[0] for leaf in leaves} if length is None else {int(length)}
    if len(sizes) != 1 or any(leaf.shape[0] < min(sizes) for leaf in leaves):
        shapes = [tuple(leaf.shape) for leaf in leaves]
        raise ArgumentError(f"scan needs one length, of its inputs or given, but got shapes {shapes}, length={length}.")
    (count,) = sizes
    if _on_meta(leaves):
        return _scanned_once(f, carry, xs, count)
    places = range(count)
    outputs = []
    for i in reversed(places) if reverse else places:
        carry, y = f(carry, _at(xs, i))
        outputs.append(y)
    if reverse:
        outputs.reverse()
    return carry, _stacked(outputs)


def _at(xs: Any, i: int) -> Any:
    return map_leaves(lambda leaf: None if leaf is None else leaf[i], xs)


def _stacked(outputs: list[Any]) -> Any:
    if not outputs:
        raise ArgumentError("scan and map need at least one slice to know what comes out, but got none.")
    columns = zip(*(flatten(y) for y in outputs), strict=True)
    leaves = [None if c[0] is None else torch.stack([to_tensor(leaf) for leaf in c]) for c in columns]
    return unflatten(outputs[0], leaves)


def _scanned_once(f: Function, carry: Any, xs: Any, count: int) -> Any:
    """Shapes of a scan from one turn: the others have the same."""
    carry, y = f(carry, _at(xs, 0))
    return carry, map_leaves(lambda leaf: None if leaf is None else _repeated(to_tensor(leaf), count), y)


def _repeated(leaf: Tensor, count: int) -> Tensor:
    return leaf.unsqueeze(0).expand(count, *leaf.shape)


@op
def associative_scan(f: Function, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative function along an axis, in a logarithmic number of steps.

    Args:
        f: ``f(a, b)`` of two slabs of `elems`, that works number by number along `axis` and is associative.
        elems: tensor, or several of equal size along `axis`, nested.
        reverse: begin at the end.
        axis: the axis to go along.

    Returns:
        A structure like `elems`: place `i` holds ``f(...f(f(e0, e1), e2)..., ei)``.

    Source:
        Blelloch, 1990, "Prefix sums and their applications".

    >>> associative_scan(torch.add, torch.tensor([1, 2, 3, 4]))
    tensor([ 1,  3,  6, 10])
    """
    elems = map_leaves(to_tensor, elems)
    leaves = flatten(elems)
    if len({leaf.shape[axis] for leaf in leaves}) != 1:
        shapes = [tuple(leaf.shape) for leaf in leaves]
        raise ArgumentError(f"associative_scan needs equal sizes along axis {axis}, but got shapes {shapes}.")

    def combine(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        return flatten(f(unflatten(elems, a), unflatten(elems, b)))

    if reverse:
        leaves = [leaf.flip(axis) for leaf in leaves]
    result = _prefixes(combine, leaves, axis)
    return unflatten(elems, [leaf.flip(axis) for leaf in result] if reverse else result)


def _prefixes(combine: Callable[..., list[Tensor]], leaves: list[Tensor], axis: int) -> list[Tensor]:
    """Pair neighbours, scan the half as many pairs, and fill in the places between."""
    size = leaves[0].shape[axis]
    if size < 2:
        return leaves
    even, odd = ([_every_second(leaf, axis, first) for leaf in leaves] for first in (0, 1))
    pairs = _prefixes(combine, combine([_head(leaf, axis, size // 2) for leaf in even], odd), axis)
    rest = [leaf.narrow(axis, 1, leaf.shape[axis] - 1) for leaf in even]
    between = combine([_head(leaf, axis, (size - 1) // 2) for leaf in pairs], rest)
    results = []
    for leaf, pair, middle in zip(even, pairs, between, strict=True):
        first = torch.cat([leaf.narrow(axis, 0, 1).to(middle.dtype), middle], axis)
        results.append(_interleaved(first, pair, axis))
    return results


def _head(leaf: Tensor, axis: int, count: int) -> Tensor:
    return leaf.narrow(axis, 0, count)


def _every_second(leaf: Tensor, axis: int, first: int) -> Tensor:
    return leaf[(slice(None),) * (axis % leaf.ndim) + (slice(first, None, 2),)]


def _interleaved(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    """``even[0], odd[0], even[1], odd[1], ...``; `even` may be longer by one."""
    count = odd.shape[axis]
    axis %= even.ndim
    woven = torch.stack([_head(even, axis, count), odd], axis + 1).flatten(axis, axis + 1)
    return woven if even.shape[axis] == count else torch.cat([woven, even.narrow(axis, count, 1)], axis)


class _CustomGradient(torch.autograd.Function):
    """A function that brings its own gradient."""

    @staticmethod
    def forward(ctx: Any, f: Function, *args: Any) -> Any:
        result, ctx.gradient = f(*args)
        return result

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        found = ctx.gradient(*upstream)
        gradients = found if isinstance(found, (list, tuple)) else (found,)
        inputs = len(ctx.needs_input_grad) - 1
        if len(gradients) != inputs:
            raise ArgumentError(
                f"The gradient of a function with `custom_gradient` returned {len(gradients)} tensors for {inputs} "
                "arguments. Return one for each argument, None for those without."
            )
        return (None, *gradients)


def custom_gradient(f: Function) -> Function:
    """Let a function bring its own gradient.

    Args:
        f: function of tensors (by position) that returns ``(result, gradient)``, where ``gradient(*upstream)`` turns
            the gradient by each result into that by each argument.

    Returns:
        A function that returns the result alone.

    >>> @custom_gradient
    ... def clipped(x):
    ...     return x, lambda upstream: upstream.clamp(-1, 1)
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (5 * clipped(x)).backward()
    >>> x.grad
    tensor(1.)
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if is_symbolic(args) or is_symbolic(kwargs):
            return record(wrapper, args, kwargs)
        return _CustomGradient.apply(functools.partial(f, **kwargs) if kwargs else f, *args)

    return wrapper
