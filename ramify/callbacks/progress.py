"""A progress bar that is calm at any speed: it is drawn at most ten times a second, and not at all into files."""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from ramify.settings import is_interactive_logging_enabled, say

Values = Mapping[str, Any] | Iterable[tuple[str, Any]]

HEARTBEAT = 60.0
"""Seconds between two lines in a file, where a step or an epoch takes long; the time doubles with each."""

_CLEAR = "\x1b[J"


class Progbar:
    """Progress of a known or unknown number of steps, with numbers beside it.

    A terminal shows a bar that is redrawn in place; long lines go on in a second, indented one. A notebook shows one
    line. Into a pipe or file goes one plain line at the end, without control characters; where that takes minutes, a
    few on the way. With `config.disable_interactive_logging` lines go to the logger ``"ramify"``.

    Args:
        target: number of steps; ``None`` when it is not known.
        width: of the bar, in characters.
        verbose: 0 silent, 1 bar, 2 one line at the end.
        interval: least number of seconds between two drawings.
        stateful_metrics: names of values that are shown as given; others are averaged over the steps. All are shown as
            given when ``None``.
        stateless_metrics: names of values that are averaged over the steps, whatever `stateful_metrics` says.
        unit_name: what a step is called.

    >>> bar = Progbar(10, verbose=2)
    >>> bar.update(10, [("loss", 0.25)])  # doctest: +ELLIPSIS
    10/10 - ... - loss: 0.2500
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._given = None if stateful_metrics is None else set(stateful_metrics)
        self._averaged = set(stateless_metrics or ())
        self._means: dict[str, tuple[float, int]] = {}
        self._count = 0
        self._values: dict[str, Any] = {}
        self._start = self._drawn = time.perf_counter()
        self._first: float | None = None
        self._seen = 0
        self._height = 0
        self._out: TextIO = sys.stdout
        self._pause = HEARTBEAT
        self.live = verbose == 1 and is_interactive_logging_enabled() and is_live(self._out)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    def due(self, current: int) -> bool:
        """Whether a drawing at this step would be seen; numbers need not be fetched otherwise.

        Args:
            current: steps done so far.
        """
        now = time.perf_counter()
        if self._first is None:
            # The first step warms up: allocators, kernels, compilation. It says nothing about the others.
            self._first, self._seen = now, current
        return self.verbose == 1 and now - self._drawn >= (self.interval if self.live else self._pause)

    def update(self, current: int, values: Values | None = None, finalize: bool | None = None) -> None:
        """Show where things stand.

        Args:
            current: steps done so far.
            values: names and numbers, as pairs or as a dict.
            finalize: whether this is the last drawing; when `target` is reached, if ``None``.
        """
        due = self.due(current)
        self._take(current, values)
        last = finalize if finalize is not None else self.target is not None and current >= self.target
        if last and self.target is None:
            self.target = current
        if self.verbose and (last or due):
            self._draw(current, last)

    def add(self, n: int, values: Values | None = None) -> None:
        """Show `n` steps more."""
        self._count += n
        self.update(self._count, values)

    def close(self) -> None:
        """End the line that is being drawn, where the end of the steps is not going to come."""
        if self.live and self._height:
            self._out.write("\n")
            self._out.flush()
            self._height = 0

    def _take(self, current: int, values: Values | None) -> None:
        for name, value in values.items() if isinstance(values, Mapping) else values or ():
            if (self._given is None or name in self._given) and name not in self._averaged:
                self._values[name] = value
            else:
                total, count = self._means.get(name, (0.0, 0))
                weight = max(current - count, 1)
                self._means[name] = (total + float(value) * weight, count + weight)
                self._values[name] = self._means[name][0] / self._means[name][1]

    def _draw(self, current: int, last: bool) -> None:
        now = self._drawn = time.perf_counter()
        if not self.live and not last:
            self._pause *= 2
        parts = [self._head(current, now, last), *(f"{k}: {shown(v)}" for k, v in self._values.items())]
        if not is_interactive_logging_enabled():
            say(" - ".join(parts))
        elif not self.live:
            self._out.write(" - ".join(parts) + "\n")
        elif in_notebook():
            line = " - ".join(parts)
            self._out.write("\r" + line.ljust(self._height) + ("\n" if last else ""))
            self._height = 0 if last else len(line)  # what is left of a longer line is written over
        else:
            lines = wrapped(parts, shutil.get_terminal_size().columns)
            back = f"\x1b[{self._height - 1}A" if self._height > 1 else ""
            self._out.write(f"{back}\r{_CLEAR}" + "\n".join(lines) + ("\n" if last else ""))
            self._height = 0 if last else len(lines)
        self._out.flush()

    def _head(self, current: int, now: float, last: bool) -> str:
        elapsed = now - self._start
        if self._first is not None and current > self._seen:  # there are steps to judge by beside the first
            pace = (now - self._first) / (current - self._seen)
        else:
            pace = elapsed / max(current, 1)
        count = f"{current}/{self.target if self.target is not None else 'Unknown'}"
        if self.target is not None:
            count = count.rjust(2 * len(str(self.target)) + 1)
        per = f"{duration_of_step(pace)}/{self.unit_name}"
        if not self.live:
            left = "" if last or self.target is None else f" - {clock(pace * (self.target - current))} left"
            return f"{count} - {clock(elapsed)}{left} - {per}"
        if self.target is None:
            return f"{count} {clock(elapsed)} {per}"
        time_shown = clock(elapsed) if last else f"{clock(pace * (self.target - current))} left"
        return f"{count} {bar(current, self.target, self.width)} {time_shown} {per}"


def bar(current: int, target: int, width: int) -> str:
    """A bar of the given width.

    >>> bar(1, 4, 8)
    '━━──────'
    """
    done = width if current >= target else int(width * current / max(target, 1))
    return "━" * done + "─" * (width - done)


def shown(value: Any) -> str:
    """A number in few characters.

    >>> shown(0.5), shown(0.0000123)
    ('0.5000', '1.2300e-05')
    """
    if getattr(value, "ndim", 0):
        return "[" + ", ".join(shown(float(v)) for v in value.reshape(-1)[:4]) + (", ...]" if value.size > 4 else "]")
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return f"{number:.4f}" if number == 0 or not math.isfinite(number) or abs(number) > 1e-3 else f"{number:.4e}"


def clock(seconds: float) -> str:
    """A duration as people read it.

    >>> clock(3.2), clock(75), clock(3700)
    ('3s', '1:15', '1:01:40')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def duration_of_step(seconds: float) -> str:
    """The duration of one step, in the unit that suits it.

    >>> duration_of_step(0.0123), duration_of_step(0.00045), duration_of_step(2.5)
    ('12ms', '450us', '2s')
    """
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def wrapped(parts: list[str], columns: int) -> list[str]:
    """Join parts by dashes into lines that fit; lines after the first are indented.

    >>> wrapped(["1/2", "loss: 0.1", "accuracy: 0.9"], 20)
    ['1/2 - loss: 0.1', '    accuracy: 0.9']
    """
    lines = [parts[0]]
    for part in parts[1:]:
        fits = len(lines[-1]) + 3 + len(part) < columns
        if fits:
            lines[-1] += f" - {part}"
        else:
            lines.append(f"    {part}")
    return lines


def in_notebook() -> bool:
    """Whether the output goes to a notebook's page."""
    get_ipython: Callable[[], Any] | None = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def is_live(out: TextIO) -> bool:
    """Whether what was written can be written over: a terminal or a notebook, not a pipe or a file."""
    if in_notebook():
        return True
    return bool(getattr(out, "isatty", lambda: False)()) and os.environ.get("TERM") != "dumb"
