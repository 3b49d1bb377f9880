"""What is computed twice in the same way is computed once."""

from __future__ import annotations

from typing import Any

from torch import fx

from ramify.passes.program import Program


def common_subexpressions(program: Program) -> None:
    """Let equal calls on equal arguments be one.

    Functions with a random result, with effects, and calls of layers that were left as they are are no candidates.
    """
    seen: dict[Any, fx.Node] = {}
    for node in program.nodes:
        if node.op not in ("call_function", "get_attr") or node.meta.get("opaque"):
            continue
        key = _key((node.target, node.args, node.kwargs))
        first = seen.setdefault(key, node)
        if first is not node:
            if node.op == "call_function" and "layer" in node.meta:
                program.note("common_subexpressions", f"{node.meta['layer']} is {first.meta.get('layer')}")
            program.replace(node, first)


def _key(value: Any) -> Any:
    """A hashable stand-in; numbers of different types (1, 1.0, True) stay apart."""
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(_key, value))
    if isinstance(value, dict):
        return ("dict", *((name, _key(value[name])) for name in sorted(value)))
    if isinstance(value, slice):
        return ("slice", _key(value.start), _key(value.stop), _key(value.step))
    try:
        hash(value)
    except TypeError:
        return id(value)
    return (type(value), repr(value) if isinstance(value, float) else value)
