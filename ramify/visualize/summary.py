"""`summary`: a model as a table of its layers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ramify.errors import ArgumentError
from ramify.lazy import lazy
from ramify.visualize.facts import count, graph_of, readable_number, readable_size, shown_calls, size_in_bytes
from ramify.visualize.rows import Row, rows_of
from ramify.visualize.table import Column, html_table, table

if TYPE_CHECKING:
    from rich.color import ColorSystem

_WIDEST = 120
_color, _console = lazy("rich.color"), lazy("rich.console")


def summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    batch_size: int | None = None,
) -> None:
    """Print a model's layers, their output shapes, parameters and connections, and the totals.

    A terminal gets colours, a pipe plain text, a notebook a table.

    A layer stands in one row and counts once, however often it is called. In *Connected to*, ``dense #2`` is the second
    call of a shared layer and ``lstm[1]`` the second result of one that returns several.

    Args:
        model: any model.
        line_length: width in characters; that of the terminal when not given, 80 where there is none.
        positions: where each column ends, as fractions of the width or in characters.
        print_fn: called once with the whole text, instead of printing.
        expand_nested: whether models in the model show their layers.
        show_trainable: whether to say which layers training changes.
        layer_range: names, or patterns of names, of the first and the last layer to show.
        batch_size: with it, floating-point operations and the memory of the outputs are shown, too, for such a batch.
            Of products only, a multiplication and its addition are two operations; see `ramify.visualize.costs`.

    Raises:
        ArgumentError: `layer_range` names no layers of the model, or `batch_size` is no number of samples.

    Example:

    >>> import ramify
    >>> x = ramify.Input(shape=(4,), name="x")
    >>> summary(ramify.Model(x, ramify.layers.Dense(2)(x), name="tiny"), line_length=60)
    Model: "tiny"
    ───────────────────────────────────────
     Layer (type)    Output shape  Param #
    ───────────────────────────────────────
     x (InputLayer)  (None, 4)           0
     dense (Dense)   (None, 2)          10
    ───────────────────────────────────────
     Total params: 10 (40.00 B)
     Trainable params: 10 (40.00 B)
     Non-trainable params: 0 (0.00 B)
    """
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ArgumentError(f"batch_size={batch_size!r} is no number of samples. Give a whole number from 1 on.")
    rows = rows_of(model, expand_nested, layer_range, batch_size)
    sheet = _Sheet(model, rows, show_trainable, batch_size)
    if print_fn is not None:
        print_fn(sheet.text(line_length or 80, positions))
        return
    if line_length is None and positions is None and show_in_notebook(sheet):
        return
    console = _console.Console(file=sys.stdout)
    colors = _color.ColorSystem.TRUECOLOR if console.is_terminal and not console.legacy_windows else None
    if console.no_color or console.color_system is None:
        colors = None
    width = line_length or (min(shutil.get_terminal_size().columns, _WIDEST) if console.is_terminal else 80)
    text = sheet.text(width, positions, colors)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if not _can_write("─└×", encoding):
        text = text.replace("─", "-").replace("└", "|").encode(encoding, "replace").decode(encoding)
    sys.stdout.write(text + "\n")


def show_in_notebook(shown: Any) -> bool:
    """Show an object where a notebook's kernel runs this code; returns whether it did."""
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return False
    from IPython import get_ipython
    from IPython.display import display

    if not hasattr(get_ipython(), "kernel"):
        return False
    display(shown)
    return True


