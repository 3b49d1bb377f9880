"""`outline`: a model in sentences, line by line, for those who listen to it or read it without a picture."""

from __future__ import annotations

from typing import Any

from ramify.visualize.build import picture_of
from ramify.visualize.picture import Item, Level, Picture
from ramify.visualize.words import shape_text

_ORDINALS = ("first", "second", "third")


def outline(model: Any) -> str:
    """A model as numbered lines: what each call is, what it reads, what it returns.

    Lines are in the order of the calls, and name what they read by number. What is in a nested model stands below it,
    numbered ``4.1``, ``4.2`` and so on. The text holds no drawing characters, so a screen reader reads it well.

    Args:
        model: a model that is built.

    Raises:
        NotBuiltError: a model that has no layers to show yet.

    Example:

    >>> import ramify
    >>> x = ramify.Input(shape=(4,), name="x")
    >>> h = ramify.layers.Dense(3, name="hidden")(x)
    >>> print(outline(ramify.Model(x, ramify.layers.Add()([h, h * 2]), name="tiny")))
    Functional model tiny: 4 calls, 15 parameters.
    1. Input x. Returns (None, 4) float32.
    2. Dense hidden: 3. Reads 1. Returns (None, 3) float32. 15 parameters, trainable.
    3. Operation × 2. Reads 2. Returns (None, 3) float32.
    4. Add add. Reads 2 and 3. Returns (None, 3) float32.
    5. Output. Reads 4.
    """
    picture = picture_of(model, expand_nested=True, costs=False)
    return "\n".join([_head(picture), *_Lines(picture).lines])


def _head(picture: Picture) -> str:
    calls = sum(item.role in ("layer", "operation", "failed") for item in picture.walk()) + sum(
        item.role == "input" for item in picture.walk()
    )
    head = f"{picture.kind} model {picture.name}: {calls:,} call{'' if calls == 1 else 's'}, "
    return head + f"{picture.params:,} parameters." + (f" {picture.note}" if picture.note else "")


class _Lines:
    def __init__(self, picture: Picture) -> None:
        self.numbers: dict[int, str] = {}
        self.lines: list[str] = []
        stack: list[tuple[Level, str, list[Item]]] = [(picture.top, "", list(picture.top.items))]
        for _, level in picture.levels:
            for number, item in enumerate((i for i in level.items if i.role not in ("entry", "exit")), 1):
                self.numbers[item.index] = f"{self._prefix(item)}{number}"
        while stack:
            level, prefix, items = stack.pop()
            while items:
                item = items.pop(0)
                if item.role in ("entry", "exit"):
                    continue
                self.lines.append(f"{'  ' * prefix.count('.')}{self._line(item, level)}")
                if item.level is not None:
                    stack.append((level, prefix, items))
                    level, prefix, items = item.level, f"{self.numbers[item.index]}.", list(item.level.items)

    def _prefix(self, item: Item) -> str:
        return "" if item.parent is None else f"{self.numbers[item.parent.index]}."

    def _line(self, item: Item, level: Level) -> str:
        parts = [f"{self.numbers[item.index]}. {_word(item)}."]
        if item.share is not None:
            number = item.share.number
            ordinal = _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"
            parts.append(f"The {ordinal} of {item.share.total} calls of a shared layer.")
        reads = self._reads(item, level)
        if reads:
            parts.append(f"Reads {reads}.")
        returned = [f"{shape_text(one.shape)} {one.dtype}" for one in item.outputs if one.shape is not None]
        if returned and item.role != "output":
            parts.append(f"Returns {_joined(returned)}.")
        if item.trainable is not None and item.params:
            parts.append(f"{item.params:,} parameters, {'trainable' if item.trainable else 'frozen'}.")
        if item.level is not None:
            inside = sum(one.role not in ("entry", "exit") for one in item.level.items)
            parts.append(f"It holds {inside} call{'' if inside == 1 else 's'}:")
        if item.error:
            parts.append(f"Failed: {item.error}")
        return " ".join(parts)

    def _reads(self, item: Item, level: Level) -> str:
        words = []
        for edge in level.edges:
            if edge.target is not item or edge.hidden:
                continue
            if edge.source.role == "entry":
                entries = edge.source.parent.level.entries if edge.source.parent and edge.source.parent.level else []
                which = next(i for i, one in enumerate(entries, 1) if one is edge.source)
                word = f"input {which} of {self._prefix(edge.source).rstrip('.')}" if len(entries) > 1 else "its input"
            else:
                word = self.numbers[edge.source.index]
                word += f", result {edge.port + 1}" if len(edge.source.outputs) > 1 else ""
            words.append(word + (f" {edge.times} times" if edge.times > 1 else ""))
        return _joined(words)


def _word(item: Item) -> str:
    if item.role == "operation":
        return f"Operation {item.kind}"
    name = f"{item.kind} {item.name}".strip()
    if item.role == "group":
        name = f"{item.kind} model {item.name}"
    return f"{name}: {item.config}" if item.config and item.role == "layer" else name


def _joined(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
