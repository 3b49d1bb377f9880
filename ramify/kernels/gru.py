"""A GRU over time on the CPU, where torch has no kernel for it and does some fifteen operations at each step.

With ``z``, ``r`` the update and reset gates, a step is

    z, r = σ(x Wz + h Uz + b), σ(x Wr + h Ur + b);  a = h Un + b';  n = tanh(x Wn + b + r a);  h' = n + z (h - n)

(Cho et al., 2014; the variant whose reset gate acts after the product). All products with ``x`` are made beforehand, in
buffers of ``n`` and of ``[z r a]``; to the latter each step adds its product with ``h``, so that it takes five
operations without fresh memory, and what they leave there is all that the gradient asks for. The gradient is linear in
that of ``h'``: its factors are computed for all steps together, three operations a step are left, and the gradients of
the weights are products over all steps.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.autograd import forward_ad
from torch.utils._python_dispatch import _get_current_dispatch_mode, is_in_torch_dispatch_mode

from ramify.kernels.over_time import flat_weights, over_time

_aten = torch.ops.aten
# The contexts that torch's own kernels run in: without autograd and, the first, without count of views and changes.
_BARE = "_AutoDispatchBelowADInplaceOrView"
_bare = vars(torch._C).get(_BARE, torch._C._AutoDispatchBelowAutograd)  # noqa: SLF001 - they have no public names
_peek = torch._C._functorch.peek_interpreter_stack  # noqa: SLF001 - functorch has no public way to ask
_dual_level = partial(vars(forward_ad).__getitem__, "_current_level")
_DTYPES = (torch.float32, torch.float64)

Grads = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def fits(*tensors: torch.Tensor | None) -> bool:
    """Whether `gru` takes these tensors, here and now.

    It takes plain ones on a CPU, of float32 or float64, not empty, and nobody must look for torch's own operations:
    compilers, exporters, function transforms, counters.
    """
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # first: compilers follow no further
        return False
    known = [tensor for tensor in tensors if tensor is not None]
    first = known[0]
    plain = torch.Tensor.__torch_dispatch__
    for tensor in known:
        if not tensor.is_cpu or tensor.dtype is not first.dtype or type(tensor).__torch_dispatch__ is not plain:
            return False
    if first.dtype not in _DTYPES or not first.numel() or torch.is_autocast_enabled("cpu"):
        return False
    if is_in_torch_dispatch_mode() and not getattr(_get_current_dispatch_mode(), "records_whole_kernels", False):
        return False
    return _peek() is None and _dual_level() < 0


def gru(
    inputs: torch.Tensor,
    state: torch.Tensor,
    kernel: torch.Tensor,
    recurrent: torch.Tensor,
    bias: torch.Tensor | None,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """All steps: by the operations below where they are good for it, by torch's elsewhere.

    Args:
        inputs: ``(batch, time, inputs)``.
        state: ``(batch, units)``.
        kernel: ``(inputs, 3 * units)``, ``[Wz Wr Wn]``.
        recurrent: ``(units, 3 * units)``, ``[Uz Ur Un]``.
        bias: ``(2, 3 * units)``, of the inputs' product and of the state's, or ``None``.

    Returns:
        The outputs ``(batch, time, units)`` and a list of the last of them, ``(batch, units)``.
    """
    given = (inputs, state, kernel, recurrent, bias)
    if not fits(*given):
        return by_torch(*given)
    given = (inputs.transpose(0, 1).contiguous(), *given[1:])
    if torch.is_grad_enabled() and any(one is not None and one.requires_grad for one in given):
        outputs, last = _GRU.apply(*given)
    else:
        outputs, last, *_ = torch.ops.ramify.gru(*given, False)
    return outputs.transpose(0, 1), [last]


def by_torch(
    inputs: torch.Tensor,
    state: torch.Tensor,
    kernel: torch.Tensor,
    recurrent: torch.Tensor,
    bias: torch.Tensor | None,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The same by `torch.gru`: cuDNN's on a GPU, one of many operations on a CPU."""
    biases = (None, None) if bias is None else _torch_order(bias)
    kernel, recurrent = _torch_order(kernel).t(), _torch_order(recurrent).t()
    return over_time(torch.gru, inputs, state, flat_weights(kernel, recurrent, biases[0], biases[1]))


def _torch_order(weight: torch.Tensor) -> torch.Tensor:
    """Gates along the last axis from this library's order, update first, to torch's, reset first."""
    update, reset, candidate = weight.chunk(3, -1)
    return torch.cat((reset, update, candidate), -1)