def _can_write(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class _Sheet:
    """A summary: text for terminals and pipes, HTML for notebooks."""

    def __init__(self, model: Any, rows: Sequence[Row], show_trainable: bool, batch_size: int | None) -> None:
        self.model, self.rows = model, rows
        linear = _is_linear(model, rows)
        longest = max((len(row.kind) + 2 * row.depth for row in rows), default=0)
        self.columns = [
            Column("Layer (type)", hang=2, least=min(max(longest + 4, 12), 26)),
            Column("Output shape", style="cyan"),
            Column("Param #", right=True, style="green", firm=True),
        ]
        if batch_size is not None:
            self.columns += [Column("FLOPs", right=True, firm=True), Column("Memory", right=True, firm=True)]
        if not linear:
            self.columns.append(Column("Connected to", style="dim"))
        if show_trainable:
            self.columns.append(Column("Trainable", firm=True))
        self.cells = [_cells(row, linear, show_trainable, batch_size is not None) for row in rows]
        self.totals = _totals(model)
        if batch_size is not None:
            top = [row for row in rows if row.depth == 0]
            flops, memory = (sum(getattr(row, fact) or 0 for row in top) for fact in ("flops", "memory"))
            samples = f"{batch_size} sample{'' if batch_size == 1 else 's'}"
            self.totals.append(f" For {samples}: {readable_number(flops)}FLOPs, {readable_size(memory)} of outputs")
            if any(row.flops is None and row.calls and row.kind != "InputLayer" for row in top):
                self.totals.append(" ? depends on sizes that are not known")
        unbuilt = sum(not row.built for row in rows)
        if unbuilt or (not getattr(model, "built", True) and not rows):
            what = f"{unbuilt} of {len(rows)} layers have neither weights nor shapes." if rows else "it has no layers."
            self.totals += [f" Not built yet: {what}", " Call the model on data, or `model.build(input_shape)`."]

    def text(self, width: int, positions: Sequence[float] | None = None, colors: ColorSystem | None = None) -> str:
        """The summary in lines of at most `width` characters."""
        widths = _widths(positions, len(self.columns), width)
        lines = table(self.columns, self.cells, width, widths, colors)
        return "\n".join([f'Model: "{self.model.name}"', *lines, *self.totals])

    def __repr__(self) -> str:
        return self.text(80)

    def _repr_html_(self) -> str:
        return html_table(self.columns, self.cells, f'Model: "{self.model.name}"', self.totals)


def _cells(row: Row, linear: bool, show_trainable: bool, costs: bool) -> list[str]:
    indent = "  " * (row.depth - 1) + "└ " if row.depth else ""
    name = f"{indent}{row.name} ({row.kind})"
    if row.calls > 1:
        name += f"\n{' ' * len(indent)}  shared, {row.calls} calls"
    cells = [name, "\n".join(row.shapes), f"{row.params:,}" if row.built else "unbuilt"]
    if costs:
        quiet = row.kind == "InputLayer" or row.flops == 0
        cells.append("-" if quiet else "?" if row.flops is None else readable_number(row.flops).strip())
        unknown = "-" if row.kind == "InputLayer" else "?"
        cells.append(unknown if row.memory is None else readable_size(row.memory).replace(".00", ""))
    if not linear:
        cells.append(", ".join(row.sources) or "-")
    return [*cells, row.trainable] if show_trainable else cells


def _is_linear(model: Any, rows: Sequence[Row]) -> bool:
    """Whether every call reads just what the call before it returned, so that connections need no column."""
    graph = graph_of(model)
    if graph is None or any(row.calls > 1 for row in rows):
        return graph is None
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    last: Any = graph.inputs[0]
    for node, values in shown_calls(graph).items():
        if values != [last] or len(node.output_values) != 1:
            return False
        last = node.output_values[0]
    return last is graph.outputs[0]


def _widths(positions: Sequence[float] | None, columns: int, width: int) -> list[int] | None:
    """Widths of the columns from where they end; the last ones share what is left where fewer ends are given."""
    if not positions:
        return None
    ends = [int(end * width) if max(positions) <= 1 else int(end) for end in positions][:columns]
    ends += [width] * (columns - len(ends))
    starts = [0, *ends[:-1]]
    return [max(end - start - 2, 4) for start, end in zip(starts, ends, strict=True)]


def _totals(model: Any) -> list[str]:
    weights = list({id(weight): weight for weight in model.weights}.values())
    trained = {id(weight) for weight in model.trainable_weights}
    parts = {
        "Total": weights,
        "Trainable": [weight for weight in weights if id(weight) in trained],
        "Non-trainable": [weight for weight in weights if id(weight) not in trained],
    }
    lines = [f" {word} params: {count(of):,} ({readable_size(size_in_bytes(of))})" for word, of in parts.items()]
    state = _optimizer_state(model)
    if state:
        numbers = count(weights) + count(state)
        memory = size_in_bytes(weights) + size_in_bytes(state)
        lines[0] = f" Total params: {numbers:,} ({readable_size(memory)})"
        lines.append(f" Optimizer params: {count(state):,} ({readable_size(size_in_bytes(state))})")
    return lines


def _optimizer_state(model: Any) -> list[Any]:
    """What a compiled model's optimizer keeps beside the weights, once it has made it."""
    optimizer = getattr(model, "optimizer", None)
    return list(getattr(optimizer, "variables", ())) if getattr(optimizer, "built", False) else []
