"""Functions of JAX on tensors of torch: arrays change hands by DLPack, gradients come from `jax.vjp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from ramify.errors import ArgumentError
from ramify.foreign.packages import needs_jax

# What DLPack says to a dtype, a device or a layout that the other side does not take.
_REFUSED = (BufferError, RuntimeError, TypeError, ValueError)


def to_jax(tensor: torch.Tensor) -> Any:
    """The numbers of a tensor as a JAX array, on the same memory where that can be."""
    jnp = needs_jax("to_jax").numpy
    plain = tensor.detach().as_subclass(torch.Tensor).resolve_conj().resolve_neg().contiguous()
    try:
        return jnp.from_dlpack(plain)
    except _REFUSED:  # such as a tensor on a device that this JAX was not built for
        return jnp.asarray(plain.cpu().numpy())


def to_torch(array: Any, device: torch.device) -> torch.Tensor:
    """The numbers of a JAX array as a tensor with memory of its own: JAX takes it that its arrays never change."""
    try:
        return torch.from_dlpack(array).to(device, copy=True)
    except _REFUSED:
        return torch.as_tensor(np.array(array), device=device)


def as_array(leaf: Any, owner: str) -> Any:
    """A leaf of `params` or `state` as a JAX array.

    Raises:
        ArgumentError: it holds no numbers.
    """
    if isinstance(leaf, torch.Tensor):
        return to_jax(leaf)
    try:
        return needs_jax(owner).numpy.asarray(leaf)
    except TypeError:
        raise ArgumentError(
            f"{owner} cannot make a weight of {leaf!r:.60}. The leaves of `params` and `state` are arrays of numbers."
        ) from None


def as_spec(tensor: torch.Tensor) -> Any:
    """The shape and dtype of a tensor as JAX says them; 64 bits become 32 where JAX was not told to have them."""
    jax = needs_jax("as_spec")
    name = str(tensor.dtype).removeprefix("torch.")
    return jax.ShapeDtypeStruct(tuple(tensor.shape), jax.dtypes.canonicalize_dtype(np.dtype(jax.numpy.dtype(name))))


def as_meta(spec: Any) -> torch.Tensor:
    """A tensor without data of the shape and dtype that JAX told."""
    return torch.empty(spec.shape, dtype=getattr(torch, np.dtype(spec.dtype).name), device="meta")


class Program:
    """A pure JAX function, compiled once for each structure, mode and choice of what gets a gradient.

    Args:
        function: ``(static, leaves, key) -> (outputs, state)``, where `static` is hashable, `leaves` a list of arrays,
            and both results are pytrees.
    """

    def __init__(self, function: Callable[[Any, list[Any], Any], tuple[Any, Any]]) -> None:
        jax = needs_jax("Program")

        def forward(static: Any, wanted: tuple[int, ...], leaves: list[Any], key: Any) -> tuple[Any, Any]:
            def of(chosen: list[Any]) -> tuple[list[Any], Any]:
                merged = list(leaves)
                for index, value in zip(wanted, chosen, strict=True):
                    merged[index] = value
                outputs, state = function(static, merged, key)
                floating = [leaf for leaf in jax.tree_util.tree_leaves(outputs) if _has_gradient(jax, leaf)]
                return floating, (outputs, state)

            chosen = [leaves[index] for index in wanted]
            if not wanted:
                return of(chosen)[1], None
            _, pull, results = jax.vjp(of, chosen, has_aux=True)
            return results, pull

        self.function = function
        self.forward = jax.jit(forward, static_argnums=(0, 1))
        self.pull = jax.jit(lambda pull, cotangents: pull(cotangents)[0])

    def __call__(self, static: Any, tensors: Sequence[torch.Tensor], key: Any, device: torch.device) -> tuple[Any, Any]:
        """Run it on tensors.

        Returns:
            ``(outputs, state)``: pytrees of tensors; autograd knows how to go back through `outputs`.
        """
        wanted: tuple[int, ...] = ()
        if torch.is_grad_enabled():
            wanted = tuple(i for i, t in enumerate(tensors) if t.requires_grad and t.is_floating_point())
        call = _Call(self, (static, wanted, key), tensors, device)
        leaves = _Function.apply(call, *(tensors[i] for i in wanted)) if wanted else call.run()[0]
        outputs = needs_jax("Program").tree_util.tree_unflatten(call.structure, leaves)
        return outputs, call.state

    def shapes(self, static: Any, tensors: Sequence[torch.Tensor], key: Any) -> Any:
        """The outputs as tensors without data; nothing is run."""
        jax = needs_jax("Program")
        outputs, _ = jax.eval_shape(lambda *given: self.function(static, *given), [as_spec(t) for t in tensors], key)
        return jax.tree_util.tree_map(as_meta, outputs)


def _has_gradient(jax: Any, leaf: Any) -> bool:
    return bool(jax.numpy.issubdtype(leaf.dtype, jax.numpy.floating))


class _Call:
    """One call of a program: what goes in, what comes out beside the outputs."""

    def __init__(self, program: Program, how: Any, tensors: Sequence[torch.Tensor], device: torch.device) -> None:
        self.program, self.how, self.tensors, self.device = program, how, tensors, device
        self.structure: Any = None
        self.state: Any = None

    def run(self) -> tuple[list[torch.Tensor], Any]:
        """The outputs as a flat list, and what pulls gradients back."""
        jax = needs_jax("Program")
        static, wanted, key = self.how
        results, pull = self.program.forward(static, wanted, [to_jax(t) for t in self.tensors], key)
        # JAX returns before it is done, and torch may write into the inputs' memory from here on.
        outputs, state = jax.block_until_ready(results)
        jax.block_until_ready(pull)
        leaves, self.structure = jax.tree_util.tree_flatten(outputs)
        self.state = jax.tree_util.tree_map(lambda leaf: to_torch(leaf, self.device), state)
        return [to_torch(leaf, self.device) for leaf in leaves], pull


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, *chosen: torch.Tensor) -> Any:
        leaves, ctx.pull = call.run()
        ctx.program, ctx.device = call.program, call.device
        ctx.dtypes = [t.dtype for t in chosen]
        # JAX remembers their memory: torch is to refuse going back when someone wrote there meanwhile.
        ctx.save_for_backward(*call.tensors)
        ctx.floating = [leaf.is_floating_point() for leaf in leaves]
        ctx.mark_non_differentiable(*(leaf for leaf in leaves if not leaf.is_floating_point()))
        return tuple(leaves)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        assert ctx.saved_tensors is not None  # asking for them is the check
        given = [to_jax(g) for g, floating in zip(gradients, ctx.floating, strict=True) if floating]
        pulled = needs_jax("Program").block_until_ready(ctx.program.pull(ctx.pull, given))
        return None, *(to_torch(g, ctx.device).to(dtype) for g, dtype in zip(pulled, ctx.dtypes, strict=True))
