"""`Layer`: a `torch.nn.Module` that is also a function on symbolic tensors."""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import torch

from ramify import dtype_policies, dtypes, regularizers
from ramify.errors import ArgumentError, GraphError
from ramify.graph import MASK, Node, SymbolicTensor, calls_of, infer_call, is_symbolic, make_value
from ramify.graph.structure import flatten, map_leaves
from ramify.layers import calling
from ramify.layers.building import build_for, building, shapes_of
from ramify.layers.config import captured, restored
from ramify.layers.hooks import hooked, module_call
from ramify.layers.shapes import as_shape, on_shapes
from ramify.layers.state import state
from ramify.layers.stateless import Stateless
from ramify.naming import auto_name
from ramify.quantizers.layers import Quantizing
from ramify.scopes import RematScope, current

_serial = itertools.count()
_Tensor = torch.Tensor


class Layer(Quantizing, Stateless):
    """A function from tensors to tensors with weights: the building block of models.

    A subclass defines `call` (or `forward`, which is the same), and `build` where weights depend on the input's shape.
    On real tensors a layer runs; on symbolic tensors it records a node and returns symbolic tensors, their shapes
    learned by running `call` itself on tensors without data.

    Args:
        activity_regularizer: function of the output whose value is added to the loss.
        trainable: whether training changes the weights.
        dtype: dtype or dtype policy; the global policy when not given.
        autocast: whether floating inputs are cast to the dtype the layer computes in.
        name: name within a model; made from the class's name when not given.
        input_shape: shape of one sample; lets a `Sequential` model be built at once.

    Example:

    >>> import torch, ramify
    >>> class Scale(ramify.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()(ramify.Input(shape=(3,))).shape
    (None, 3)
    """

    built: bool
    autocast: bool
    supports_masking: bool = False
    input_spec: Any = None
    activity_regularizer: Any
    compute_torch_dtype: torch.dtype
    variable_torch_dtype: torch.dtype
    _signature: calling.Signature
    _fast: int
    _remat: RematScope | None
    _serial: int
    _last_call: int
    _losses: list[Any]
    _losses_call: int
    _name_is_given: bool
    _name_is_settled: bool
    _input_shape_arg: tuple[int | None, ...] | None
    takes_training = False
    takes_any_keyword = False
    makes_mask = False
    masks_itself = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remember the arguments: `get_config` gives them back."""
        self = super().__new__(cls)
        self.__dict__["_init_args"] = (args, kwargs)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__
        if "call" in own and "forward" not in own:
            cls.forward = cls.call
        elif "forward" in own and "call" not in own:
            cls.call = cls.forward  # type: ignore[method-assign]
        if "build" in own:
            cls.build = building(own["build"])  # type: ignore[method-assign]
        cls._signature = calling.signature_of(cls.call, inspect.unwrap(cls.build))
        cls.takes_any_keyword = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls.call).parameters.values())
        passed_down = getattr(cls.call, "passes_training_down", False)
        cls.takes_training = "training" in cls._signature.names and not passed_down
        cls.makes_mask = cls.compute_mask is not Layer.compute_mask

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if kwargs:
            raise ArgumentError(
                f"{type(self).__name__} takes no argument {', '.join(map(repr, kwargs))}. Leave it out."
            )
        if name is not None and (not isinstance(name, str) or "/" in name or not name):
            raise ArgumentError(f"name={name!r} is no name for a layer. Use a non-empty string without '/'.")
        own = self.__dict__
        own["training"] = False
        own["built"] = False
        own["autocast"] = autocast
        own["activity_regularizer"] = regularizers.get(activity_regularizer)
        own["_name"] = name or auto_name(type(self).__name__)
        own["_name_is_given"] = name is not None
        own["_name_is_settled"] = name is not None
        own["_serial"] = next(_serial)
        own["_trainable"] = bool(trainable)
        own["_losses"] = []
        own["_adds_loss"] = False
        own["_last_call"] = -1
        own["_losses_call"] = -1
        own["_metrics"] = {}
        own["_loose"] = []
        own["_fast"] = 0
        own["_remat"] = RematScope.current()
        own["_input_shape_arg"] = tuple(input_shape) if input_shape is not None else None
        self.dtype_policy = dtype

    # ---- calling ----

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's computation; subclasses define it.

        Raises:
            ArgumentError: the subclass did not.
        """
        raise ArgumentError(f"{type(self).__name__} defines neither `call` nor `forward`. Define `call(self, inputs)`.")

    forward = call

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the weights; a subclass that has weights defines ``build(self, input_shape)``.

        Shapes include the batch axis, hold ``None`` for unknown sizes, and are nested as the input is. For a `call`
        with several tensors, ``build(self, query_shape, value_shape)`` gets the shape of each by name.
        """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the layer on real tensors, or record a call on symbolic ones."""
        own = self.__dict__
        fast = own["_fast"]
        if fast and not kwargs and len(args) == 1:
            # Where nothing is to be prepared: one plain tensor, or a list of them, in the right dtype.
            x = args[0]
            if type(x) is not _Tensor:
                ready = self._is_ready(x)
            elif x.dtype is own["compute_torch_dtype"] or not own["autocast"] or not x.is_floating_point():
                ready = not hasattr(x, MASK)
            else:
                ready = False
            if ready:
                run = partial(module_call, self) if hooked(own) else self.call
                if fast == 1:
                    return run(x)
                training = state.training
                return run(x, training=self.training if training is None else training)
        if is_symbolic(args) or (kwargs and is_symbolic(kwargs)):
            return calling.symbolic_call(self, args, kwargs)
        return calling.concrete_call(self, args, kwargs)

    def _is_ready(self, value: Any) -> bool:
        if type(value) is not list and type(value) is not tuple:
            return False
        own = self.__dict__
        wanted, autocast = own["compute_torch_dtype"], own["autocast"]
        for x in value:
            if type(x) is not _Tensor or hasattr(x, MASK):
                return False
            if x.dtype is not wanted and autocast and x.is_floating_point():
                return False
        return True

    def finish_call(self) -> None:
        """After a first call: the layer is built, and may take the short way where nothing stands against it."""
        own = self.__dict__
        own["built"] = True
        self.settle_inside()
        plain_dtype = self.compute_torch_dtype is self.variable_torch_dtype or not self.autocast
        plain = plain_dtype and own["_remat"] is None and self.activity_regularizer is None
        if not own["_fast"] and plain and self._signature.names:
            # Sublayers may add losses or make masks: only a network, which keeps account of its calls, skips past that.
            counts_calls = self.masks_itself and getattr(type(self).call, "runs_graph", False)
            simple = counts_calls or not (self.makes_mask or self._modules or own["_adds_loss"])
            own["_fast"] = (2 if self.takes_training else 1) if simple else 0

    @property
    def uses_training(self) -> bool:
        """Whether the mode of a call makes a difference to the layer or to something in it."""
        return self.takes_training or bool(self._modules)

    def resolve_training(self) -> bool:
        """The mode for a call that was given none: the enclosing call's, else the module's own flag."""
        training = state.training
        return self.training if training is None else training

    def build_here(self, shapes: dict[str, Any]) -> None:
        """Build for the given shapes, by the names that `build` gives them."""
        if type(self).build is not Layer.build:
            self.build(**shapes)

    # ---- losses and metrics ----

    def add_loss(self, loss: Any) -> None:
        """Add to the loss of the call that is under way.

        Args:
            loss: scalar tensor, or a list of them.

        Raises:
            ArgumentError: a symbolic tensor, which has no value to add: that is known in a call alone.
        """
        calling.check_loss(self, loss)
        own = self.__dict__
        own["_adds_loss"], own["_fast"] = True, 0
        if self._losses_call != state.call_id:
            self._losses.clear()
            own["_losses_call"] = state.call_id
        if not calling.is_probing():
            self._losses.extend(flatten(loss))
            if current.stateless and current.stateless[-1].collect_losses:
                current.stateless[-1].losses.extend(flatten(loss))

    @property
    def losses(self) -> list[torch.Tensor]:
        """What `add_loss` collected in the last call, and the values of all weight regularizers."""
        found: list[torch.Tensor] = []
        penalties: dict[int, Any] = {}
        for module in self.modules():
            if isinstance(module, Layer):
                if module._losses and module._losses_call >= self._last_call:
                    found.extend(module._losses)
                if module._trainable:
                    for weight in module._parameters.values():
                        if weight is not None and getattr(weight, "regularizer", None) is not None:
                            penalties[id(weight)] = weight
        return found + [weight.regularizer(weight) for weight in penalties.values()]

    @property
    def metrics(self) -> list[Any]:
        """Metrics that are attributes of the layer or its sublayers."""
        layers = [m for m in self.modules() if isinstance(m, Layer)]
        return list({id(metric): metric for layer in layers for metric in layer._metrics.values()}.values())

    # ---- masks ----

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output; that of the input unless a subclass says otherwise."""
        del inputs
        return previous_mask

    # ---- shapes ----

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What a call on symbolic tensors would return, without recording one."""
        layer = self if self.built else copy.deepcopy(self)
        if not layer.built:
            build_for(layer, layer._signature.bind(args, kwargs))
        return map_leaves(make_value, infer_call(Node(layer, args, kwargs, self.name)))

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for the given shape(s) of the input; learned by running `call`, written nowhere."""
        kwargs = {name.removesuffix("_shape"): shape for name, shape in kwargs.items()}
        if "input" in kwargs:
            kwargs = {self._signature.first: kwargs["input"]}
        tensors = on_shapes(lambda shape: SymbolicTensor(shape, self.compute_dtype), (args, kwargs))
        output = self.compute_output_spec(*tensors[0], **tensors[1])
        return map_leaves(lambda leaf: getattr(leaf, "shape", None), output)

    def known_output(self, first: Any) -> Any:
        """The result of a call on symbolic tensors where it is known without running anything, else ``None``."""
        del first

    def declared_output(self, first: Any) -> Any:
        """For a `call` whose shapes depend on values: the output by the subclass's own `compute_output_shape`."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return None
        shape = self.compute_output_shape(shapes_of(first))
        return on_shapes(lambda one: SymbolicTensor(one, self.compute_dtype), shape)

    @property
    def input(self) -> Any:
        """The symbolic tensor(s) of the layer's only call.

        Raises:
            GraphError: the layer was never called on symbolic tensors, or several times.
        """
        node = self._only_call("input")
        if node.is_input:
            return node.outputs
        return node.args[0] if node.args else next(iter(node.kwargs.values()))

    @property
    def output(self) -> Any:
        """The symbolic tensor(s) that the layer's only call returned.

        Raises:
            GraphError: the layer was never called on symbolic tensors, or several times.
        """
        return self._only_call("output").outputs

    def get_output_at(self, index: int) -> Any:
        """The symbolic output of the layer's call number `index`."""
        return calls_of(self)[index].outputs

    def _only_call(self, what: str) -> Node:
        calls = calls_of(self)
        if not calls:
            raise GraphError(f"{self.describe()} has no `{what}`: it was never called on a symbolic tensor. Call it.")
        if len(calls) > 1:
            raise GraphError(
                f"{self.describe()} was called {len(calls)} times, so `{what}` is ambiguous. "
                f"Use `get_output_at(0)` ... `get_output_at({len(calls) - 1})`."
            )
        return calls[0]

    # ---- dtype, name, config ----

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """The dtypes of computation and weights."""
        policy: dtype_policies.DTypePolicy = self.__dict__["_dtype_policy"]
        return policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = dtype_policies.get(value)
        self.__dict__["_dtype_policy"] = policy
        self.__dict__["compute_torch_dtype"] = dtypes.to_torch(policy.compute_dtype)
        self.__dict__["variable_torch_dtype"] = dtypes.to_torch(policy.variable_dtype)
        self.__dict__["_fast"] = 0

    @property
    def compute_dtype(self) -> str:
        """The dtype the layer computes in."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return self.dtype_policy.variable_dtype

    input_dtype = compute_dtype

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer, as plain data."""
        own, config = captured(self, Layer), {"name": self.name, "trainable": self._trainable}
        config["dtype"] = dtype_policies.serialize(self.told_policy(own))
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {**config, **own}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described, without its weights' values."""
        return cls(**restored(config))

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built for."""
        shapes = self.__dict__.get("_build_shapes")
        return None if shapes is None else dict(shapes)

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build for the shapes that `get_build_config` gave."""
        if config and not self.built:
            names = self._signature.build_names
            if set(config) == {"input_shape"} and names:  # what files call a single shape, whatever `build` calls it
                config = {names[0]: config["input_shape"]}
            self.build_here({name: as_shape(shape) for name, shape in config.items()})
            self.built = True


Layer._signature = calling.signature_of(Layer.call, Layer.build)
