"""`profile`: what each layer of a model costs, measured on a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.graph.structure import flatten, map_leaves
from ramify.visualize.build import picture_of
from ramify.visualize.exploration import Exploration
from ramify.visualize.explorer import explorer_page
from ramify.visualize.explorer.data import Metric
from ramify.visualize.facts import graph_of, kind_of, readable_size
from ramify.visualize.fold import folded
from ramify.visualize.measure import Call, Clock, GraphRun, HookRun, in_mode
from ramify.visualize.picture import Item, Picture
from ramify.visualize.table import Column, table

METRICS = (
    Metric("forward", "Time forward", "ms"),
    Metric("backward", "Time backward", "ms"),
    Metric("time", "Time forward and backward", "ms"),
    Metric("output", "Output memory of the batch", "bytes"),
    Metric("kept", "Memory kept for the way back", "bytes"),
)
_ORDERS = ("calls", "time", "forward", "backward", "output", "kept")
_BAR = 10


@dataclass(frozen=True)
class Cost:
    """What one call costs.

    Attributes:
        name: name of the layer, or of the operation.
        kind: class of the layer, or ``operation``.
        group: names of the models that it is in, joined by dots.
        forward: milliseconds forward, the median of all runs.
        backward: milliseconds backward, likewise; 0 where no gradient leads through it.
        output: bytes of its outputs.
        kept: bytes that it keeps for the way back and that no call before it kept; weights are not among them.
    """

    name: str
    kind: str
    group: str
    forward: float
    backward: float
    output: int
    kept: int

    @property
    def time(self) -> float:
        """Milliseconds forward and backward."""
        return self.forward + self.backward


class Profile:
    """The measured costs of a model's calls: a table in a terminal and in a notebook, colours in the explorer.

    Attributes:
        costs: one `Cost` per call, in the order of the calls.
        batch_size: number of samples.
        device: where it was measured.
        backward: whether the way back was measured, too.
    """

    def __init__(
        self, model: Any, calls: Sequence[Call], batch_size: int, device: torch.device, backward: bool
    ) -> None:
        self.model = model
        self.batch_size, self.device, self.backward = batch_size, device, backward
        self._calls = list(calls)
        self.costs = [_cost(call) for call in calls]

    def total(self, metric: str = "time") -> float:
        """The sum of a number over all calls: ``time``, ``forward``, ``backward``, ``output`` or ``kept``."""
        return float(sum(getattr(cost, _known(metric)) for cost in self.costs))

    def by_layer(self, metric: str = "time") -> dict[str, float]:
        """The sum for each layer or operation over its calls, under its path, the largest first."""
        sums: dict[str, float] = {}
        for cost in self.costs:
            path = f"{cost.group}.{cost.name}" if cost.group else cost.name
            sums[path] = sums.get(path, 0) + getattr(cost, _known(metric))
        return dict(sorted(sums.items(), key=lambda pair: -pair[1]))

    def text(self, by: str = "calls", most: int | None = None, line_length: int = 80) -> str:
        """The table.

        Args:
            by: what rows are sorted by: ``calls``, in the order of the calls, or a number, the largest first.
            most: how many rows to show.
            line_length: width in characters.
        """
        costs = self._sorted(by)[:most]
        columns = [
            Column("Layer (type)", hang=2),
            Column("Forward", right=True, firm=True),
            Column("Backward", right=True, firm=True),
            Column("Time", firm=True),
            Column("Output", right=True, firm=True),
            Column("Kept", right=True, firm=True),
        ]
        if not self.backward:
            del columns[5], columns[2]
        rows = [self._row(cost) for cost in costs]
        lines = [f"{self._head()}:", *table(columns, rows, line_length)]
        if len(costs) < len(self.costs):
            lines.append(f" {len(costs)} of {len(self.costs)} calls")
        return "\n".join([*lines, *(f" {line}" for line in self._totals())])

    def picture(self) -> tuple[Picture, dict[int, dict[str, float]]]:
        """The model's picture and the costs of its items: item number -> metric -> value; containers have sums."""
        picture = picture_of(self.model, expand_nested=True)
        made: dict[Any, list[Cost]] = {}
        for call, cost in zip(self._calls, self.costs, strict=True):
            made.setdefault(call.target, []).append(cost)
        in_order = {target: iter(costs) for target, costs in made.items()}
        own: dict[int, dict[str, float]] = {}
        for item in picture.walk():  # the calls of one layer come in the order in which they were measured
            measured = next(in_order.get(item.target, iter(())), None) if item.role in ("layer", "operation") else None
            if measured is not None:
                own[id(item)] = {metric.key: getattr(measured, metric.key) for metric in METRICS}
        folded(picture)
        return picture, {item.index: sums for item in picture.walk() if (sums := _summed(item, own))}

    def explore(self, path: str | Path | None = None) -> Exploration:
        """The model in the explorer, with the measured numbers to colour cards by.

        Args:
            path: the HTML file to write; none when not given.
        """
        picture, values = self.picture()
        metrics = METRICS if self.backward else METRICS[::3]
        exploration = Exploration(picture.name, explorer_page(picture, metrics, values))
        if path is not None:
            exploration.save(path)
        return exploration

    def _sorted(self, by: str) -> list[Cost]:
        if by not in _ORDERS:
            raise ArgumentError(f"by={by!r} is no order of a profile. Use one of {', '.join(_ORDERS)}.")
        return self.costs if by == "calls" else sorted(self.costs, key=lambda cost: -getattr(cost, by))

    def _row(self, cost: Cost) -> list[str]:
        name = f"{cost.group}.{cost.name}" if cost.group else cost.name
        share = cost.time / (self.total() or 1)
        bar = f"{'█' * round(share * _BAR):<{_BAR}} {share:4.0%}"
        cells = [f"{name} ({cost.kind})", _time(cost.forward), bar, _size(cost.output)]
        return [*cells[:2], _time(cost.backward), *cells[2:], _size(cost.kept)] if self.backward else cells

    def _head(self) -> str:
        samples = f"{self.batch_size} sample{'' if self.batch_size == 1 else 's'}"
        return f'Profile of "{self.model.name}", {samples}, {self.device}'

    def _totals(self) -> list[str]:
        lines = [f"Forward {_time(self.total('forward'))}"]
        if self.backward:
            lines[0] += f", backward {_time(self.total('backward'))}"
            lines.append(f"Kept for the way back: {readable_size(self.total('kept'))}")
        lines.append(f"All outputs: {readable_size(self.total('output'))}")
        return lines

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads = ["Layer", "Type", "Forward", *(["Backward"] if self.backward else []), "Time", "Output"]
        heads += ["Kept"] if self.backward else []
        total = self.total() or 1
        rows = []
        for cost in self.costs:
            name = escape(f"{cost.group}.{cost.name}" if cost.group else cost.name)
            cells = [
                _time(cost.forward),
                *([_time(cost.backward)] if self.backward else []),
                f"{cost.time / total:.0%}",
            ]
            cells += [_size(cost.output), *([_size(cost.kept)] if self.backward else [])]
            shade = f"background:rgba(240,140,58,{cost.time / total:.2f})"
            right = "".join(f'<td style="text-align:right">{cell}</td>' for cell in cells)
            rows.append(f'<tr><td style="text-align:left;{shade}">{name}</td><td>{escape(cost.kind)}</td>{right}</tr>')
        header = "".join(f"<th>{head}</th>" for head in heads)
        caption = f"{escape(self._head())}. {'. '.join(self._totals())}."
        return (
            f"<table><caption>{caption}</caption><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


def profile(model: Any, x: Any, backward: bool = True, training: bool | None = None, runs: int = 5) -> Profile:
    """Measure what each call of a model takes, forward and backward, and what it keeps in memory.

    Calls run one by one: on a GPU each is waited for, so their times do not overlap as they do in a real step. The way
    back starts from gradients of ones at every output. Weights, their gradients, moving averages and the state of
    random numbers are what they were before.

    Args:
        model: a model. Of one without a graph, the layers are measured, but no operations between them.
        x: a batch, nested as the model takes it: arrays or tensors.
        backward: whether to measure the way back.
        training: whether layers such as dropout act as in training; as `backward` says when not given.
        runs: how often to measure; each number is the median. One run before that is not counted.

    Returns:
        A `Profile`.

    Raises:
        ArgumentError: fewer than one run.

    Example:

    >>> import torch, ramify
    >>> x = ramify.Input(shape=(4,), name="x")
    >>> model = ramify.Model(x, ramify.layers.Dense(2, name="out")(x))
    >>> costs = profile(model, torch.zeros(3, 4)).costs
    >>> [(cost.name, cost.kind, cost.output) for cost in costs]
    [('out', 'Dense', 24)]
    """
    if runs < 1:
        raise ArgumentError(f"runs={runs} measures nothing. Measure at least once.")
    training = backward if training is None else training
    graph = graph_of(model)
    device = model.weights_device or torch.device("cpu")
    x = map_leaves(lambda leaf: torch.as_tensor(leaf, device=device), x)
    state = {buffer: buffer.clone() for buffer in (*model.buffers(), *model.parameters()) if not buffer.requires_grad}
    clock = Clock(device)
    run: Any = HookRun(model, clock, backward) if graph is None else GraphRun(model.lowered, model, clock, backward)
    fed = x if graph is None else model.fed(x)  # checked and cast just as for a call
    with torch.random.fork_rng(_cuda(device)), in_mode(training):
        for number in range(runs + 1):
            run.run(fed)
            if number == 0:
                for call in run.calls.values():
                    call.forward.clear()
                    call.backward.clear()
            with torch.no_grad():
                for buffer, value in state.items():
                    buffer.copy_(value)
    sizes = [leaf.shape[0] for leaf in flatten(x) if leaf.ndim]
    return Profile(model, list(run.calls.values()), sizes[0] if sizes else 1, device, backward)


def _cuda(device: torch.device) -> list[int]:
    return [device.index or 0] if device.type == "cuda" else []


def _cost(call: Call) -> Cost:
    kind = kind_of(call.target) if isinstance(call.target, torch.nn.Module) else "operation"
    return Cost(call.name, kind, call.group, call.forward_ms, call.backward_ms, call.output, call.kept)


def _known(metric: str) -> str:
    if metric not in _ORDERS[1:]:
        raise ArgumentError(f"{metric!r} is no number of a profile. Use one of {', '.join(_ORDERS[1:])}.")
    return metric


def _within(item: Item) -> list[Item]:
    """All that a container stands for, the other blocks of folds in it among them."""
    found: list[Item] = []
    stack = [item]
    while stack:
        one = stack.pop()
        for inner in one.level.items if one.level is not None else []:
            found += [inner, *inner.twins] if inner.level is None else []
            stack.append(inner)
    return found


def _summed(item: Item, own: dict[int, dict[str, float]]) -> dict[str, float]:
    if not item.is_container:
        return own.get(id(item), {})
    parts = [own[id(one)] for one in _within(item) if id(one) in own]
    return {metric.key: sum(part[metric.key] for part in parts) for metric in METRICS} if parts else {}


def _time(value: float) -> str:
    return f"{value:.2f} ms" if value >= 0.1 else f"{value * 1000:.0f} µs" if value else "-"


def _size(value: float) -> str:
    return readable_size(value).replace(".00", "") if value else "-"
