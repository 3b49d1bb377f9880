"""Every op on bfloat16: values and dtypes are Keras's.

The calls are those of `drawn/`, their floating tensors rounded to bfloat16, which keeps 8 bits of a number. Results
may differ by two units of the last place, ``2 * 2 ** -7``, of the largest of them: each is rounded on its way.
Where they differ by more, ours must be the nearer one to what float32 makes of the same numbers.
"""

from __future__ import annotations

import keras
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings

import ramify
from tests.ops.drawn.draw import Draw
from tests.ops.drawn.table import ROWS
from tests.ops.test_drawn_options import REFUSALS, call, leaves, mapped, tensor

EXAMPLES = 2
ALLOWED = 2 * 2**-7
CASES = [
    pytest.param(row, id=f"{row}-{i}") for i, row in enumerate(ROWS) if not (row.random or row.measure or row.narrow)
]


def narrow(x: torch.Tensor) -> torch.Tensor:
    return x.to(torch.bfloat16) if x.is_floating_point() else x.clone()


def widened(x: torch.Tensor) -> torch.Tensor:
    return x.float() if x.dtype is torch.bfloat16 else x.clone()


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference, as a part of the largest number; infinite where only one of them is no number."""
    a, b = (torch.view_as_real(x.resolve_conj()) if x.is_complex() else x for x in (one, other))
    a, b = a.double(), b.double()
    known = a.isfinite() & b.isfinite()
    if not torch.equal(a[~known].nan_to_num(0.5), b[~known].nan_to_num(0.5)):
        return float("inf")
    scale = float(b[known].abs().max()) if known.any() else 0.0
    return float((a - b)[known].abs().max()) / (scale or 1.0) if known.any() else 0.0


def hold(row: Draw, args, options) -> bool:
    """Whether Keras took the call; that ours is as good is asserted."""
    if not any(isinstance(x, torch.Tensor) and x.dtype is torch.bfloat16 for x in leaves([list(args), options])):
        return False
    try:
        want = [tensor(x) for x in call(row, keras, mapped(torch.clone, args), mapped(torch.clone, options))]
    except (*REFUSALS, AssertionError):
        return False
    got = [tensor(x) for x in call(row, ramify, mapped(torch.clone, args), mapped(torch.clone, options))]
    assert [x.dtype for x in got] == [x.dtype for x in want]
    if options.get("keepdims"):  # over all axes, Keras on torch forgets it
        want = [x if x.ndim else x.reshape([1] * args[0].ndim) for x in want]
    assert [x.shape for x in got] == [x.shape for x in want]
    exact: list[torch.Tensor] = []
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        if (apart := distance(a, b)) > ALLOWED:
            exact = exact or [tensor(x) for x in call(row, ramify, mapped(widened, args), mapped(widened, options))]
            ours, theirs = distance(a, exact[i]), distance(b, exact[i])
            assert ours <= theirs, f"{apart:.1e} from Keras's, {ours:.1e} and {theirs:.1e} from float32's"
    return True


@pytest.mark.parametrize("row", CASES)
def test_bfloat16_as_keras(row: Draw) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(drawn=row.calls)
    def check(drawn):
        args, options = drawn
        hold(row, mapped(narrow, args), mapped(narrow, options))

    check()


def test_the_measure_can_fail(monkeypatch) -> None:
    row = next(row for row in ROWS if row.name == "ops.sum")
    x = torch.ones(64, dtype=torch.bfloat16)
    assert hold(row, (x,), {})
    plain = keras.ops.sum
    monkeypatch.setattr(ramify.ops, "sum", lambda x, **_: plain(x) * (1.05 if x.dtype is torch.bfloat16 else 1))
    with pytest.raises(AssertionError, match=r"4\.\de-02 from Keras's"):
        hold(row, (x,), {})
