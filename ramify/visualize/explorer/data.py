"""What the explorer's page is told of a model: cards with their words, levels with their places."""

from __future__ import annotations

import inspect
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ramify.visualize.cards import Look, face_of
from ramify.visualize.facts import readable_number
from ramify.visualize.families import FAMILIES
from ramify.visualize.picture import Item, Picture
from ramify.visualize.scene import scene_of
from ramify.visualize.text import text_width
from ramify.visualize.words import short_shape

LOOK = Look(shapes=True, names=True, activations=True)
_LONGEST = 80  # characters of an argument's value
_PROBE = "BatchNormalization"  # how wide this is in the browser tells how much its font must shrink
_SILENT = ("name", "dtype", "trainable")


class Metric(NamedTuple):
    """A number that cards have and can be coloured by.

    Attributes:
        key: short name, for queries (``flops>1e9``).
        label: what readers are told.
        unit: ``count``, ``bytes`` or ``ms``.
    """

    key: str
    label: str
    unit: str


FACTS = (
    Metric("params", "Parameters", "count"),
    Metric("flops", "FLOPs per sample", "count"),
    Metric("memory", "Output memory per sample", "bytes"),
)


def explorer_data(
    picture: Picture,
    metrics: Sequence[Metric] = (),
    values: Mapping[int, Mapping[str, float]] | None = None,
    marks: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Everything that the page draws, as JSON-able data.

    Args:
        picture: what to show, with its containers.
        metrics: numbers beside parameters, FLOPs and memory.
        values: item number -> metric -> value.
        marks: item number -> ``added``, ``removed`` or ``changed``.
    """
    scene = scene_of(picture, LOOK)
    items = list(picture.walk())
    number = {item.index: i for i, item in enumerate(items)}
    labels = {(entry[0], entry[1]): entry for level in scene["levels"] for entry in level["labels"]}
    owners = {level["owner"]: i for i, level in enumerate(scene["levels"])}
    levels = [_level(level, scene["picture"]["edges"], number) for level in scene["levels"]]
    places = {int(key): place for level in scene["levels"] for key, place in level["places"].items()}
    cards = [_card(item, places[item.index], labels, (values or {}).get(item.index, {})) for item in items]
    for item, card in zip(items, cards, strict=True):
        if marks and item.index in marks:
            card["diff"] = marks[item.index]
        if item.index in owners:
            card["l"] = owners[item.index]
    used = [metric for metric in (*FACTS, *metrics) if any(card.get("v", {}).get(metric.key) for card in cards)]
    families = {card["f"] for card in cards}
    return {
        "name": picture.name,
        "probe": text_width(_PROBE, 100, bold=True),
        "told": _told(picture, items),
        "metrics": [metric._asdict() for metric in used],
        "signs": {key: _sign(family.sign) for key, family in FAMILIES.items() if key in families},
        "levels": levels,
        "items": cards,
    }


def as_json(data: Any) -> str:
    """JSON that may stand in a script element of a page.

    >>> "<" in as_json({"name": "</script>"})
    False
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in ("<", "&", "\u2028", "\u2029"):
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _told(picture: Picture, items: Sequence[Item]) -> str:
    layers = len({id(one.target) for item in items if item.role == "layer" for one in (item, *item.twins)})
    words = [f"{layers:,} layer{'' if layers == 1 else 's'}", f"{picture.params:,} parameters"]
    if picture.flops:
        words.append(f"{readable_number(picture.flops)}FLOPs a sample")
    return " · ".join([*words, picture.note] if picture.note else words)


# ---- cards ----


def _card(
    item: Item, place: Sequence[float], labels: Mapping[Any, Any], measured: Mapping[str, float]
) -> dict[str, Any]:
    face = face_of(item, LOOK)
    card: dict[str, Any] = {"role": item.role, "t": item.kind, "f": item.family.key, "w": place[2], "h": place[3]}
    card["label"] = 18 if any((item.index, port) in labels for port in range(len(item.outputs))) else 0
    if item.role in ("entry", "exit"):
        return card | {"n": item.name}
    card |= {"n": item.name, "head": face.kind, "lines": list(face.lines), "told": face.right, "c": item.config}
    if item.is_container:
        head = text_width(face.kind, 13, bold=True)
        rest = sum(
            text_width(word, 11) + 12 for word in (*face.lines[:1], face.right, *["A 1/2 ×12"] * bool(face.badge))
        )
        card |= {"hw": round(head), "fw": round(head + rest + 60)}  # the title, and all that stands above an open frame
    shapes = [short_shape(tensor.shape) for tensor in item.outputs if tensor.shape is not None]
    if shapes:
        card |= {"s": shapes, "dt": ", ".join(dict.fromkeys(tensor.dtype for tensor in item.outputs if tensor.dtype))}
    if item.trainable is not None:
        card["tr"] = int(item.trainable)
    if item.share is not None:
        card["sh"] = [item.share.letter, item.share.number, item.share.total]
    if item.repeat is not None:
        card["times"] = item.repeat.count
    if item.twins:
        card["tw"] = [twin.name for twin in item.twins]
    if item.error:
        card["note"] = item.error
    facts = {"params": item.params or None, "flops": item.flops, "memory": item.memory, **measured}
    known = {key: value for key, value in facts.items() if value is not None}
    if known:
        card["v"] = known
    given = arguments(item.target)
    return card | {"args": given} if given else card


def arguments(layer: Any) -> dict[str, str]:
    """The arguments of a layer that are not what its class takes them for, in words."""
    if not hasattr(layer, "get_config") or hasattr(layer, "has_graph"):
        return {}
    try:
        config = layer.get_config()
        defaults = inspect.signature(type(layer).__init__).parameters
    except Exception:  # noqa: BLE001 - a user's own get_config may raise anything, and a picture is no place to fail
        return {}
    given = {}
    for name, value in config.items():
        default = defaults[name].default if name in defaults else inspect.Parameter.empty
        if name in _SILENT or name not in defaults or _same(value, default):
            continue
        given[name] = _word(value)
    return given


def _same(value: Any, default: Any) -> bool:
    return value in (None, "linear", "channels_last") or _plain(value) == _plain(default)


def _plain(value: Any) -> str:
    """A value as it would have been written: one number for a tuple of equal ones, names without their fashion."""
    if isinstance(value, (list, tuple)) and value and all(one == value[0] for one in value):
        value = value[0]
    return _word(value).replace("_", "").lower()


def _word(value: Any) -> str:
    if isinstance(value, Mapping):  # a serialized object
        value = value.get("class_name") or value.get("config") or "…"
    if isinstance(value, (list, tuple)):
        value = f"({', '.join(_word(one) for one in value)})"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _sign(sign: str) -> str:
    """A family's strokes as path data."""
    parts = []
    for stroke in sign.split("|"):
        if stroke.startswith("o"):
            x, y, radius = (float(part) for part in stroke[1:].split(","))
            arc = f"a{radius:g} {radius:g} 0 1 0"
            parts.append(f"M{x - radius:g} {y:g}{arc} {2 * radius:g} 0{arc} {-2 * radius:g} 0")
        else:
            parts.append("M" + "L".join(point.replace(",", " ") for point in stroke.split()))
    return "".join(parts)


# ---- levels ----


def _level(level: Mapping[str, Any], edges: Sequence[Sequence[Any]], number: Mapping[int, int]) -> dict[str, Any]:
    """A level, its items numbered from 0; see `layout.js`, which reads it."""
    ids = [int(key) for key in level["places"]]
    places = [level["places"][key] for key in level["places"]]
    at = {index: i for i, index in enumerate(ids)}
    middles = [_tenth(x + width / 2) for x, _, width, *_ in places]
    tops = [row[0] for row in level["rows"]]
    ways = []
    for way in level["ways"]:
        source, port, target, slot, times, *hidden = edges[way["edge"]]
        points = way["points"]
        s, t = at[source], at[target]
        bends: list[float] = []
        for k in range(4, len(points) - 4, 4):
            bends += [max(bisect_right(tops, points[k + 1] + 0.05) - 1, 0), points[k]]
        begin, end = _tenth(points[0] - middles[s]), _tenth(points[-2] - middles[t])
        ways.append([s, begin, port, t, end, slot, 0 if hidden else times, *bends])
    return {
        "o": -1 if level["owner"] is None else number[level["owner"]],
        "i": [number[index] for index in ids],
        "x": middles,
        "r": [place[4] for place in places],
        "y": tops,
        "d": [row[1] for row in level["rows"]],
        "e": ways,
    }


def _tenth(value: float) -> float:
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
