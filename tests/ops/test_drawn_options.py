"""Every public op with every option that it has, as hypothesis draws them: all is as in Keras.

That is: values, dtypes, gradients, symbolic shapes and dtypes (with sizes known, and unknown), and the run of the
recorded graph. A row of `drawn/rows/` says what is drawn; the tests of the families have the calls that were chosen.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings

import ramify
from ramify.errors import RamifyError
from ramify.graph import Graph, is_symbolic, lower
from tests.ops.drawn.draw import Draw, find, parameters
from tests.ops.drawn.table import KEPT, ROWS

EXAMPLES = 5
REFUSALS = (ValueError, RuntimeError, IndexError, TypeError, NotImplementedError, AttributeError, KeyError)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return [value]
    return [leaf for item in value for leaf in leaves(item)]


def mapped(function: Any, value: Any) -> Any:
    """The same structure, with `function` of every tensor in it."""
    if isinstance(value, dict):
        return {key: mapped(function, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(function, item) for item in value)
    return function(value) if isinstance(value, torch.Tensor) else value


def call(row: Draw, library: Any, args: Any, options: Any) -> list[Any]:
    function = row.measure if row.measure and library is keras else find(library, row.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return leaves(row.then(function(*args, **options), *args, **options))


def tensor(value: Any) -> torch.Tensor:
    return value.detach() if isinstance(value, torch.Tensor) else torch.as_tensor(value)


def gradients(row: Draw, library: Any, args: Any, options: Any) -> list[torch.Tensor | None]:
    """Of a sum of the results with fixed factors."""
    wanted: list[torch.Tensor] = []

    def ask(x: torch.Tensor) -> torch.Tensor:
        if x.dtype not in (torch.float32, torch.float64):
            return x.clone()
        wanted.append(x.clone().requires_grad_())
        return wanted[-1] * 1  # Keras writes into some of its inputs

    args, options = mapped(ask, args), mapped(ask, options)
    total = torch.zeros((), dtype=torch.float64)
    for out in call(row, library, args, options):
        if isinstance(out, torch.Tensor) and out.requires_grad:
            real = torch.view_as_real(out) if out.is_complex() else out
            total = total + (real * torch.linspace(1, 2, real.numel()).reshape(real.shape)).double().sum()
    if not wanted or not total.requires_grad:
        return []
    return list(torch.autograd.grad(total, wanted, allow_unused=True))


def close(row: Draw, got: torch.Tensor, want: torch.Tensor, what: str) -> None:
    half = torch.float16 in (got.dtype, want.dtype) or torch.bfloat16 in (got.dtype, want.dtype)
    tolerance = max(row.tolerance, 2e-2 if half else 0)
    finite = torch.view_as_real(want.resolve_conj()) if want.is_complex() else want.double()
    largest = max(float(finite.nan_to_num(0, 0, 0).abs().max()) if want.numel() else 0, 1e-2)
    torch.testing.assert_close(
        got,
        want,
        rtol=tolerance,
        atol=tolerance * min(largest, 1e9),
        equal_nan=True,
        msg=lambda text: f"{what}: {text}",
    )


def same(row: Draw, args: Any, options: Any) -> bool:
    """Whether both took the call; that they agree is asserted."""
    given, chosen = mapped(torch.clone, args), mapped(torch.clone, options)
    try:
        want = [tensor(one) for one in call(row, keras, given, chosen)]
    except REFUSALS:  # what Keras refuses, or torch within it, is refused or right: the chosen cases say which
        try:
            call(row, ramify, args, options)
        except (RamifyError, *REFUSALS):
            return False
        return False
    made = call(row, ramify, args, options)
    got = [tensor(one) for one in made]
    assert len(got) == len(want)
    if row.random:
        return alike(got, want, row.independent(got[0], *args, **options))
    if options.get("keepdims"):  # over all axes, Keras on torch forgets it
        want = [one if one.ndim else one.reshape([1] * args[0].ndim) for one in want]
    for a, b in zip(got, want, strict=True):
        close(row, a, b, "values")
    if row.gradient:
        try:
            theirs = gradients(row, keras, args, options)
        except (*REFUSALS, AssertionError):
            theirs = []
        mine = theirs and (gradients(row, ramify, args, options) or [None] * len(theirs))
        for pair in zip(mine, theirs, strict=True):
            a, b = (torch.zeros(()).double() if one is None else one.double() for one in pair)
            close(row, *torch.broadcast_tensors(a, b), "gradient")
    return True


def alike(got: list[torch.Tensor], want: list[torch.Tensor], count: float) -> bool:
    """Numbers from one distribution: shapes, dtypes, and means and deviations within six standard errors."""
    for a, b in zip(got, want, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        means, spreads = ([float(f(one.double())) for one in (a, b)] for f in (torch.mean, torch.std))
        error = max(*spreads, 1e-6) * (2 / count) ** 0.5
        assert abs(means[0] - means[1]) < 6 * error + 0.01 * abs(means[1])
        assert spreads[0] == pytest.approx(spreads[1], rel=max(0.3, 6 / count**0.5), abs=1e-6)
    return True


def symbolic(row: Draw, args: Any, options: Any, hidden: str) -> None:
    """The recorded call tells the shape and the dtype, and its graph computes the same."""
    real = call(row, ramify, mapped(torch.clone, args), options)
    inputs: list[tuple[Any, torch.Tensor]] = []

    def symbol(x: torch.Tensor) -> Any:
        if x.ndim == 0 or not x.numel():
            return x
        batch = next((other.shape[0] for _, other in inputs), x.shape[0])
        shape = list(x.shape)
        if hidden == "all sizes" and not inputs:
            shape = [None] * x.ndim
        elif hidden == "the batch" and shape[0] == batch:
            shape[0] = None
        inputs.append((ramify.Input(batch_shape=tuple(shape), dtype=x.dtype), x))
        return inputs[-1][0]

    try:
        made = call(row, ramify, mapped(symbol, args), options)
    except RamifyError:  # with the size that it needs
        assert hidden, "a call that is right cannot be recorded"
        return
    if not inputs or not all(is_symbolic(one) for one in made):
        return
    assert len(made) == len(real)
    for one, tensor in zip(made, real, strict=True):
        assert one.dtype == tensor.dtype
        assert len(one.shape) == tensor.ndim
        assert all(a in (None, b) for a, b in zip(one.shape, tensor.shape, strict=True)), (one.shape, tensor.shape)
        assert hidden or one.shape == tuple(tensor.shape)
    if hidden == "the batch" and not row.random:
        run = lower(Graph([one for one, _ in inputs], made))(*[x.clone() for _, x in inputs])
        for a, b in zip(leaves(run), real, strict=True):
            close(row, a, b, "the graph")


# ---- the tests ----


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row}-{i}") for i, row in enumerate(ROWS)])
@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(100, marks=pytest.mark.slow)])
def test_as_keras(row: Draw, examples: int):
    taken = []

    @settings(
        max_examples=examples, deadline=None, phases=[Phase.generate], derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(drawn=row.calls)
    def check(drawn):
        args, options = drawn
        bound = inspect.signature(find(ramify, row.name)).bind(*args, **options)
        further = bound.arguments.pop("axes_lengths", {})
        given = {**bound.arguments, **further}
        assert set(row.gives) == set(given)
        taken.append(same(row, args, options))
        if taken[-1] and not row.fixed:
            for hidden in row.hides:
                symbolic(row, args, options, hidden)

    check()
    assert sum(taken) >= len(taken) / 5, "Keras refuses nearly all that is drawn: nothing is compared"


def public() -> list[str]:
    names = [f"ops.{name}" for name in ramify.ops.__all__ if callable(getattr(ramify.ops, name))]
    return [
        *names,
        *(f"ops.image.{name}" for name in ramify.ops.image.__all__),
        *(f"random.{name}" for name in ramify.random.__all__),
    ]


@pytest.mark.parametrize("name", public())
def test_every_parameter_of_every_op_is_drawn(name):
    drawn = {given for row in ROWS if row.name == name for given in row.gives}
    kept = KEPT.get(name.split(".")[-1], {})
    missing = [p for p in parameters(name) if p not in drawn and p not in kept and p not in KEPT["*"]]
    assert not missing, f"{name}: draw these in tests/ops/drawn/rows/, or say in `KEPT` why not: {missing}"
    assert not {*kept} & drawn, f"{name}: `KEPT` is out of date"


def test_rows_say_why_keras_is_not_the_measure():
    for row in ROWS:
        assert row.measure is None or row.why, row
        assert row.tolerance <= 1e-4 or row.why, f"{row}: a tolerance needs a reason"


def test_the_measure_can_fail():
    row = next(row for row in ROWS if row.name == "ops.sum")
    wrong = Draw("ops.sum", None, (), measure=lambda x, **_: np.asarray(x.sum() + 1))
    assert same(row, (torch.ones(2, 3),), {})
    with pytest.raises(AssertionError, match="values"):
        same(wrong, (torch.ones(2, 3),), {})
