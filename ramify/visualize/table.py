"""A table for terminals: columns that share the width, cells that wrap, wide characters that count double."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ramify.lazy import lazy

if TYPE_CHECKING:
    from rich.color import ColorSystem
    from rich.style import Style

_cells, _style = lazy("rich.cells"), lazy("rich.style")
_BREAK_AFTER = " ,_/.-"
_LEAST = 8


def cell_len(text: str) -> int:
    """The number of terminal cells that text takes; wide characters take two."""
    return len(text) if text.isascii() else _cells.cell_len(text)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: its heading.
        right: whether its cells stand at the right.
        style: how a terminal shows it.
        firm: whether it keeps its width when the others shrink.
        hang: how far lines that a cell was wrapped to are set in.
        least: the width that it keeps when it shrinks.
    """

    title: str
    right: bool = False
    style: str = ""
    firm: bool = False
    hang: int = 0
    least: int = _LEAST


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int,
    widths: Sequence[int] | None = None,
    colors: ColorSystem | None = None,
    rule: str = "─",
) -> list[str]:
    """Lines of a table.

    Args:
        columns: the columns.
        rows: one text per column; a line break in it starts a line.
        width: the most that a line may take, in terminal cells.
        widths: width per column; found out when not given.
        colors: a terminal's colours; none for plain text.
        rule: character of the lines across.
    """
    cells = [[cell.split("\n") for cell in row] for row in rows]
    if widths is None:
        natural = [
            max([cell_len(column.title), *(cell_len(line) for row in cells for line in row[i])])
            for i, column in enumerate(columns)
        ]
        least = [column.least for column in columns]
        widths = shared_out(natural, [column.firm for column in columns], width - 2 - 2 * (len(columns) - 1), least)
    across = rule * min(width, sum(widths) + 2 * (len(columns) - 1) + 2)
    styles = [_style.Style.parse(column.style) for column in columns]
    bold = [_style.Style(bold=True)] * len(columns)
    lines = [across, *_lines(columns, [[column.title] for column in columns], widths, bold, colors), across]
    for row in cells:
        lines += _lines(columns, row, widths, styles, colors)
    return [*lines, across]


def html_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], caption: str, notes: Sequence[str] = ()
) -> str:
    """The same table for notebooks: in the colours and the font of the page around it.

    >>> "x &lt; 1" in html_table([Column("A")], [["x < 1"]], "a caption")
    True
    """
    heads = "".join(f'<th scope="col" style="{_aligned(column)}">{escape(column.title)}</th>' for column in columns)
    body = []
    for row in rows:
        cells = [
            f'<td style="{_aligned(column)};white-space:pre-wrap;overflow-wrap:anywhere">{escape(cell)}</td>'
            for column, cell in zip(columns, row, strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    style = "caption-side:top;text-align:left;font-weight:bold"
    return (
        f'<div><div style="overflow-x:auto"><table><caption style="{style}">{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
        f"<p>{'<br>'.join(escape(note.strip()) for note in notes)}</p></div>"
    )


def _aligned(column: Column) -> str:
    return "text-align:right" if column.right else "text-align:left"


def _lines(
    columns: Sequence[Column],
    row: Sequence[Sequence[str]],
    widths: Sequence[int],
    styles: Sequence[Style],
    colors: ColorSystem | None,
) -> Iterator[str]:
    wrapped = [
        [piece for line in lines for piece in wrap(line, width, column.hang)]
        for column, lines, width in zip(columns, row, widths, strict=True)
    ]
    for i in range(max(map(len, wrapped))):
        parts = []
        for column, pieces, width, style in zip(columns, wrapped, widths, styles, strict=True):
            text = pieces[i] if i < len(pieces) else ""
            space = " " * (width - cell_len(text))
            shown = style.render(text, color_system=colors) if colors and text else text
            parts.append(space + shown if column.right else shown + space)
        yield f" {'  '.join(parts)}".rstrip()


def shared_out(natural: Sequence[int], firm: Sequence[bool], room: int, least: Sequence[int] = ()) -> list[int]:
    """Widths that fit into `room`: the widest columns give way first, the firm ones not at all.

    Args:
        natural: the width that each column would like.
        firm: which columns keep it.
        room: the sum that is wanted.
        least: the least that each column takes; some characters for all when not given.

    >>> shared_out([30, 10, 8], [False, False, True], 38)
    [20, 10, 8]
    >>> shared_out([30, 10, 8], [False, False, True], 38, [24, 4, 0])
    [24, 6, 8]
    """
    widths = list(natural)
    floor = list(least) or [_LEAST] * len(widths)
    while sum(widths) > room:
        soft = [i for i, is_firm in enumerate(firm) if not is_firm and widths[i] > floor[i]]
        if not soft:
            break
        widest = max(widths[i] for i in soft)
        equal = [i for i in soft if widths[i] == widest]
        down = max([*(widths[i] for i in soft if widths[i] < widest), *(floor[i] for i in equal)])
        cut = max(1, min(-(-(sum(widths) - room) // len(equal)), widest - down))
        for i in equal:
            widths[i] -= max(0, min(cut, sum(widths) - room))
    return widths


def wrap(text: str, width: int, hang: int = 0) -> list[str]:
    """Text in lines of at most `width` cells; broken after a separator where there is one, and never cut off.

    >>> wrap("a_rather_long_name (Dense)", 14, hang=2)
    ['a_rather_long_', '  name (Dense)']
    """
    if cell_len(text) <= width:
        return [text]
    lines = []
    hang = min(hang, width // 2)
    lead = len(text) - len(text.lstrip())
    text = " " * min(lead, width // 2) + text.lstrip()
    while cell_len(text) > width:
        taken, size, at, word = 0, 0, 0, False
        first = len(text) - len(text.lstrip())
        for char in text:
            size += cell_len(char)
            if size > width:
                break
            taken += 1
            if char in _BREAK_AFTER and taken > first:
                at, word = taken, word or char == " "
        if taken < len(text) and text[taken] == " ":
            at = taken
        at = at if at > (first if word else max(taken // 3, first)) else max(taken, first + 1)
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
        text = " " * hang + text if text else ""
    return [*lines, text] if text else lines