class _GRU(torch.autograd.Function):
    """The two operations below as one that autograd knows."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """All steps; what the gradient needs is kept."""
        outputs, last, *kept = torch.ops.ramify.gru(*given, True)
        ctx.save_for_backward(*given, outputs, *kept)
        ctx.set_materialize_grads(False)
        return outputs, last

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[torch.Tensor | None, ...]:
        """Gradients of all arguments."""
        given, made = ctx.saved_tensors[:5], ctx.saved_tensors[5:]
        needs = list(ctx.needs_input_grad)
        if grads[0] is None and grads[1] is None:
            return (None,) * 5
        if torch.is_grad_enabled():
            return _differentiably(given, grads, needs)
        found = torch.ops.ramify.gru_backward(*grads, *given[:-1], *made, needs)
        return tuple(grad if need else None for grad, need in zip(found, needs, strict=True))


def _differentiably(
    given: tuple[Any, ...], grads: tuple[Any, ...], needs: list[bool]
) -> tuple[torch.Tensor | None, ...]:
    """Gradients that have gradients themselves: the steps are done again, by torch's operations."""
    again: list[Any] = [
        None if one is None else one.view_as(one) for one in given
    ]  # the graph behind them is not followed
    outputs, (last,) = by_torch(again[0].transpose(0, 1), *again[1:])
    pairs = [(x, grad) for x, grad in zip((outputs.transpose(0, 1), last), grads, strict=True) if grad is not None]
    wanted = [one for one, need in zip(again, needs, strict=True) if need]
    made, by = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(made, wanted, by, create_graph=True))
    return tuple(next(found) if need else None for need in needs)


# ---- the operations ----


