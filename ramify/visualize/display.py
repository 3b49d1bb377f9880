"""The display list: the few shapes that every kind of file is written from, and the colours that they have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ramify.visualize.families import FAMILIES

Step = tuple[str, tuple[float, ...]]  # "M" x y, "L" x y, "C" x1 y1 x2 y2 x y, "Z"


class Style(NamedTuple):
    """Colours of a shape; ``None`` paints nothing.

    Attributes:
        fill: colour inside.
        stroke: colour of the line.
        width: width of the line.
        dash: lengths of dashes and gaps.
    """

    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(slots=True)
class Box:
    """A rectangle with round corners."""

    style: str
    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0


@dataclass(slots=True)
class Path:
    """Lines and curves."""

    style: str
    steps: list[Step]


@dataclass(slots=True)
class Text:
    """One line of text; `x` is its ``start``, ``middle`` or ``end``, `y` its baseline."""

    style: str
    x: float
    y: float
    text: str
    size: float
    bold: bool = False
    anchor: str = "start"


@dataclass(slots=True)
class Group:
    """Shapes that belong together, and what a pointer that rests on them is told."""

    shapes: list[Box | Path | Text] = field(default_factory=list)
    title: str = ""
    key: str = ""


@dataclass(slots=True)
class DisplayList:
    """A drawing.

    Attributes:
        width: its extent, in CSS pixels.
        height: likewise.
        groups: what is drawn, from the back to the front.
        title: what it shows, in a few words.
        description: what it shows, for those who cannot see it.
    """

    width: float
    height: float
    groups: list[Group]
    title: str
    description: str


_INK = {"light": ("#1f2328", "#57606a", "#ffffff"), "dark": ("#e6edf3", "#9da7b3", "#0f141b")}


def _palette(text: str, grey: str, canvas: str, dark: bool) -> dict[str, Style]:
    line, card, edge = ("#3a434e", "#1a212b", "#8b96a3") if dark else ("#cfd6de", "#ffffff", "#6b7683")
    link = "#f0b429" if dark else "#8a5a00"
    colors = {
        "canvas": Style(canvas),
        "card": Style(card, line),
        "shadow": Style("#090d12" if dark else "#e9edf1"),
        "frozen": Style("#1a2733" if dark else "#eef5fb", "#5c7f9e" if dark else "#7d9cb8", 1.0, (4, 2.5)),
        "hatch": Style(None, "#223445" if dark else "#dfeaf5", 1.2),
        "failed": Style("#3a1518" if dark else "#fff0f0", "#ff7b72" if dark else "#cf222e", 1.6),
        "cut": Style(None, "#5a6673" if dark else "#98a3af", 1.2, (3, 3)),
        "fold": Style(None, "#5a6673" if dark else "#8793a1", 1.2),
        "e": Style("#ff9a92" if dark else "#b1161f"),
        "group": Style("#131a22" if dark else "#f7f9fb", "#5a6673" if dark else "#98a3af", 1.2, (5, 4)),
        "inner": Style("#131a22" if dark else "#f7f9fb"),
        "head": Style("#1d2733" if dark else "#e9eef4", "#5a6673" if dark else "#98a3af", 1.0),
        "pill": Style("#222b36" if dark else "#f3f5f7", "#4b5765" if dark else "#b9c2cc"),
        "shared": Style(None, link, 1.6),
        "badge": Style("#3b2f10" if dark else "#fdf3d7", link, 0.8),
        "edge": Style(None, edge, 1.4),
        "skip": Style(None, edge, 2.1),
        "arrow": Style(edge),
        "port": Style(card, edge, 1.4),
        "joint": Style("#22303f" if dark else "#eef3f9", edge, 1.2),
        "j": Style(text),
        "sign": Style(None, "#ffffff", 1.5),
        "t": Style(text),
        "g": Style(grey),
        "k": Style("#f5cf6b" if dark else "#704900"),
        "z": Style("#8cc0ea" if dark else "#2a5a85"),
    }
    for state, color in (("added", "#1a7f37"), ("removed", "#c8102e"), ("changed", "#8a5a00")):
        colors |= {state: Style(None, color, 2.5, (6, 4) if state == "removed" else ()), f"{state}-dot": Style(color)}
    colors["on-dot"] = Style("#ffffff")
    return colors | {f"f-{key}": Style(family.color) for key, family in FAMILIES.items()}


PALETTES = {name: _palette(*ink, dark=name == "dark") for name, ink in _INK.items()}
