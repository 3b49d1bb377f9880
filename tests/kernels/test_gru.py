"""The GRU kernel beside `torch.gru`: numbers, gradients of both orders, and when it stands back."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import forward_ad
from torch.utils.flop_counter import FlopCounterMode

from ramify.kernels.gru import by_torch, fits, gru
from ramify.training.capture.record import Recorder

SIZES = {"several": (3, 5, 4, 6), "one step": (3, 1, 4, 6), "one sample": (1, 7, 4, 6), "one unit": (2, 4, 1, 1)}


def made(size, dtype=torch.float64, bias=True):
    """Inputs, state and weights that ask for gradients, and what to weigh both results with."""
    batch, steps, inputs, units = SIZES[size]
    draw = torch.Generator().manual_seed(1)
    shapes = [(batch, steps, inputs), (batch, units), (inputs, 3 * units), (units, 3 * units), (2, 3 * units)]
    given = [torch.randn(shape, generator=draw, dtype=dtype).requires_grad_() for shape in shapes]
    by = [torch.randn(shape, generator=draw, dtype=dtype) for shape in ((batch, steps, units), (batch, units))]
    return given if bias else [*given[:-1], None], by


def weighed(function, given, by):
    """One number of the results that `by` weighs; ``None`` leaves one out."""
    outputs, (last,) = function(*given)
    return sum((result * one).sum() for result, one in zip((outputs, last), by, strict=True) if one is not None)


def gradients(function, given, by, **options):
    return torch.autograd.grad(weighed(function, given, by), [one for one in given if one is not None], **options)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_results_are_those_of_torch(size, bias, dtype, near):
    given, _ = made(size, dtype, bias)
    assert fits(*given)
    outputs, (last,) = gru(*given)
    expected, (end,) = by_torch(*given)
    torch.testing.assert_close(outputs, expected, rtol=near, atol=near)
    torch.testing.assert_close(last, end, rtol=near, atol=near)
    with torch.no_grad():  # which keeps nothing
        assert torch.equal(gru(*given)[0], outputs)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("read", ["both", "outputs", "last"])
def test_gradients_are_those_of_torch(size, bias, read):
    given, by = made(size, bias=bias)
    by = [None if read == "last" else by[0], None if read == "outputs" else by[1]]
    for own, expected in zip(gradients(gru, given, by), gradients(by_torch, given, by), strict=True):
        torch.testing.assert_close(own, expected)


@pytest.mark.parametrize("frozen", range(5))
def test_what_is_frozen_gets_no_gradient_and_changes_no_other(frozen):
    given, by = made("several")
    expected = list(gradients(by_torch, given, by))
    given[frozen].requires_grad_(requires_grad=False)
    weighed(gru, given, by).backward()
    for place, one in enumerate(given):
        if place == frozen:
            assert one.grad is None
        else:
            torch.testing.assert_close(one.grad, expected[place])


def test_gradients_have_gradients():
    given, _ = made("several")

    def results(*given):
        outputs, (last,) = gru(*given)
        return outputs, last

    assert torch.autograd.gradcheck(results, given, fast_mode=True)
    assert torch.autograd.gradgradcheck(results, given, fast_mode=True)


def test_a_graph_may_be_gone_back_through_twice():
    given, by = made("several")
    loss = weighed(gru, given, by)
    first = torch.autograd.grad(loss, given, retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, given)))


def test_a_changed_output_is_noticed():
    given, _ = made("several")
    outputs, _ = gru(*given)
    outputs.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # forward AD itself uses it
def test_it_stands_back_from_who_looks_for_operations_of_torch():
    given, by = made("several", torch.float32)
    with FlopCounterMode(display=False) as counter:
        gru(*given)
    batch, steps, inputs, units = SIZES["several"]
    assert counter.get_total_flops() == 2 * batch * steps * 3 * units * (inputs + units)
    expected = gradients(by_torch, given, by)
    found = torch.func.grad(lambda kernel: weighed(gru, [*given[:2], kernel, *given[3:]], by))(given[2])
    torch.testing.assert_close(found, expected[2])
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(given[0].detach(), torch.ones_like(given[0]))
        slope = forward_ad.unpack_dual(gru(dual, *(one.detach() for one in given[1:]))[0]).tangent
    assert slope is not None
    assert slope.abs().sum() > 0
    with torch.autocast("cpu", torch.bfloat16):
        assert not fits(*given)
    assert not fits(*(one.to(torch.bfloat16) for one in given))
    assert not fits(*(one.to("meta") for one in given))
    assert not fits(given[0][:, :0], *given[1:])
    with Recorder([]):  # which takes our own operations as they are
        assert fits(*given)


def test_compilers_see_one_graph_of_operations_of_torch():
    given = [one.detach() for one in made("several", torch.float32)[0]]
    graphs = []

    def keep(graph, _):
        graphs.append(str(graph.code))
        return graph

    compiled = torch.compile(lambda *given: gru(*given)[0], backend=keep, fullgraph=True)
    torch.testing.assert_close(compiled(*given), gru(*given)[0])
    assert len(graphs) == 1
    assert "ramify" not in graphs[0]


def test_exported_programs_hold_operations_of_torch_alone():
    class Layer(torch.nn.Module):
        def forward(self, *given):
            return gru(*given)[0]

    given = [one.detach() for one in made("several", torch.float32)[0]]
    program = torch.export.export(Layer(), tuple(given), strict=False)
    called = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    assert called
    assert not [name for name in called if "ramify" in name]
    torch.testing.assert_close(program.module()(*given), gru(*given)[0])
