"""Faces of cards: which words stand where, how large that makes them, and the shapes they are drawn with."""

from __future__ import annotations

from dataclasses import dataclass

from ramify.visualize.display import Box, Group, Path, Step, Text
from ramify.visualize.facts import readable_number, readable_size
from ramify.visualize.layout.nested import HEADER, STACK, Rect
from ramify.visualize.picture import Item, Tensor
from ramify.visualize.text import clipped, lines_of, text_width
from ramify.visualize.words import shape_text, short_shape

TILE = 26.0
_PAD = 10.0
_LINE = 15.0
_FIRST = 30.0
_MOST = 250.0
_KIND, _SMALL, _BADGE = 13.0, 11.0, 9.5
_ROUND = 8.0
_HATCH = 9.0
_ERROR_LINES = 4
_PILLS = ("operation", "cut")
_CURVE = 0.5523  # how far control points of a quarter circle lie along its tangents


@dataclass(frozen=True)
class Look:
    """What a drawing shows.

    Attributes:
        shapes: shapes of the tensors.
        dtype: their dtypes.
        names: names of the layers; inputs and several outputs always show theirs.
        activations: activations of layers that have one beside what they do.
        trainable: which layers training changes.
    """

    shapes: bool = False
    dtype: bool = False
    names: bool = False
    activations: bool = False
    trainable: bool = False


@dataclass(frozen=True)
class Face:
    """The words on a card."""

    kind: str
    lines: tuple[str, ...]
    right: str
    badge: str
    state: str


def face_of(item: Item, look: Look) -> Face:
    """The words on an item's card."""
    head, second = item.kind, item.name
    if item.repeat is not None:
        head = f"× {item.repeat.count}"
    elif item.family.key == "model" and item.name:  # a model is known by its name, a layer by what it is
        head, second = second, head
    lines = []
    named = look.names or item.role in ("input", "output") or item.share is not None or item.family.key == "model"
    if named and second and item.role != "operation":
        lines.append(clipped(second, _MOST, _SMALL))
    told = ", ".join(word for word in (item.config, item.activation if look.activations else "") if word)
    if told and item.level is None:
        lines.append(clipped(told, _MOST, _SMALL))
    lines += lines_of(item.error, _MOST, _SMALL)[:_ERROR_LINES]
    again = item.share is not None and item.share.number > 1
    right = f"{item.params:,}" if item.params else "shared" if again else ""
    badge = f"{item.share.letter} {item.share.number}/{item.share.total}" if item.share else ""
    state = "" if not look.trainable or item.trainable is None else "trainable" if item.trainable else "frozen"
    return Face(clipped(head, _MOST, _KIND, bold=True), tuple(lines), right, badge, state)


def card_size(item: Item, look: Look) -> tuple[float, float]:
    """Width and height of a card, or of a container's header."""
    face = face_of(item, look)
    kind = text_width(face.kind, _KIND, bold=True)
    if item.role in _PILLS:
        return round(kind + 28), 26.0
    first = kind + (_badge_width(face) + 8 if face.badge else 0)
    if item.level is not None:
        first += sum(text_width(line, _SMALL) + 8 for line in face.lines)
    first += text_width(face.right, _SMALL) + 16 if face.right else 0
    rest = [] if item.level is not None else [text_width(line, _SMALL) for line in face.lines]
    state = text_width(face.state, _SMALL) + 16 if face.state else 0
    if item.level is not None:
        first += state
    elif state:
        rest = [*rest[:-1], rest[-1] + state] if rest else [state]
    height = HEADER if item.level is not None else _FIRST + _LINE * (len(rest))
    return round(TILE + 2 * _PAD + max([first, *rest, 40.0])), height


def closed_size(item: Item, look: Look) -> tuple[float, float]:
    """Width and height of the card that a container is when it is closed."""
    face = face_of(item, look)
    words = [face.kind, *face.lines]
    width = max(text_width(word, _KIND, bold=True) for word in words) + 2 * _PAD + TILE
    width += sum(text_width(word, _SMALL) + 16 for word in (face.badge, face.right) if word)
    return round(width), _FIRST + _LINE * max(len(face.lines), 1)


