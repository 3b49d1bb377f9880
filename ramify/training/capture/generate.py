"""A program as a Python function: one line for an operation, values forgotten after their last use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from ramify.training.capture.internals import set_grad_enabled
from ramify.training.capture.program import Op, Program, Value


def source_of(program: Program) -> tuple[str, dict[str, Any]]:
    """The code of a program, and the names that it knows.

    Returns:
        The source of a function ``step`` of the inputs one by one, which returns the list of outputs; and its globals.
    """
    writer = _Writer(program)
    return "\n".join(writer.lines()), writer.names


def function_of(program: Program) -> Callable[..., list[Any]]:
    """A program as a function of its inputs, one by one, that returns the list of its outputs.

    It is to be called without autograd: below it, where the program was recorded.
    """
    source, names = source_of(program)
    exec(compile(source, "<captured step>", "exec"), names)  # noqa: S102 - the source was written above
    step: Callable[..., list[Any]] = names["step"]
    return step


class _Writer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[str, Any] = {}
        self._values: dict[Value, str] = {}
        self._calls: dict[Any, str] = {}
        for value, tensor in program.kept.items():
            self._values[value] = name = f"k{len(self._values)}"
            self.names[name] = tensor

    def lines(self) -> Iterator[str]:
        program, last = self.program, self.program.last_uses()
        for value in program.inputs:
            self._values[value] = f"x{len(self._values)}"
        yield f"def step({', '.join(self._values[value] for value in program.inputs)}):"
        ends: dict[int, list[Value]] = {}
        for value, place in last.items():
            if value not in program.kept and value not in program.inputs:
                ends.setdefault(place, []).append(value)
        known = set(self._values)
        grad = False  # as the caller has it
        for place, op in enumerate(program.ops):
            if op.grad is not grad:
                grad = op.grad
                yield f"    {self._call(set_grad_enabled)}({grad})"
            line = self._line(op, known)
            done = [self._values[value] for value in ends.get(place, ()) if value in self._values]
            yield f"    {line}"
            if done:
                yield f"    del {', '.join(done)}"
        if grad:
            yield f"    {self._call(set_grad_enabled)}(False)"
        yield f"    return [{', '.join(self._values[value] for value in program.outputs)}]"

    def _line(self, op: Op, known: set[Value]) -> str:
        named = [f"{key}={self._word(arg)}" for key, arg in op.kwargs.items()]
        call = f"{self._call(op.call)}({', '.join([*map(self._word, op.args), *named])})"
        if all(out is None or out in known for out in op.outs):
            return call
        targets = []
        for out in op.outs:
            if out is None or out in known:
                targets.append("_")
                continue
            known.add(out)
            self._values[out] = name = f"v{len(self._values)}"
            targets.append(name)
        return f"{targets[0] if op.single else ', '.join(targets) + ','} = {call}"

    def _call(self, function: Any) -> str:
        if function not in self._calls:
            word = "".join(c if c.isalnum() else "_" for c in getattr(function, "__name__", str(function)))
            self._calls[function] = name = f"f{len(self._calls)}_{word}"
            self.names[name] = function
        return self._calls[function]

    def _word(self, arg: Any) -> str:
        if type(arg) is Value:
            return self._values[arg]
        if type(arg) in (list, tuple) and any(type(leaf) is Value for leaf in arg):
            inner = ", ".join(map(self._word, arg))
            return f"[{inner}]" if type(arg) is list else f"({inner},)"
        if arg is None or type(arg) in (bool, int) or (type(arg) is float and math.isfinite(arg)):
            return repr(arg)
        name = f"c{len(self.names)}"
        self.names[name] = arg
        return name
