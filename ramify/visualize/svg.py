"""SVG from a display list: light and dark, with words for those who cannot see it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from xml.sax import saxutils

from ramify.visualize.display import PALETTES, Box, DisplayList, Group, Path, Style, Text
from ramify.visualize.text import text_width

# Fonts as wide as Helvetica, by whose widths cards are made.
FONT = "Arimo, 'Liberation Sans', 'Helvetica Neue', Helvetica, Arial, sans-serif"


def svg(drawing: DisplayList, dark: bool | None = None) -> str:
    """An SVG document.

    Args:
        drawing: what to write.
        dark: whether it is dark; what the reader prefers when not given.

    Returns:
        The document, equal to the byte for equal drawings.
    """
    body = "\n".join(_group(group) for group in drawing.groups)
    # Ids and styles must not meet those of another picture on the page.
    word = f"rf{zlib.crc32(body.encode()):08x}"
    width, height = number(drawing.width), number(drawing.height)
    style = _rules(PALETTES["dark" if dark else "light"], word)
    corners = ' rx="12"' if dark is None else ""  # the page around it may be of the other kind
    if dark is None:
        style += f"@media (prefers-color-scheme:dark){{{_rules(PALETTES['dark'], word, colors_only=True)}}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'class="{word}" role="img" aria-labelledby="{word}t {word}d">\n'
        f'<title id="{word}t">{escape(drawing.title)}</title>\n'
        f'<desc id="{word}d">{escape(drawing.description)}</desc>\n'
        f"<style>{style}</style>\n"
        f'<rect class="canvas" width="{width}" height="{height}"{corners}/>\n{body}\n</svg>\n'
    )


def number(value: float) -> str:
    """A coordinate, to a tenth.

    >>> number(2.0), number(2.26), number(-0.01)
    ('2', '2.3', '0')
    """
    text = f"{value:.1f}"
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def escape(text: str) -> str:
    """Text for XML, without the control characters that no XML may hold.

    >>> escape("a < b" + chr(0))
    'a &lt; b'
    """
    return saxutils.escape("".join(char for char in text if char >= " " or char == "\n"))


def _rules(palette: Mapping[str, Style], word: str, colors_only: bool = False) -> str:
    rules = [] if colors_only else [f".{word} text{{font-family:{FONT};white-space:pre}}"]
    for name, style in palette.items():
        parts = [f"fill:{style.fill or 'none'}"]
        if style.stroke:
            parts.append(f"stroke:{style.stroke}")
            if not colors_only:
                parts.append(f"stroke-width:{style.width:g}")
                parts += ["stroke-dasharray:" + ",".join(f"{x:g}" for x in style.dash)] if style.dash else []
        rules.append(f".{word} .{name}{{{';'.join(parts)}}}")
    if not colors_only:
        rules.append(f".{word} .sign{{stroke-linecap:round;stroke-linejoin:round}}")
    return "".join(rules)


def _group(group: Group) -> str:
    shapes = "".join(_shape(shape) for shape in group.shapes)
    if not group.title and not group.key:
        return shapes
    key = f" data-key={saxutils.quoteattr(group.key)}" if group.key else ""
    title = f"<title>{escape(group.title)}</title>" if group.title else ""
    return f"<g{key}>{title}{shapes}</g>"


def _shape(shape: Box | Path | Text) -> str:
    n = number
    if isinstance(shape, Box):
        radius = f' rx="{n(shape.radius)}"' if shape.radius else ""
        place = f'x="{n(shape.x)}" y="{n(shape.y)}" width="{n(shape.width)}" height="{n(shape.height)}"'
        return f'<rect class="{shape.style}" {place}{radius}/>'
    if isinstance(shape, Path):
        steps = "".join(letter + " ".join(n(value) for value in values) for letter, values in shape.steps)
        return f'<path class="{shape.style}" d="{steps}"/>'
    bold = ' font-weight="700"' if shape.bold else ""
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    place = f'x="{n(shape.x)}" y="{n(shape.y)}" font-size="{shape.size:g}"'
    if shape.text:  # a machine without these fonts takes wider ones, whose words would run into what stands beside them
        place += f' textLength="{n(text_width(shape.text, shape.size, shape.bold))}" lengthAdjust="spacingAndGlyphs"'
    return f'<text class="{shape.style}" {place}{bold}{anchor}>{escape(shape.text)}</text>'