def label_of(tensor: Tensor, look: Look) -> str:
    """The words at an output."""
    parts = [short_shape(tensor.shape) if look.shapes and tensor.shape is not None else ""]
    parts.append(tensor.dtype if look.dtype else "")
    return "  ".join(part for part in parts if part)


def label_size(item: Item, port: int, look: Look) -> tuple[float, float]:
    """Width and height of the words at an output; zeros where there are none."""
    text = label_of(item.outputs[port], look) if item.role != "entry" and port < len(item.outputs) else ""
    return (text_width(text, _SMALL), 18.0) if text else (0.0, 0.0)


def _badge_width(face: Face) -> float:
    return text_width(face.badge, _BADGE, bold=True) + 12


def draw_card(item: Item, rect: Rect, look: Look) -> Group:
    """The shapes of a card, or of a container with its header."""
    face = face_of(item, look)
    group = Group(title=tooltip(item), key=str(item.index))
    if item.role in _PILLS:
        group.shapes = _pill(face, rect, "cut" if item.role == "cut" else "pill")
        return group
    x, y, width, height = rect
    frame: list[Box | Path | Text] = []
    if item.level is not None:
        if item.repeat is not None:
            frame += [Box("card", x + d, y + d, width, height, 12) for d in (STACK, STACK / 2)]
        frame += [
            Box("inner" if item.share or item.repeat else "group", x, y, width, height, 12),
            _round_top("head", x, y, width, HEADER, 12),
        ]
    else:
        frame.append(Box("shadow", x, y + 2, width, height, _ROUND))
        if item.family.key == "model":
            frame.append(Box("card", x + 4, y + 4, width, height, _ROUND))
        style = "failed" if item.error else "frozen" if face.state == "frozen" else "card"
        frame.append(Box(style, x, y, width, height, _ROUND))
        if style == "frozen":
            frame.append(_hatch(x + TILE, y, width - TILE, height))
    head = HEADER if item.level is not None else height
    radius = 12 if item.level is not None else _ROUND
    frame.append(_round_left(f"f-{item.family.key}", x, y, TILE, head, radius, item.role != "group"))
    frame += _sign(item.family.sign, x + (TILE - 16) / 2, y + (min(head, 34) - 16) / 2)
    if item.share:
        frame.append(Box("shared", x, y, width, height, radius))
    elif item.repeat is not None:
        frame.append(Box("fold", x, y, width, height, radius))
    group.shapes = frame + _words(item, face, rect)
    return group


def _words(item: Item, face: Face, rect: Rect) -> list[Box | Path | Text]:
    x, y, width, _ = rect
    left, right = x + TILE + _PAD, x + width - _PAD
    base = y + (22 if item.level is not None else 20)
    shapes: list[Box | Path | Text] = [Text("t", left, base, face.kind, _KIND, bold=True)]
    at = left + text_width(face.kind, _KIND, bold=True) + 8
    if item.level is not None:
        for line in face.lines:
            shapes.append(Text("g", at, base, line, _SMALL))
            at += text_width(line, _SMALL) + 8
    else:
        told = len(face.lines) - len(lines_of(item.error, _MOST, _SMALL)[:_ERROR_LINES])
        for i, line in enumerate(face.lines):
            shapes.append(Text("g" if i < told else "e", left, base + _LINE * (i + 1), line, _SMALL))
    if face.badge:
        wide = _badge_width(face)
        shapes.append(Box("badge", at, base - 12, wide, 15, 7.5))
        shapes.append(Text("k", at + wide / 2, base - 1.2, face.badge, _BADGE, bold=True, anchor="middle"))
    if face.right:
        shapes.append(Text("g", right, base, face.right, _SMALL, anchor="end"))
    if face.state and item.level is not None:
        shapes.append(Text("z", right - text_width(face.right, _SMALL) - 8, base, face.state, _SMALL, anchor="end"))
    elif face.state:
        shapes.append(Text("z", right, base + _LINE * max(len(face.lines), 1), face.state, _SMALL, anchor="end"))
    return shapes


def _pill(face: Face, rect: Rect, style: str) -> list[Box | Path | Text]:
    x, y, width, height = rect
    middle = Text("t", x + width / 2, y + height / 2 + 4.5, face.kind, _KIND - 0.5, bold=True, anchor="middle")
    return [Box(style, x, y, width, height, height / 2), middle]


