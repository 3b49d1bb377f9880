"""`Picture`: what there is to draw of a model. One card per call, ports for its tensors, models as containers.

A picture says nothing of places or colours: a layout gives it places, a drawing gives it looks. `picture.plain()` is
all of it as JSON-able data; `ramify.visualize.scene` adds places to that.

- An *item* is a card (roles ``layer``, ``operation``, ``input``, ``output``, ``cut``, ``failed``), a container
  (``group`` for a model in the model, ``fold`` for repeated blocks) or a port of a container (``entry``, ``exit``).
- A *level* is what is in the picture or in one container: its items and the edges between them. An edge never leaves
  its level. A tensor that goes into a container arrives at a slot, the index into ``level.entries`` of that container,
  and goes on inside from that entry; one that comes out leaves at a port, the index into ``level.exits``. So a tensor
  that skips over a container or a fold is an edge of the level around it.
- A *fold* stands for several blocks in a row that are built alike. Its level is the first of them; what is in it knows
  its *twins*, the same call in each of the other blocks.
- A layer that is called several times has a card for each call. They share a letter; its weights count at the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ramify.visualize.families import Family


@dataclass(slots=True)
class Tensor:
    """What leaves a card at one of its ports.

    Attributes:
        shape: sizes, ``None`` where unknown; ``None`` for what is no tensor (a size).
        dtype: name of the dtype, empty for what is no tensor.
        name: a word for the port where it has one.
    """

    shape: tuple[int | None, ...] | None
    dtype: str
    name: str = ""

    def plain(self) -> list[Any]:
        """Shape and dtype as JSON-able data."""
        return [None if self.shape is None else list(self.shape), self.dtype]


@dataclass(slots=True)
class Share:
    """That a card is one of several calls of the same layer.

    Attributes:
        letter: tells one shared layer from another.
        number: which of the calls it is, from 1.
        total: how many there are.
    """

    letter: str
    number: int
    total: int


@dataclass(slots=True)
class Repeat:
    """How often what is in a fold is there.

    Attributes:
        count: the number of blocks.
        alike: whether all shapes are equal, too, and not only what the layers were told.
    """

    count: int
    alike: bool = True


@dataclass(slots=True, eq=False)
class Item:
    """A card, a container or a port of a container.

    Attributes:
        index: number within the picture.
        role: ``layer``, ``operation``, ``input``, ``output``, ``group`` (a container), ``fold`` (a container of the
            first of several blocks that are alike), ``entry`` or ``exit`` (where a container's tensors come in and go
            out), ``cut`` (a tensor that comes from what is not shown) or ``failed`` (the call that raised an error).
        path: names from the outermost container to the item, joined by ``/``: unique in the picture, and equal for
            equal models.
        kind: the class of the layer, the words of the operation.
        name: the name of the layer.
        family: which family it is of.
        config: what it was told, in a few words.
        activation: the name of its activation, where it has one beside what it does.
        params: number of its weights' values, 0 for a repeated call of a shared layer.
        trainable: whether training changes its weights; ``None`` without weights.
        flops: floating-point operations of the call for one sample, as `torch.utils.flop_counter` counts them (two for
            a multiplication with an addition, none for what is no product); ``None`` where they were not counted or
            depend on sizes that are unknown. Of all that is in it, for a container.
        memory: bytes of its outputs for one sample; ``None`` where they depend on sizes that are unknown. For a
            container, the bytes of the outputs of all that is in it.
        inputs: the tensors that it reads, for words.
        outputs: the tensors that it returns, one per port.
        share: set where a layer with weights is called several times.
        parent: the container it is in; ``None`` at the top.
        level: what is in it, for a container.
        repeat: set for a fold.
        twins: within a fold, the items of the other blocks that this one stands for, too.
        target: the layer, or the node of the operation.
        error: for the call that failed, the first line of the error.
    """

    index: int
    role: str
    kind: str
    name: str
    family: Family
    config: str = ""
    activation: str = ""
    params: int = 0
    trainable: bool | None = None
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    share: Share | None = None
    parent: Item | None = None
    level: Level | None = None
    path: str = ""
    flops: int | None = None
    memory: int | None = None
    repeat: Repeat | None = None
    twins: list[Item] = field(default_factory=list)
    target: Any = None
    error: str = ""

    @property
    def is_container(self) -> bool:
        """Whether there is something in it."""
        return self.level is not None

    def plain(self) -> dict[str, Any]:
        """The item as JSON-able data; what is not set is left out."""
        out: dict[str, Any] = {"id": self.index, "role": self.role, "kind": self.kind, "name": self.name}
        out |= {"path": self.path, "family": self.family.key}
        words = ("config", "activation", "params", "error")
        out |= {word: value for word in words if (value := getattr(self, word))}
        facts = ("trainable", "flops", "memory")
        out |= {word: value for word in facts if (value := getattr(self, word)) is not None}
        for word, tensors in (("inputs", self.inputs), ("outputs", self.outputs)):
            if tensors:
                out[word] = [tensor.plain() for tensor in tensors]
        if self.parent is not None:
            out["parent"] = self.parent.index
        if self.share is not None:
            out["share"] = [self.share.letter, self.share.number, self.share.total]
        if self.repeat is not None:
            out["repeat"] = {"count": self.repeat.count, "alike": self.repeat.alike}
        if self.twins:
            out["twins"] = [twin.name for twin in self.twins]
        if self.level is not None:
            level = self.level
            out["items"] = [item.index for item in level.items]
            out["entries"] = [item.index for item in level.entries]
            out["exits"] = [item.index for item in level.exits]
        return out


@dataclass(slots=True)
class Edge:
    """A tensor on its way between two items of one level.

    Attributes:
        source: where it comes from.
        port: which of the source's outputs it is.
        target: where it goes.
        slot: at which entry of a container it arrives; 0 for cards.
        times: how often the target reads it, for cards.
        hidden: whether it only keeps an order and is not drawn.
    """

    source: Item
    port: int
    target: Item
    slot: int = 0
    times: int = 1
    hidden: bool = False

    def plain(self) -> list[Any]:
        """``[source, port, target, slot, times]``, and a true value behind that for an edge that is not drawn."""
        return [self.source.index, self.port, self.target.index, self.slot, self.times, *([1] if self.hidden else [])]


@dataclass(slots=True)
class Level:
    """What is in the picture, or in one container.

    Attributes:
        items: cards and containers, in the order of the calls; ports of the container first and last.
        edges: the tensors between them.
        entries: the container's ports where tensors come in, in order.
        exits: those where they go out.
    """

    items: list[Item] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    entries: list[Item] = field(default_factory=list)
    exits: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Picture:
    """A model, ready to be laid out and drawn.

    Attributes:
        name: the model's name.
        kind: its class.
        params: number of values of all its weights, each counted once.
        flops: floating-point operations for one sample; ``None`` where not counted, or where sizes are unknown.
        memory: bytes of the outputs of all calls for one sample; likewise.
        top: the outermost level.
        note: a line on what cannot be seen.
    """

    name: str
    kind: str
    params: int
    top: Level
    note: str = ""
    flops: int | None = None
    memory: int | None = None

    def walk(self) -> Iterator[Item]:
        """Every item, containers before what is in them."""
        stack = list(reversed(self.top.items))
        while stack:
            item = stack.pop()
            yield item
            if item.level is not None:
                stack.extend(reversed(item.level.items))

    @property
    def cards(self) -> list[Item]:
        """The items that stand for calls, inputs and outputs."""
        return [item for item in self.walk() if item.role not in ("group", "fold", "entry", "exit")]

    @property
    def levels(self) -> list[tuple[Item | None, Level]]:
        """Every level and the container that it is in, outer ones first."""
        inner = [(item, item.level) for item in self.walk() if item.level is not None]
        return [(None, self.top), *inner]

    def plain(self) -> dict[str, Any]:
        """The picture as JSON-able data.

        ``items`` and ``edges`` are flat; `items[i]["id"] == i` need not hold where repeated blocks were folded. An item
        has ``parent`` where it is in a container, and a container has ``items``, ``entries`` and ``exits``.

        Example:

        >>> import ramify
        >>> from ramify.visualize.build import picture_of
        >>> x = ramify.Input(shape=(4,), name="x")
        >>> plain = picture_of(ramify.Model(x, ramify.layers.Dense(2)(x), name="tiny")).plain()
        >>> [item["path"] for item in plain["items"]], plain["edges"]
        (['x', 'dense', 'output'], [[0, 0, 1, 0, 1], [1, 0, 2, 0, 1]])
        """
        edges = [edge for _, level in self.levels for edge in level.edges]
        facts = {"params": self.params, "flops": self.flops, "memory": self.memory, "note": self.note}
        return {
            "name": self.name,
            "kind": self.kind,
            **facts,
            "top": [item.index for item in self.top.items],
            "items": [item.plain() for item in self.walk()],
            "edges": [edge.plain() for edge in edges],
        }
