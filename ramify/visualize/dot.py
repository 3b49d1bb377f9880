"""`model_to_dot`: a picture for Graphviz, by the optional package pydot."""

from __future__ import annotations

from typing import Any

from ramify.errors import RamifyError
from ramify.visualize.build import picture_of
from ramify.visualize.cards import Look, face_of, label_of
from ramify.visualize.picture import Item, Level


class DotError(RamifyError, ImportError):
    """Graphviz's language, without the package that writes it."""


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> Any:
    """A model as a `pydot.Dot`, for who lays graphs out with Graphviz; `plot_model` needs neither.

    Args:
        model: the model.
        show_shapes: whether outputs show their shapes.
        show_dtype: whether they show their dtypes.
        show_layer_names: whether nodes show the names of the layers.
        rankdir: where edges lead to: ``"TB"`` or ``"LR"``.
        expand_nested: whether models in the model become clusters.
        dpi: pixels per inch, which Graphviz takes note of.
        subgraph: whether to return a `pydot.Cluster`.
        show_layer_activations: whether nodes show activations.
        show_trainable: whether nodes with weights say if training changes them.
        **kwargs: accepted for Keras's sake.

    Raises:
        DotError: pydot is not installed.
    """
    del kwargs
    try:
        import pydot
    except ImportError:
        raise DotError(
            "`model_to_dot` needs the package pydot, which is not installed. Run `pip install pydot`, "
            "or draw with `plot_model`, which needs neither pydot nor Graphviz."
        ) from None
    picture = picture_of(model, expand_nested, costs=False)
    look = Look(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    name = _quoted(f"cluster_{picture.name}")
    graph = pydot.Cluster(name, label=_quoted(picture.name)) if subgraph else pydot.Dot(graph_type="digraph")
    if not subgraph:
        graph.set("rankdir", rankdir)
        graph.set("dpi", str(dpi))
        graph.set_node_defaults(shape="box", style="rounded", fontname="Helvetica")
    levels: list[tuple[Level, Any]] = [(picture.top, graph)]
    for level, into in levels:  # grows while it is read
        for item in level.items:
            if item.level is not None:
                cluster = pydot.Cluster(f"item_{item.index}", label=_quoted(item.name), style="dashed")
                levels.append((item.level, cluster))
                into.add_subgraph(cluster)
            else:
                into.add_node(_node(pydot, item, look))
        for edge in level.edges:
            source = edge.source if edge.source.level is None else edge.source.level.exits[edge.port]
            target = edge.target if edge.target.level is None else edge.target.level.entries[edge.slot]
            options: dict[str, Any] = {"style": "invis"} if edge.hidden else {}
            graph.add_edge(pydot.Edge(_key(source), _key(target), **options))
    return graph


def _node(pydot: Any, item: Item, look: Look) -> Any:
    if item.role in ("entry", "exit"):
        return pydot.Node(_key(item), shape="point", label=_quoted(""))
    face = face_of(item, look)
    lines = [face.kind, *face.lines, face.right, face.state]
    lines += [label_of(tensor, look) for tensor in item.outputs]
    return pydot.Node(_key(item), label=_quoted("\\n".join(_escaped(line) for line in lines if line)))


def _key(item: Item) -> str:
    return f"item{item.index}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{text}"'