def tooltip(item: Item) -> str:
    """All that is known of a card, for a pointer that rests on it."""
    lines = [f"{item.name} ({item.kind})" if item.name and item.name != item.kind else item.kind]
    lines.append(", ".join(word for word in (item.family.word, item.config, item.activation) if word))
    for word, tensors in (("in", item.inputs), ("out", item.outputs)):
        known = [f"{shape_text(tensor.shape)} {tensor.dtype}" for tensor in tensors if tensor.shape is not None]
        if known:
            lines.append(f"{word}: {', '.join(known)}")
    if item.trainable is not None:
        state = "trainable" if item.trainable else "frozen"
        lines.append(f"{item.params:,} parameters, {state}" if item.params else f"weights shared, {state}")
    if item.flops:
        lines.append(f"{readable_number(item.flops)}FLOPs a sample")
    if item.memory:
        lines.append(f"{readable_size(item.memory)} of results a sample")
    if item.repeat is not None:
        alike = "told the same, with weights of their own" + ("" if item.repeat.alike else "; their shapes differ")
        lines.append(f"{item.repeat.count} blocks, {alike}")
    if item.twins:
        lines.append(f"stands for {len(item.twins)} more: {', '.join(twin.name for twin in item.twins[:3])} …")
    if item.error:
        lines.append(item.error)
    if item.share:
        lines.append(f"call {item.share.number} of {item.share.total} of one layer: the weights are shared")
    return "\n".join(lines)


# ---- shapes ----


def _hatch(x: float, y: float, width: float, height: float) -> Path:
    """Slanted lines within a rectangle, kept off its round corners."""
    steps: list[Step] = []
    low, high = y + 2, y + height - 2
    for i in range(1, int((width + height) / _HATCH)):
        end = x + i * _HATCH  # where the line meets the lower edge, if it goes as far
        right = min(end, x + width - 2)
        left = max(end - (high - low), x + 2)
        if right - left > 3:
            steps += [("M", (left, low + end - left)), ("L", (right, low + end - right))]
    steps = [(letter, (px, min(max(py, low), high))) for letter, (px, py) in steps]
    return Path("hatch", steps)


def _round_left(style: str, x: float, y: float, width: float, height: float, radius: float, below: bool) -> Path:
    """A rectangle with round corners at the left; the lower one only where wanted."""
    bend, end = radius * (1 - _CURVE), y + height
    steps: list[Step] = [
        ("M", (x + width, y)),
        ("L", (x + radius, y)),
        ("C", (x + bend, y, x, y + bend, x, y + radius)),
    ]
    if below:
        steps += [("L", (x, end - radius)), ("C", (x, end - bend, x + bend, end, x + radius, end))]
    else:
        steps.append(("L", (x, end)))
    return Path(style, [*steps, ("L", (x + width, end)), ("Z", ())])


def _round_top(style: str, x: float, y: float, width: float, height: float, radius: float) -> Path:
    """A rectangle with round corners at the top."""
    bend, right, end = radius * (1 - _CURVE), x + width, y + height
    return Path(
        style,
        [
            ("M", (x, end)),
            ("L", (x, y + radius)),
            ("C", (x, y + bend, x + bend, y, x + radius, y)),
            ("L", (right - radius, y)),
            ("C", (right - bend, y, right, y + bend, right, y + radius)),
            ("L", (right, end)),
            ("Z", ()),
        ],
    )


def _sign(sign: str, x: float, y: float) -> list[Box | Path | Text]:
    """A family's sign, its grid beginning at a point."""
    shapes: list[Box | Path | Text] = []
    for stroke in sign.split("|"):
        if stroke.startswith("o"):
            cx, cy, radius = (float(part) for part in stroke[1:].split(","))
            shapes.append(Box("sign", x + cx - radius, y + cy - radius, 2 * radius, 2 * radius, radius))
            continue
        points = [tuple(float(part) for part in point.split(",")) for point in stroke.split()]
        steps: list[Step] = [("L" if i else "M", (x + px, y + py)) for i, (px, py) in enumerate(points)]
        shapes.append(Path("sign", steps))
    return shapes
