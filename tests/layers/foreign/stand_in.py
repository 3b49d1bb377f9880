"""A stand-in for jax, where it is not installed: the few functions that the layers call, on torch's tensors.

It shows that the layers hold, order, train and write back their weights; what only JAX can show (compilation, shared
memory, its own gradients) is tested with JAX itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Key:
    key: Any


@dataclass
class Spec:
    shape: tuple[int, ...]
    dtype: Any


def walk(tree: Any, path: tuple[Any, ...] = ()) -> tuple[list[Any], Any]:
    """Leaves with their paths, and a structure that can be hashed; ``None`` is no leaf, keys are sorted."""
    if tree is None:
        return [], None
    if not isinstance(tree, (dict, list, tuple)):
        return [(path, tree)], "leaf"
    items = sorted(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
    parts = [(key, *walk(value, (*path, Key(key)))) for key, value in items]
    structure = (type(tree), tuple((key, inner) for key, _, inner in parts))
    return [leaf for _, leaves, _ in parts for leaf in leaves], structure


def grow(structure: Any, leaves: Any) -> Any:
    if structure is None:
        return None
    if structure == "leaf":
        return next(leaves)
    kind, parts = structure
    made = {key: grow(inner, leaves) for key, inner in parts}
    return made if kind is dict else kind(made.values())


def leaves_of(tree: Any) -> list[Any]:
    return [leaf for _, leaf in walk(tree)[0]]


def tree_map(function: Any, tree: Any) -> Any:
    return grow(walk(tree)[1], iter([function(leaf) for leaf in leaves_of(tree)]))


def vjp(function: Any, values: list[Any], *, has_aux: bool) -> tuple[Any, Any, Any]:
    assert has_aux
    sources = [value.detach().requires_grad_() for value in values]
    with torch.enable_grad():
        outputs, aux = function(sources)
    detached = tree_map(lambda leaf: leaf.detach() if isinstance(leaf, torch.Tensor) else leaf, (outputs, aux))

    def pull(cotangents: Any) -> tuple[Any]:
        return (list(torch.autograd.grad(outputs, sources, cotangents)),)

    return detached[0], pull, detached[1]


def eval_shape(function: Any, *args: Any) -> Any:
    def meta(leaf: Any) -> Any:
        if not isinstance(leaf, Spec):
            return leaf
        return torch.empty(leaf.shape, dtype=getattr(torch, np.dtype(leaf.dtype).name), device="meta")

    def spec(leaf: Any) -> Any:
        known = isinstance(leaf, torch.Tensor)
        return Spec(tuple(leaf.shape), np.dtype(str(leaf.dtype).removeprefix("torch."))) if known else leaf

    return tree_map(spec, function(*(tree_map(meta, arg) for arg in args)))


def module() -> ModuleType:
    """What ``import jax`` is to give."""
    jax: Any = ModuleType("jax")
    jax.jit = lambda function, **_: function
    jax.vjp, jax.eval_shape, jax.ShapeDtypeStruct = vjp, eval_shape, Spec
    jax.block_until_ready = lambda value: value
    jax.random = SimpleNamespace(PRNGKey=torch.tensor)
    jax.dtypes = SimpleNamespace(canonicalize_dtype=lambda dtype: dtype)
    jax.numpy = SimpleNamespace(
        asarray=lambda leaf: torch.as_tensor(np.asarray(leaf)),
        dtype=np.dtype,
        floating="floating",
        from_dlpack=lambda tensor: tensor,
        issubdtype=lambda dtype, _: dtype.is_floating_point,
        ones=lambda shape, dtype: torch.ones(shape, dtype=getattr(torch, dtype)),
    )
    jax.tree_util = SimpleNamespace(
        tree_flatten=lambda tree: (leaves_of(tree), walk(tree)[1]),
        tree_flatten_with_path=walk,
        tree_leaves=leaves_of,
        tree_map=tree_map,
        tree_structure=lambda tree: walk(tree)[1],
        tree_unflatten=lambda structure, leaves: grow(structure, iter(leaves)),
    )
    return jax
