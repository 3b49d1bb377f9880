"""`Chart`: lines over epochs as SVG, light and dark, without any other package."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax import saxutils

from ramify.errors import ArgumentError

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT, _GAP = 340, 220, 20
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 34, 34
_STYLE = (
    "text{font:12px Inter,'Helvetica Neue',Helvetica,Arial,sans-serif;fill:#57606a}"
    ".title{font-weight:700;fill:#1f2328}.grid{stroke:#d8dee4;stroke-width:1}"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".training{stroke:#1d63d8}.validation{stroke:#bd3d0b;stroke-dasharray:5 3}"
    ".dot.training{fill:#1d63d8;stroke:none}.dot.validation{fill:#bd3d0b;stroke:none}.canvas{fill:#fff}"
    "@media (prefers-color-scheme:dark){text{fill:#9da7b3}.title{fill:#e6edf3}.grid{stroke:#30363d}"
    ".training{stroke:#7fb0ff}.validation{stroke:#ff9d6c}.dot.training{fill:#7fb0ff}.dot.validation{fill:#ff9d6c}"
    ".canvas{fill:#0f141b}}"
)


class Chart:
    """Panels with one or two lines each. Notebooks show it; `save` writes it.

    Args:
        panels: title -> name of a line (``training``, ``validation``) -> its points ``(epoch, value)``.
        log_scale: whether the vertical axes are logarithmic; panels with values of 0 or less stay linear.
        columns: the most panels side by side.

    Example:

    >>> chart = Chart({"loss": {"training": [(1, 0.5), (2, 0.25)]}})
    >>> chart.svg.startswith("<svg")
    True
    """

    def __init__(self, panels: Mapping[str, Mapping[str, Points]], log_scale: bool = False, columns: int = 3) -> None:
        self.panels = panels
        self.log_scale = log_scale
        self.columns = max(1, columns)

    def __repr__(self) -> str:
        return f"<Chart: {', '.join(self.panels)}>"

    @property
    def svg(self) -> str:
        """The picture as an SVG document."""
        across = min(self.columns, len(self.panels)) or 1
        down = math.ceil(len(self.panels) / across)
        width, height = across * (_WIDTH + _GAP) - _GAP, down * (_HEIGHT + _GAP) - _GAP
        parts = []
        for i, (title, lines) in enumerate(self.panels.items()):
            x, y = (i % across) * (_WIDTH + _GAP), (i // across) * (_HEIGHT + _GAP)
            parts.append(f'<g transform="translate({x} {y})">{_panel(title, lines, log=self.log_scale)}</g>')
        words = "; ".join(_in_words(title, lines) for title, lines in self.panels.items())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img"><title>Metrics by epoch</title>'
            f"<desc>{saxutils.escape(words)}</desc><style>{_STYLE}</style>"
            f'<rect class="canvas" width="{width}" height="{height}"/>{"".join(parts)}</svg>\n'
        )

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        # As an image, so that its styles meet no others on the page.
        source = saxutils.quoteattr("data:image/svg+xml;utf8," + _quoted(self.svg))
        return f'<img alt="Metrics by epoch" src={source}>'

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture.

        Args:
            path: ends in ``.svg`` or ``.html``.

        Raises:
            ArgumentError: another ending.
        """
        target = Path(path)
        if target.suffix == ".svg":
            text = self.svg
        elif target.suffix in (".html", ".htm"):
            text = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Metrics by epoch</title>\n{self.svg}'
        else:
            raise ArgumentError(f"A chart is saved as .svg or .html, not as {target.name!r}.")
        target.write_text(text, encoding="utf-8")


def _panel(title: str, lines: Mapping[str, Points], *, log: bool) -> str:
    points = [point for line in lines.values() for point in line if math.isfinite(point[1])]
    parts = [f'<text class="title" x="{_LEFT}" y="18">{saxutils.escape(title)}</text>']
    if not points:
        parts.append(f'<text x="{_LEFT}" y="{_HEIGHT / 2:g}">no finite values</text>')
        return "".join(parts)
    log = log and all(value > 0 for _, value in points)
    marks = log_ticks(points) if log else ticks(min(v for _, v in points), max(v for _, v in points))
    first, last = min(e for e, _ in points), max(e for e, _ in points)

    def across(epoch: float) -> float:
        share = 0.5 if last == first else (epoch - first) / (last - first)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        low, high, at = (math.log10(v) if log else v for v in (marks[0], marks[-1], value))
        return _HEIGHT - _BOTTOM - (at - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    for mark in marks:
        y = up(mark)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{mark:.4g}</text>')
    parts += [
        f'<text x="{across(epoch):.1f}" y="{_HEIGHT - 14}" text-anchor="middle">{epoch:g}</text>'
        for epoch in _epoch_marks(first, last)
    ]
    right = float(_WIDTH - _RIGHT)
    for name, line in reversed(list(lines.items())):
        parts.append(_drawn(name, [(across(e), up(v)) if math.isfinite(v) else None for e, v in line]))
        parts.append(f'<text x="{right:g}" y="18" text-anchor="end">{saxutils.escape(name)}</text>')
        right -= 8 * len(name) + 22
        parts.append(f'<path class="line {name}" d="M{right + 2:g} 14h14"/>')
    return "".join(parts)


def _drawn(name: str, places: list[tuple[float, float] | None]) -> str:
    """A line, with a gap where a value is no number; a point where it is alone."""
    path, parts, run = "", [], []
    for place in [*places, None]:
        if place is not None:
            run.append(place)
            continue
        if len(run) == 1:
            parts.append(f'<circle class="dot {name}" cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="3"/>')
        elif run:
            path += "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
        run = []
    return (f'<path class="line {name}" d="{path}"/>' if path else "") + "".join(parts)


def ticks(low: float, high: float) -> list[float]:
    """A few round numbers that enclose a range.

    >>> ticks(0.13, 0.87)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if high <= low:
        spread = abs(low) * 0.1 or 1.0
        low, high = low - spread, high + spread
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 12 - math.floor(math.log10(step))) for n in range(first, max(last, first + 1) + 1)]


def log_ticks(points: Points) -> list[float]:
    """The powers of ten that enclose a range."""
    exponents = [math.log10(value) for _, value in points]
    first, last = math.floor(min(exponents)), math.ceil(max(exponents))
    last = max(last, first + 1)
    step = math.ceil((last - first) / 6)
    return [10.0**n for n in range(first, last + step, step)]


def _epoch_marks(first: float, last: float) -> list[float]:
    step = max(1, math.ceil((last - first) / 5))
    return [first + n * step for n in range(int((last - first) // step) + 1)]


def _in_words(title: str, lines: Mapping[str, Points]) -> str:
    parts = [f"{name} from {line[0][1]:.4g} to {line[-1][1]:.4g}" for name, line in lines.items() if line]
    return f"{title}: {', '.join(parts)}"


def _quoted(svg: str) -> str:
    return svg.replace("%", "%25").replace("#", "%23").replace('"', "'").replace("\n", "")