def _forward(
    inputs: torch.Tensor,
    state: torch.Tensor,
    kernel: torch.Tensor,
    recurrent: torch.Tensor,
    bias: torch.Tensor | None,
    keep: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    with _bare():
        candidates, gates = _projected(inputs, kernel, bias)
        if keep:
            outputs = _kept_steps(state, candidates, gates, recurrent)
            return outputs, outputs[-1].clone(), candidates, gates
        last = _steps(state, candidates, gates, recurrent)
        return candidates, last.clone(), inputs.new_empty(0), inputs.new_empty(0)


def _projected(
    inputs: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Candidates and gates of all steps, as far as the inputs make them: ``(time, batch, ...)``."""
    flat, units = inputs.reshape(-1, inputs.shape[2]), kernel.shape[1] // 3
    if bias is None:
        gates = torch.mm(flat, kernel)
    else:
        of_both, of_candidates = bias.split((2 * units, units), 1)
        gates = torch.addmm(torch.cat((of_both.sum(0), of_candidates[0])), flat, kernel)
    inner = gates[:, 2 * units :]
    candidates = inner.clone(memory_format=torch.contiguous_format)
    inner.copy_(of_candidates[1]) if bias is not None else inner.zero_()
    return candidates.view(*inputs.shape[:2], -1), gates.view(*inputs.shape[:2], -1)


def _kept_steps(
    state: torch.Tensor, candidates: torch.Tensor, gates: torch.Tensor, recurrent: torch.Tensor
) -> torch.Tensor:
    """The outputs of all steps; candidates and gates hold what each step made of them."""
    outputs, h = torch.empty_like(candidates), state
    parts = map(torch.unbind, (outputs, candidates, gates, *_parts(gates)))
    for new, n, together, both, z, r, a in zip(*parts, strict=True):
        together.addmm_(h, recurrent)
        both.sigmoid_()
        n.addcmul_(r, a).tanh_()
        h = torch.lerp(n, h, z, out=new)
    return outputs


def _steps(state: torch.Tensor, candidates: torch.Tensor, gates: torch.Tensor, recurrent: torch.Tensor) -> torch.Tensor:
    """The last output; candidates become outputs, and gates are worked out in a place close to the processor."""
    h, together = state, torch.empty_like(gates[0])
    both, z, r, a = _parts(together)
    for n, given in zip(candidates.unbind(), gates.unbind(), strict=True):
        together.copy_(given).addmm_(h, recurrent)
        both.sigmoid_()
        h = n.addcmul_(r, a).tanh_().lerp_(h, z)
    return h


def _parts(gates: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Columns of gates: ``[z r]``, and each of the three."""
    units = gates.shape[-1] // 3
    return gates[..., : 2 * units], *gates.split(units, -1)


def _backward(
    grad_outputs: torch.Tensor | None,
    grad_last: torch.Tensor | None,
    inputs: torch.Tensor,
    state: torch.Tensor,
    kernel: torch.Tensor,
    recurrent: torch.Tensor,
    outputs: torch.Tensor,
    candidates: torch.Tensor,
    gates: torch.Tensor,
    needs: list[bool],
) -> Grads:
    with _bare():
        units = len(recurrent)
        of_n, of_gates = _factors(outputs, candidates, gates)
        grads_h = _through_time(of_gates, grad_outputs, grad_last, gates, recurrent)
        n, gates = of_n.mul_(grads_h[1:]).flatten(0, 1), of_gates.flatten(0, 1)  # gradients, from here on
        both, x = gates[:, : 2 * units], inputs.reshape(-1, inputs.shape[2])
        grads = [inputs.new_empty(0)] * 5
        if needs[0]:
            grad = torch.mm(both, kernel[:, : 2 * units].t()).addmm_(n, kernel[:, 2 * units :].t())
            grads[0] = grad.view(inputs.shape)
        if needs[1]:
            grads[1] = grads_h[0].clone()
        if needs[2]:
            grads[2] = kernel.new_empty(kernel.shape)
            torch.mm(x.t(), both, out=grads[2][:, : 2 * units])
            torch.mm(x.t(), n, out=grads[2][:, 2 * units :])
        if needs[3]:
            grads[3] = torch.mm(state.t(), of_gates[0])
            grads[3].addmm_(outputs[:-1].flatten(0, 1).t(), of_gates[1:].flatten(0, 1))
        if needs[4]:
            ones = n.new_ones((1, len(n)))  # a product with them is a sum, in half the time
            of_product = torch.mm(ones, gates)
            grads[4] = torch.cat((of_product[:, : 2 * units], torch.mm(ones, n), of_product), 1).view(2, -1)
        return tuple(grads)  # type: ignore[return-value]  # they are five


def _factors(outputs: torch.Tensor, candidates: torch.Tensor, gates: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the gradient of an output is multiplied with to be that of ``n`` and of ``[z r a]`` before activation."""
    z, r, a = gates.chunk(3, -1)
    factors = torch.empty_like(gates)
    of_z, of_r, of_a = factors.chunk(3, -1)
    of_n = torch.rsub(z, 1)
    torch.sub(outputs, candidates, out=of_z).mul_(of_n)  # h' - n is z (h - n)
    _aten.tanh_backward.grad_input(of_n, candidates, grad_input=of_n)
    torch.mul(of_n, r, out=of_a)
    torch.mul(of_n, a, out=of_r)
    _aten.sigmoid_backward.grad_input(of_r, r, grad_input=of_r)
    return of_n, factors


def _through_time(
    factors: torch.Tensor,
    grad_outputs: torch.Tensor | None,
    grad_last: torch.Tensor | None,
    gates: torch.Tensor,
    recurrent: torch.Tensor,
) -> torch.Tensor:
    """From the last step to the first, turn the factors of ``[z r a]`` into gradients.

    Returns:
        The gradients of the state that each step starts with, and of the last one: ``(time + 1, batch, units)``.
    """
    steps, batch, units = *gates.shape[:2], len(recurrent)
    grads = gates.new_empty((steps + 1, batch, units))
    ends = [grad for grad in (grad_last, None if grad_outputs is None else grad_outputs[-1]) if grad is not None]
    torch.add(ends[0], ends[1] if len(ends) > 1 else 0, out=grads[-1])
    back, around, further = recurrent.t(), grads.unsqueeze(2).unbind(), grads.unbind()
    z, blocks, products = gates[..., :units].unbind(), factors.unflatten(2, (3, units)).unbind(), factors.unbind()
    of_outputs = None if grad_outputs is None else grad_outputs.unbind()
    for t in range(steps - 1, -1, -1):
        blocks[t].mul_(around[t + 1])
        if of_outputs is None or not t:
            torch.mul(further[t + 1], z[t], out=further[t])
        else:
            torch.addcmul(of_outputs[t - 1], further[t + 1], z[t], out=further[t])
        further[t].addmm_(products[t], back)
    return grads


_GIVEN = "Tensor inputs, Tensor state, Tensor kernel, Tensor recurrent"
_MADE = "Tensor outputs, Tensor candidates, Tensor gates"
_library = torch.library.Library("ramify", "FRAGMENT")
_library.define(f"gru({_GIVEN}, Tensor? bias, bool keep) -> (Tensor, Tensor, Tensor, Tensor)")
_library.define(
    f"gru_backward(Tensor? grad_outputs, Tensor? grad_last, {_GIVEN}, {_MADE}, bool[5] needs)"
    " -> (Tensor, Tensor, Tensor, Tensor, Tensor)"
)
_library.impl("gru", _forward, "CPU")
_library.impl("gru_backward", _backward, "CPU")
