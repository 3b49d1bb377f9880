"""The passes, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ramify.errors import ArgumentError
from ramify.passes.activations import activations
from ramify.passes.batch_norm import batch_norm
from ramify.passes.common_subexpressions import common_subexpressions
from ramify.passes.dead_branches import dead_branches
from ramify.passes.layout import layout
from ramify.passes.packing import packing
from ramify.passes.program import Program
from ramify.passes.reuse import reuse
from ramify.passes.siblings import siblings
from ramify.passes.sums import sums
from ramify.passes.twins import twins

PASSES: dict[str, Callable[[Program], None]] = {
    "dead_branches": dead_branches,
    "common_subexpressions": common_subexpressions,
    "layout": layout,
    "batch_norm": batch_norm,
    "siblings": siblings,
    "twins": twins,
    "activations": activations,
    "packing": packing,
    "sums": sums,
    "reuse": reuse,
}
"""Name -> pass. A pass changes a program and notes what it did; it may rely on those above it but not need them."""

TITLES = {
    "dead_branches": "what nothing reads is not computed",
    "common_subexpressions": "what is computed twice is computed once",
    "layout": "turns of the layout between layers cancel",
    "batch_norm": "batch normalization folded into the weights before it",
    "siblings": "layers that read the same tensor run as one",
    "twins": "a layer applied to several inputs runs once on their batch",
    "activations": "activations run in the kernel before them",
    "packing": "convolution kernels are put in order once",
    "sums": "sums are made in the kernel of a convolution they add",
    "reuse": "results are written over when nothing reads them any more",
}


def checked(names: Iterable[str]) -> frozenset[str]:
    """The names of passes, as a set.

    Raises:
        ArgumentError: a name that no pass has.
    """
    wanted = frozenset([names] if isinstance(names, str) else names)
    unknown = sorted(wanted - PASSES.keys())
    if unknown:
        raise ArgumentError(f"There is no pass {', '.join(map(repr, unknown))}. The passes are {', '.join(PASSES)}.")
    return wanted


def rewrite(program: Program, names: Iterable[str]) -> None:
    """Run the passes of these names on a program, in the catalogue's order."""
    wanted = checked(names)
    for name, one in PASSES.items():
        if name in wanted:
            one(program)
