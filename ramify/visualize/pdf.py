"""PDF from a display list: one page, in the Helvetica that every reader has, so that no font need be embedded."""

from __future__ import annotations

import zlib

from ramify.visualize.display import PALETTES, Box, DisplayList, Path, Style, Text
from ramify.visualize.text import text_width

_POINTS = 0.75  # per CSS pixel
_LARGEST = 14_400.0  # readers refuse longer pages
_CURVE = 0.5523
_PLAIN = {"−": "-", "≠": "<>", "→": "->"}  # what the encoding lacks


def pdf(drawing: DisplayList, dark: bool = False) -> bytes:
    """A PDF document; equal to the byte for equal drawings.

    Args:
        drawing: what to write.
        dark: whether it is dark.
    """
    scale = min(_POINTS, _LARGEST / max(drawing.width, drawing.height, 1))
    page = _Page(PALETTES["dark" if dark else "light"])
    page.lines.append(f"{_number(scale)} 0 0 {_number(-scale)} 0 {_number(drawing.height * scale)} cm 1 j 1 J")
    page.add(Box("canvas", 0, 0, drawing.width, drawing.height))
    for group in drawing.groups:
        for shape in group.shapes:
            page.add(shape)
    size = f"{_number(drawing.width * scale)} {_number(drawing.height * scale)}"
    return _document(size, "\n".join(page.lines).encode("cp1252"), drawing.title)


class _Page:
    """The instructions of a page."""

    def __init__(self, palette: dict[str, Style]) -> None:
        self.palette = palette
        self.lines: list[str] = []

    def add(self, shape: Box | Path | Text) -> None:
        style = self.palette[shape.style]
        if isinstance(shape, Text):
            self._text(shape, style)
            return
        steps = _box_steps(shape) if isinstance(shape, Box) else _path_steps(shape)
        paint = {(True, True): "B", (True, False): "f", (False, True): "S"}.get((bool(style.fill), bool(style.stroke)))
        if paint is None:
            return
        before = [f"{_color(style.fill)} rg"] if style.fill else []
        if style.stroke:
            dash = " ".join(_number(x) for x in style.dash)
            before.append(f"{_color(style.stroke)} RG {_number(style.width)} w [{dash}] 0 d")
        self.lines.append(" ".join([*before, steps, paint]))

    def _text(self, shape: Text, style: Style) -> None:
        text = _encodable(shape.text)
        wide = text_width(text, shape.size, shape.bold) / 1.04
        x = shape.x - {"start": 0.0, "middle": wide / 2, "end": wide}[shape.anchor]
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        font = f"/{'B' if shape.bold else 'R'} {_number(shape.size)} Tf"
        place = f"1 0 0 -1 {_number(x)} {_number(shape.y)} Tm"  # upright again in a page that is turned upside down
        self.lines.append(f"BT {_color(style.fill or '#000000')} rg {font} {place} ({escaped}) Tj ET")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"


def _color(color: str) -> str:
    return " ".join(_number(int(color[i : i + 2], 16) / 255) for i in (1, 3, 5))


def _encodable(text: str) -> str:
    return "".join(_PLAIN.get(char, char) for char in text).encode("cp1252", "replace").decode("cp1252")


def _path_steps(path: Path) -> str:
    letters = {"M": "m", "L": "l", "C": "c", "Z": "h"}
    return " ".join(" ".join([*map(_number, values), letters[letter]]) for letter, values in path.steps)


def _box_steps(box: Box) -> str:
    x, y, w, h = box.x, box.y, box.width, box.height
    r = min(box.radius, w / 2, h / 2)
    if not r:
        return f"{_number(x)} {_number(y)} {_number(w)} {_number(h)} re"
    b = r * (1 - _CURVE)
    right, end = x + w, y + h
    steps: list[tuple[str, tuple[float, ...]]] = [
        ("M", (x + r, y)),
        ("L", (right - r, y)),
        ("C", (right - b, y, right, y + b, right, y + r)),
        ("L", (right, end - r)),
        ("C", (right, end - b, right - b, end, right - r, end)),
        ("L", (x + r, end)),
        ("C", (x + b, end, x, end - b, x, end - r)),
        ("L", (x, y + r)),
        ("C", (x, y + b, x + b, y, x + r, y)),
        ("Z", ()),
    ]
    return _path_steps(Path(box.style, steps))


def _document(size: str, content: bytes, title: str) -> bytes:
    packed = zlib.compress(content, 9)
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica%s /Encoding /WinAnsiEncoding >>"
    name = "FEFF" + title.encode("utf-16-be").hex().upper()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size}] /Contents 4 0 R "
        "/Resources << /Font << /R 5 0 R /B 6 0 R >> >> >>".encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        font % b"",
        font % b"-Bold",
        f"<< /Title <{name}> /Producer (ramify) >>".encode(),
    ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for i, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (i, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
