"""What is done in place of a model's layers, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ramify.passes.catalogue import PASSES, TITLES

_SHOWN = 8  # places that a pass names


class Explanation:
    """Which passes fired where; prints as text.

    Attributes:
        fired: for each kind of inputs, as text: name of a pass -> where it fired.
        left: for each kind, the layers that run as they are, with the reason where there is one.
        off: the passes that are switched off.
        engine: what the way to run training steps says of itself, or ``None``.
    """

    def __init__(self, entries: Iterable[tuple[Any, Any]], passes: frozenset[str], engine: Any = None) -> None:
        self.fired: dict[str, dict[str, list[str]]] = {}
        self.left: dict[str, list[str]] = {}
        self.off = [name for name in PASSES if name not in passes]
        self.engine = engine
        for key, entry in entries:
            kind = _kind(key)
            self.fired[kind] = {}
            for name, where in () if entry is None else entry.plan.fired:
                self.fired[kind].setdefault(name, []).append(where)
            self.left[kind] = ["the whole model"] if entry is None else entry.plan.calls_layers

    def __str__(self) -> str:
        lines = [f"passes switched off: {', '.join(self.off) or 'none'}"]
        if not self.fired:
            lines.append("No plan yet: the second call for inference with inputs of one shape makes one.")
        for kind, fired in self.fired.items():
            lines.append(f"inputs {kind}")
            for name in PASSES:
                if name in fired:
                    lines.append(f"  {name}: {TITLES[name]}")
                    lines += [f"    {where}" for where in fired[name][:_SHOWN]]
                    if len(fired[name]) > _SHOWN:
                        lines.append(f"    and {len(fired[name]) - _SHOWN} more")
            lines += [f"  runs as it is: {where}" for where in self.left[kind]]
        if self.engine is not None:
            lines.append(f"training step: {self.engine}")
        return "\n".join(lines)

    __repr__ = __str__


def _kind(key: Any) -> str:
    parts = [key] if (len(key) == 4 and not isinstance(key[0], tuple | list)) or _is_one(key) else list(key)
    return ", ".join(f"{str(dtype).removeprefix('torch.')}{list(shape)}" for shape, _, dtype, _ in parts)


def _is_one(key: Any) -> bool:
    return len(key) == 4 and not isinstance(key[2], tuple)
