"""Nodes as straight-line Python: names for functions and constants, and each result let go after its last use."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from torch import fx

from ramify.passes.program import name_of


class Writer:
    """Code for some nodes.

    Attributes:
        names: what the code refers to: functions, and constants that have no literal. What the nodes read that is not
            among them is looked for here as well, under the names of the nodes.
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def write(self, inputs: Iterable[str], nodes: list[fx.Node], output: Any) -> str:
        """The text of a function `run` that does what the nodes say.

        Args:
            inputs: names of the arguments.
            nodes: calls, in order.
            output: nested nodes to return.
        """
        inside = set(nodes)
        last: dict[fx.Node, fx.Node] = {}
        for node in nodes:
            for one in node.all_input_nodes:
                if one in inside or one.op == "placeholder":
                    last[one] = node
        returned: set[fx.Node] = set()
        fx.map_arg(output, returned.add)
        ends: dict[fx.Node, list[str]] = {}
        for one, node in last.items():
            if one not in returned:
                ends.setdefault(node, []).append(one.name)
        lines = [f"def run({', '.join(inputs)}):"]
        for node in nodes:
            parts = [self.text(one) for one in node.args]
            parts += [f"{key}={self.text(one)}" for key, one in node.kwargs.items()]
            lines.append(f"    {node.name} = {self._name(node.target, name_of(node.target))}({', '.join(parts)})")
            dead = ends.get(node, []) + ([] if node.users else [node.name])
            if dead:
                lines[-1] += f"; del {', '.join(dead)}"
        return "\n".join([*lines, f"    return {self.text(output)}\n"])

    def text(self, value: Any) -> str:
        """A value as an expression."""
        if isinstance(value, fx.Node):
            return value.name
        if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
            return repr(value)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.text(key)}: {self.text(one)}" for key, one in value.items()) + "}"
        if isinstance(value, list):
            return f"[{', '.join(map(self.text, value))}]"
        if isinstance(value, tuple):
            return f"({''.join(self.text(one) + ', ' for one in value)})"
        if isinstance(value, slice):
            return f"slice({self.text(value.start)}, {self.text(value.stop)}, {self.text(value.step)})"
        return self._name(value, "k")

    def _name(self, value: Any, word: str) -> str:
        if id(value) not in self._known:
            self._known[id(value)] = name = f"{word}__{len(self._known)}"
            self.names[name] = value
        return self._known[id(value)]
