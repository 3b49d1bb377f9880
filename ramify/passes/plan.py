"""`Plan`: a program as straight-line Python, with everything that depends on weights alone computed beforehand."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any

import torch
from torch import fx

from ramify.passes.program import Program, is_static, last_reads, version_of
from ramify.passes.writing import Writer


class Plan:
    """What runs in place of a model's layers, for inputs of given shapes.

    A plan keeps what it made of the weights (folded, packed), and makes it again when a weight has changed: torch
    counts the changes of each tensor, those of what a variable's `data` gave out are counted apart, and a table with
    another tensor in it means another weight. What nobody counts is not seen: writes through NumPy arrays or DLPack
    capsules that share a weight's memory, and through a kept `data` of a plain `torch.nn.Parameter`.

    Args:
        program: what to run.

    Attributes:
        fired: what passes did: (name of the pass, where).
        calls_layers: the layers that run as they are, with the reason where there is one.
        source: the code, as text.
        run: the code; call it with the inputs, one by one.
        nbytes: memory of what was made of the weights, beside theirs.
    """

    def __init__(self, program: Program) -> None:
        known: dict[fx.Node, bool] = {}
        calls = [node for node in program.nodes if node.op == "call_function"]
        moving = [node for node in calls if not is_static(node, known)]
        wanted: dict[fx.Node, None] = {}
        for node in (*moving, program.output):
            wanted.update({one: None for one in node.all_input_nodes if is_static(one, known)})
        self.fired = list(program.fired)
        self.calls_layers = [str(node.meta["layer"]) for node in moving if node.meta.get("opaque")]
        self._program = program
        self._steps = [node for node in calls if is_static(node, known)]
        self._wanted = list(wanted)
        reads = last_reads(self._steps)
        self._over = {node: [one for one in reads.get(node, ()) if one not in wanted] for node in self._steps}
        self._weights = list(program.weights.values())
        self._tensors = [weight.tensor for weight in self._weights]
        self._tables = [(weight.table, weight.key) for weight in self._weights]
        writer = Writer()
        inputs = [node.name for node in program.nodes if node.op == "placeholder"]
        self.source = writer.write(inputs, moving, program.output.args[0])
        self._names = writer.names
        self._names["__source__"] = self.source
        exec(compile(self.source, "<plan>", "exec"), self._names)  # noqa: S102 - code that was written above
        self.run: Callable[..., Any] = self._names["run"]
        self.prepare()

    def prepare(self) -> None:
        """Compute what depends on weights alone."""
        values: dict[fx.Node, Any] = {}
        self._versions = list(map(version_of, self._tensors))
        self._lent = [lent for tensor in self._tensors if (lent := getattr(tensor, "lent", None)) is not None]
        self._lent_versions = list(map(version_of, self._lent))
        with torch.inference_mode(False), torch.no_grad():
            for node in self._program.graph.nodes:
                if node.op == "get_attr":
                    values[node] = self._program.weights[str(node.target)].tensor.detach().as_subclass(torch.Tensor)
            for node in self._steps:
                args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
                values[node] = node.target(*args, **kwargs)  # type: ignore[operator]
                del args, kwargs
                for one in self._over[node]:  # folded and packed weights do not take memory at the same time
                    del values[one]
        self._names.update({node.name: values[node] for node in self._wanted})
        self.nbytes = _bytes_beside(self._tensors, [values[node] for node in self._wanted])

    @property
    def weight_bytes(self) -> int:
        """Memory of the weights that it reads."""
        return sum(tensor.nbytes for tensor in self._tensors)

    def is_current(self) -> bool:
        """Whether the weights are still the same tensors; what was made of changed numbers is renewed."""
        if not all(map(is_, [table.get(key) for table, key in self._tables], self._tensors)):
            return False
        if list(map(version_of, self._tensors)) != self._versions:
            self.prepare()
        if self._lent and list(map(version_of, self._lent)) != self._lent_versions:
            self.prepare()
        return True


def _bytes_beside(weights: list[torch.Tensor], made: list[Any]) -> int:
    """Bytes of tensors that have memory of their own; those of oneDNN, which hides where it is, always have."""
    owned: dict[int, int] = {}
    for tensor in made:
        if isinstance(tensor, torch.Tensor):
            hidden = tensor.layout is not torch.strided
            place = id(tensor) if hidden else tensor.untyped_storage().data_ptr()
            owned[place] = tensor.numel() * tensor.element_size() if hidden else tensor.untyped_storage().nbytes()
    for weight in weights:
        owned.pop(weight.untyped_storage().data_ptr(), None)
    return sum(owned.values())
