"""`Picture`: what there is to draw of a model. One card per call, ports for its tensors, models as containers.

A picture says nothing of places or colours: a layout gives it places, a drawing gives it looks.
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


@dataclass(slots=True, eq=False)
class Item:
    """A card, a container or a port of a container.

    Attributes:
        index: number within the picture.
        role: ``layer``, ``operation``, ``input``, ``output``, ``group`` (a container), ``entry`` or ``exit`` (where a
            container's tensors come in and go out).
        kind: the class of the layer, the words of the operation.
        name: the name of the layer.
        family: which family it is of.
        config: what it was told, in a few words.
        activation: the name of its activation, where it has one beside what it does.
        params: number of its weights' values, 0 for a repeated call of a shared layer.
        trainable: whether training changes its weights; ``None`` without weights.
        inputs: the tensors that it reads, for words.
        outputs: the tensors that it returns, one per port.
        share: set where a layer with weights is called several times.
        parent: the container it is in; ``None`` at the top.
        level: what is in it, for a container.
        target: the layer, or the node of the operation.
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
    target: Any = None


@dataclass(slots=True)
class Edge:
    """A tensor on its way between two items of one level.

    Attributes:
        source: where it comes from.
        port: which of the source's outputs it is.
        target: where it goes.
        slot: at which entry of a container it arrives; 0 for cards.
        times: how often the target reads it.
        hidden: whether it only keeps an order and is not drawn.
    """

    source: Item
    port: int
    target: Item
    slot: int = 0
    times: int = 1
    hidden: bool = False


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
        top: the outermost level.
        note: a line on what cannot be seen.
    """

    name: str
    kind: str
    params: int
    top: Level
    note: str = ""

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
        return [item for item in self.walk() if item.role not in ("group", "entry", "exit")]
