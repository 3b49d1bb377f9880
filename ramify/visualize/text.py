"""How wide text is in Helvetica, by Adobe's published metrics; Arial and Liberation Sans have the same widths."""

from __future__ import annotations

import unicodedata

_FIRST = 32  # the tables hold the widths of ASCII 32 to 126, in thousandths of the size
_PLAIN = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
]  # fmt: skip
_BOLD = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
]  # fmt: skip
_OTHER = {"×": 584, "÷": 584, "−": 584, "≠": 549, "·": 278, "…": 1000, "–": 556}
_SLACK = 1.04  # fonts that stand in are a little wider


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a line of text, in the unit of `size`; a little more than Helvetica's own.

    >>> round(text_width("Dense", 10, bold=True), 1)
    31.2
    """
    widths = _BOLD if bold else _PLAIN
    total = 0
    for char in text:
        code = ord(char)
        if _FIRST <= code < _FIRST + len(widths):
            total += widths[code - _FIRST]
        elif char in _OTHER:
            total += _OTHER[char]
        else:
            total += 1000 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 640
    return total * size / 1000 * _SLACK


def clipped(text: str, room: float, size: float, bold: bool = False) -> str:
    """Text that fits into `room`; its middle gives way, as names differ at their ends."""
    if text_width(text, size, bold) <= room:
        return text
    keep = len(text) - 1
    while keep > 2:
        short = f"{text[: (keep + 1) // 2]}…{text[len(text) - keep // 2 :]}"
        if text_width(short, size, bold) <= room:
            return short
        keep -= 1
    return text[:1] + "…"


def lines_of(text: str, room: float, size: float) -> list[str]:
    """Text in lines that fit into `room`, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(clipped(word, room, size))
    return lines
