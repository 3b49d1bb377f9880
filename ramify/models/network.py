"""`Network`: a layer whose computation is a graph of other layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import torch

from ramify import registry
from ramify.errors import ArgumentError, DisconnectedError, GraphError, InputError, ShapeError
from ramify.graph import Graph, SymbolicTensor, SymbolicValue, lower
from ramify.graph.structure import flatten, is_namedtuple, map_leaves
from ramify.layers import calling
from ramify.layers.hooks import hooked
from ramify.layers.layer import Layer
from ramify.layers.state import state
from ramify.models.inside import opened
from ramify.models.names import output_names, settle_names
from ramify.models.replay import run_graph
from ramify.passes.planned import Planned

_Tensor = torch.Tensor


class Network(Planned):
    """What functional, sequential and subclassed models have in common: layers, and often a graph of them.

    With a graph, calling the network runs straight-line code compiled from it; see `code`.
    """

    masks_itself = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__.update(_graph=None, _lowered=None, _plans=None)

    # ---- the graph ----

    def set_graph(self, inputs: Any, outputs: Any) -> None:
        """Become the function from `inputs` to `outputs`, nested symbolic tensors.

        Raises:
            GraphError: an output that the inputs do not reach, and whatever else `Graph` refuses.
            DuplicateNameError: two layers that were given the same name.
        """
        inputs, outputs = _unpacked(inputs), _unpacked(outputs)
        try:
            graph = Graph(inputs, outputs)
        except DisconnectedError:
            reached = opened(inputs, outputs)  # through nested models that an output lies in
            if reached is None:
                raise
            graph = Graph(inputs, reached)
        settle_names(graph.layers)
        _ = graph.input_names  # inputs of the same name are refused here, not when data arrives
        entries = {tensor.node.target for tensor in graph.inputs if tensor.node.is_input}
        self._modules.update({name: layer for layer, name in graph.module_names.items() if layer not in entries})
        own = self.__dict__
        own.update(_graph=graph, _lowered=None, _plans=None, autocast=False, supports_masking=True, built=True)
        own["_checks"] = [_check_of(tensor) for tensor in graph.inputs]
        # Losses are collected per call; a graph of plain layers has none to collect and need not keep count.
        own["_keeps_count"] = any(_may_add_loss(layer) for layer in graph.layers)
        own.pop("_init_args", None)
        self.finish_call()

    @property
    def graph(self) -> Graph:
        """The graph of the network.

        Raises:
            GraphError: the network has none: it was subclassed, or has not seen an input yet.
        """
        graph: Graph | None = self.__dict__.get("_graph")
        if graph is None:
            raise GraphError(
                f"{self.describe()} has no graph: only functional models and built sequential ones do. "
                "Make it with `Model(inputs, outputs)`, or build the `Sequential` with an `Input`."
            )
        return graph

    @property
    def has_graph(self) -> bool:
        """Whether the network is a graph, rather than Python code of its own."""
        return self.__dict__.get("_graph") is not None

    @property
    def inlined_graph(self) -> Graph | None:
        """The graph that stands for this network inside another one; none where its call does more than run it."""
        hooked = self._forward_hooks or self._forward_pre_hooks or self._backward_hooks
        plain = getattr(type(self).call, "runs_graph", False)
        return self.__dict__.get("_graph") if plain and not hooked else None

    @property
    def lowered(self) -> torch.fx.GraphModule:
        """The graph compiled to a `torch.fx.GraphModule` that shares this network's layers.

        Its forward takes the inputs one by one, in the order of `inputs`.
        """
        return (self.__dict__["_lowered"] or self._compiled())[0]

    def _compiled(self) -> tuple[torch.fx.GraphModule, Callable[..., Any]]:
        module = lower(self.graph, type(self).__name__, self.weights_device)
        self.__dict__["_lowered"] = (module, module.forward)
        return module, module.forward

    @property
    def code(self) -> str:
        """The Python code that a call runs."""
        return self.lowered.code

    # ---- calling ----

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the graph.

        Args:
            inputs: one tensor, a list in the order of the inputs, or a dict by their names.
            training: mode for all layers; the enclosing call's, else each layer's own, when not given.
            mask: masks of the inputs, in their structure.
        """
        del training  # an explicit mode reaches the layers through the state of the call
        own = self.__dict__
        if mask is not None or own["_keeps_count"]:
            return self._counted(inputs, mask)
        fed = self.fed(inputs)
        run = self._plan_for(fed) or (own["_lowered"] or self._compiled())[1]
        return run(*fed)

    call.passes_training_down = True  # type: ignore[attr-defined]
    call.runs_graph = True  # type: ignore[attr-defined]

    forward = call

    def _counted(self, inputs: Any, mask: Any) -> Any:
        """Run the graph as one call of its own, so that what layers add to the loss in it can be told apart."""
        if state.depth == 0:
            state.call_id += 1
        self.__dict__["_last_call"] = state.call_id
        state.depth += 1
        try:
            if mask is not None:
                return self._run_masked(inputs, mask)
            fed = self.fed(inputs)
            run = self._plan_for(fed) or (self.__dict__["_lowered"] or self._compiled())[1]
            return run(*fed)
        finally:
            state.depth -= 1

    def by_plan(self, inputs: Sequence[torch.Tensor]) -> Any:
        """The outputs for plain tensors in order, where a call for inference would do no more than run a known plan.

        ``None`` elsewhere: the network must be called.
        """
        own = self.__dict__
        plans, floats = own["_plans"], own["variable_torch_dtype"]
        if plans is None or not own["_fast"] or hooked(own) or not getattr(type(self).call, "runs_graph", False):
            return None
        if any(x.dtype is not floats and x.is_floating_point() for x in inputs):
            return None  # they are cast first
        outer, state.training = state.training, False
        try:
            with torch.no_grad():
                run = plans.ready(self, inputs)
                if run is None:
                    return None
                if own["_keeps_count"] and state.depth == 0:
                    state.call_id += 1
                    own["_last_call"] = state.call_id
                return run(*inputs)
        finally:
            state.training = outer

    def fed(self, inputs: Any) -> Sequence[Any]:
        """The inputs one by one, checked and in the dtypes that the graph was made for."""
        checks = self.__dict__["_checks"]
        if type(inputs) is _Tensor and len(checks) == 1:
            dtype, start, tail = checks[0]
            if inputs.dtype is dtype and inputs.shape[start:] == tail:
                return (inputs,)
            values: list[Any] = [inputs]
        else:
            values = self.graph.match_inputs(inputs)
        for i, (value, (dtype, start, tail)) in enumerate(zip(values, checks, strict=True)):
            fed = value if type(value) is _Tensor and value.dtype is dtype else self._as_input(i, value)
            values[i] = fed if fed is None or fed.shape[start:] == tail else self._reshaped(i, fed)
        return values

    def _as_input(self, i: int, value: Any) -> Any:
        spec = self.graph.inputs[i]
        if value is None and getattr(spec.node.target, "optional", False):
            return None
        if isinstance(value, (str, bytes)) or value is None:
            raise InputError(
                f"The input '{self.graph.input_names[i]}' of {self.describe()} takes a tensor of shape {spec.shape}, "
                f"but received {value!r:.60}. Feed an array or a tensor."
            )
        try:
            return torch.as_tensor(value, device=None if isinstance(value, _Tensor) else self.weights_device).to(
                spec.dtype
            )
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(
                f"The input '{self.graph.input_names[i]}' of {self.describe()} takes a tensor of shape {spec.shape}, "
                f"but received {type(value).__name__}, of which no tensor can be made ({error}). Feed an array."
            ) from None

    def _reshaped(self, i: int, value: torch.Tensor) -> torch.Tensor:
        """A last axis of size 1 may be missing or extra, as in Keras; any other difference is an error."""
        want = self.graph.inputs[i].shape
        shape = tuple(value.shape)
        if len(shape) == len(want) + 1 and shape[-1] == 1 and _fits(shape[:-1], want):
            return value.squeeze(-1)
        if len(shape) == len(want) - 1 and want[-1] == 1 and _fits(shape, want[:-1]):
            return value.unsqueeze(-1)
        if _fits(shape, want):
            return value
        others = ", ".join(
            f"'{name}' {tensor.shape}" for name, tensor in zip(self.graph.input_names, self.graph.inputs, strict=True)
        )
        raise ShapeError(
            f"The input '{self.graph.input_names[i]}' of {self.describe()} takes shape {want}, but received {shape}. "
            f"The model's inputs are: {others}. Feed data of these shapes, batch first."
        )

    def known_output(self, first: Any) -> Any:
        """For inputs just like those the graph was made with: outputs just like its own."""
        graph = self.inlined_graph
        if graph is None:
            return None
        fed = graph.match_inputs(first)
        same = all(
            isinstance(value, SymbolicTensor) and value.dtype is own.dtype and value.probes == own.probes
            for value, own in zip(fed, graph.inputs, strict=True)
        )
        return map_leaves(_twin, graph.output_structure) if same else None

    def _run_masked(self, inputs: Any, mask: Any) -> Any:
        """Call the layers one by one on tensors that carry masks."""
        values = list(self.fed(inputs))
        for i, one in enumerate(flatten(mask)):
            if one is not None:
                values[i] = values[i].view_as(values[i])  # the caller's tensor must not change
                calling.set_mask(values[i], one)
        return run_graph(self.graph, values)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The masks of the outputs, in their order; `None` where there are none."""
        graph = self.__dict__.get("_graph")
        given = [m for m in flatten(previous_mask) if m is not None]
        if graph is None or (not given and all(m is None for m in graph.output_masks)):
            return None
        outputs = flatten(run_graph(graph, graph.match_inputs(inputs)))
        masks = [calling.mask_of(out) for out in outputs]
        return masks if len(masks) > 1 else masks[0]

    # ---- layers and names ----

    @property
    def layers(self) -> list[Layer]:
        """The layers, input layers included, in Keras's order: those furthest from the outputs first."""
        if self.has_graph:
            inside = self.graph.layers
            known = set(inside)
            return [*inside, *(m for m in self._sublayers() if m not in known)]
        return list(self._sublayers())

    def _sublayers(self) -> Iterator[Layer]:
        stack = list(reversed([m for m in self._modules.values() if m is not None]))
        while stack:
            module = stack.pop()
            if isinstance(module, Layer):
                yield module
            elif isinstance(module, (torch.nn.ModuleList, torch.nn.ModuleDict, torch.nn.Sequential)):
                stack.extend(reversed([m for m in module._modules.values() if m is not None]))

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name, or at an index of `layers`.

        Raises:
            ArgumentError: there is none, or not exactly one of the arguments was given.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ArgumentError("Give `get_layer` either a name or an index.")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(f"{self.describe()} has {len(layers)} layers, so there is none at index {index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"{self.describe()} has no layer '{name}'. Its layers are {[la.name for la in layers]}.")

    @property
    def operations(self) -> list[Any]:
        """What the graph calls, in order, each once: layers and functions."""
        return list(dict.fromkeys(node.target for node in self.graph.nodes))

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The input tensors, flat."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The output tensors, flat."""
        return list(self.graph.outputs)

    @property
    def input(self) -> Any:
        """The input tensors in the structure that the model was made with."""
        return self.graph.input_structure

    @property
    def output(self) -> Any:
        """The output tensors in the structure that the model was made with."""
        return self.graph.output_structure

    @property
    def input_shape(self) -> Any:
        """The shapes of the inputs, in their structure."""
        return map_leaves(lambda tensor: tensor.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """The shapes of the outputs, in their structure."""
        return map_leaves(lambda tensor: tensor.shape, self.output)

    @property
    def input_names(self) -> list[str]:
        """One name per input: data can be fed in a dict under them."""
        return self.graph.input_names

    @property
    def output_names(self) -> list[str]:
        """One name per output, for losses, metrics and logs: its key in a dict of outputs, else its layer's name."""
        return output_names(self.graph)

    # ---- copying ----

    def __getstate__(self) -> dict[str, Any]:
        """Compiled code does not travel: it is made again when it is needed."""
        return {**super().__getstate__(), "_lowered": None, "_plans": None}

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        self.__dict__.update(_lowered=None, _plans=None)
        return super()._apply(fn, recurse)


def _unpacked(structure: Any) -> Any:
    """A list of one tensor stands for the tensor; dicts are sorted by key, as in Keras: files depend on the order."""
    if isinstance(structure, (list, tuple)) and len(structure) == 1 and isinstance(structure[0], SymbolicValue):
        return structure[0]
    return _sorted_dicts(structure)


def _sorted_dicts(structure: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _sorted_dicts(structure[key]) for key in sorted(structure)}
    if isinstance(structure, (list, tuple)) and not is_namedtuple(structure):
        return type(structure)(_sorted_dicts(item) for item in structure)
    return structure


def _twin(tensor: SymbolicTensor) -> SymbolicTensor:
    return SymbolicTensor((), tensor.dtype, probes=tensor.probes)


def _check_of(tensor: SymbolicTensor) -> tuple[torch.dtype, int, Any]:
    """Dtype, and from which axis on the shape must be what; ``None`` matches nothing, so the slow check decides."""
    known = tensor.shape[1:]
    if None in known:
        return tensor.dtype, 0, None
    return (tensor.dtype, 1, known) if tensor.shape and tensor.shape[0] is None else (tensor.dtype, 0, tensor.shape)


def _may_add_loss(layer: Any) -> bool:
    own = registry.module_of(type(layer)) is not None
    return not own or bool(getattr(layer, "_modules", None)) or layer.activity_regularizer is not None


def _fits(shape: Sequence[int], want: Sequence[int | None]) -> bool:
    return len(shape) == len(want) and all(w is None or w == s for s, w in zip(shape, want, strict=True))
