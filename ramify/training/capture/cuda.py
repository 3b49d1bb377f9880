"""A program as a CUDA graph: the kernels of a step launched by one call.

Not measured yet: it was written without a GPU at hand. What cannot be a graph runs operation by operation, as on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ramify.training.capture.program import Program

Function = Callable[..., list[torch.Tensor]]


def as_graph(program: Program, function: Function, inputs: list[torch.Tensor]) -> Function | None:
    """A function that does the same as `function` by replaying a CUDA graph.

    The kernels of a graph read and write fixed memory: the inputs are copied to where they are read, and the results,
    which the next call overwrites, must be used before it.

    Args:
        program: what `function` does; its operations have run on this device before.
        function: the program as a function; to be called without autograd, below it.
        inputs: tensors of the right form.

    Returns:
        The function; ``None`` where there can be no graph: tensors on the CPU, generators of one's own (a graph knows
        torch's alone), operations that wait for the device.
    """
    if not all(tensor.is_cuda for tensor in (*inputs, *program.kept.values())) or _has_generators(program):
        return None
    fixed = [tensor.clone() for tensor in inputs]
    graph = torch.cuda.CUDAGraph()
    try:
        torch.cuda.synchronize()
        with torch.cuda.graph(graph):  # nothing runs: the kernels are only written down
            results = function(*fixed)
    except RuntimeError:
        return None

    def replay(*given: torch.Tensor) -> list[torch.Tensor]:
        for place, tensor in zip(fixed, given, strict=True):
            place.copy_(tensor, non_blocking=True)
        graph.replay()
        return results

    return replay


def _has_generators(program: Program) -> bool:
    def arguments() -> Any:
        for op in program.ops:
            yield from (*op.args, *op.kwargs.values())

    return any(isinstance(argument, torch.Generator) for argument in arguments())
