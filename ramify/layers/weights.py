"""`WeightHolder`: the part of a layer that makes, finds, names, copies and moves weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, Self

import numpy as np
import torch

from ramify import constraints, dtypes, initializers, registry, regularizers
from ramify.errors import ShapeError
from ramify.graph import paused
from ramify.layers.hooks import Hookable
from ramify.layers.state import state
from ramify.layers.tracking import TrackedDict, TrackedList, tracked
from ramify.scopes import current
from ramify.variables import Changes, Parameter, State

_PLAIN = frozenset((bool, int, float, str, type(None)))
_AS_IT_IS = nullcontext()


class WeightHolder(Hookable):
    """A module that knows its weights in Keras's order, and the layers in its lists and dicts."""

    dtype_policy: Any
    _trainable: bool
    _loose: list[Any]
    _metrics: dict[str, Any]

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Any:
        """Make a weight; assign it to an attribute.

        Args:
            shape: its shape; ``()`` when not given.
            initializer: name, initializer or function ``(shape, dtype) -> tensor``; Glorot uniform for floats.
            dtype: its dtype; that of the policy's variables when not given.
            trainable: a parameter if true, else a buffer.
            autocast: whether a mixed policy hands the weight out in the compute dtype.
            regularizer: function of the weight whose value is added to the loss.
            constraint: function that the optimizer applies to the weight after every update.
            aggregation: accepted for Keras's sake; replicas are kept equal by `torch.distributed`.
            overwrite_with_gradient: accepted for Keras's sake.
            name: the last part of the weight's path.

        Returns:
            A `Parameter` or a `State`, both of which are tensors.

        Raises:
            ShapeError: a size in `shape` is unknown or negative.
        """
        del aggregation, overwrite_with_gradient
        if isinstance(shape, str):  # the old order: name first
            shape, name = None, shape
        size = tuple(shape) if isinstance(shape, (list, tuple, torch.Size)) else () if shape is None else (shape,)
        if any(s is None or s < 0 for s in size):
            raise ShapeError(
                f"{self.describe()} cannot make the weight '{name or 'weight'}' of shape {size}: a size is unknown. "
                "Give the size of the last axis in `Input(shape=...)`."
            )
        kind = dtypes.to_torch(dtype or self.dtype_policy.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if kind.is_floating_point else "zeros"
        make: Callable[..., Any] = initializers.get(initializer) or initializers.Zeros()
        if registry.awaits_weights() and type(self).load_own_variables is WeightHolder.load_own_variables:
            make = _blank  # a file is being read, which overwrites the weight
        with torch.inference_mode(False) if torch.is_inference_mode_enabled() else _AS_IT_IS, paused(), torch.no_grad():
            data = make(size, dtype=dtypes.name(kind))
        data = data if isinstance(data, torch.Tensor) else torch.as_tensor(data, dtype=kind)
        weight = Parameter(data) if trainable else State(data)
        if trainable and not self._trainable:
            weight.requires_grad_(False)
        weight.__dict__.update(
            name=name or "variable",
            path="/".join((*(state.scope or (*current.names, self.name)), name or "variable")),
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
            autocast=autocast,
        )
        self._loose.append(weight)
        return weight

    def add_weight_of(self: Any, name: str, shape: Any, argument: str | None = None, **options: Any) -> Any:
        """Make a weight that the constructor has arguments for; assign it to an attribute.

        Args:
            name: the weight's name, such as ``"kernel"``.
            shape: its shape.
            argument: what the layer's arguments ``..._initializer``, ``..._regularizer`` and ``..._constraint`` begin
                with; the weight's name when not given.
            **options: further arguments of `add_weight`.
        """
        of = argument or name
        return self.add_weight(
            shape,
            getattr(self, f"{of}_initializer"),
            regularizer=getattr(self, f"{of}_regularizer"),
            constraint=getattr(self, f"{of}_constraint"),
            name=name,
            **options,
        )

    def _register_loose_weights(self) -> None:
        """Weights that were made but not assigned to an attribute belong to the layer all the same."""
        held = {id(t) for t in (*self._parameters.values(), *self._buffers.values())}
        for i, weight in enumerate(self._loose):
            if id(weight) not in held:
                name = weight.name if not hasattr(self, weight.name) else f"{weight.name}_{i}"
                setattr(self, name.replace(".", "_"), weight)
        self._loose.clear()

    def __setattr__(self, name: str, value: Any) -> None:
        Changes.count += 1
        if type(value) in _PLAIN and not self._holds(name):  # the short way, and the most used
            object.__setattr__(self, name, value)
            return
        if type(value) in (TrackedList, TrackedDict):
            if value is self.__dict__.get(name):  # after `self.layers += [...]`
                return
            value = list(value) if isinstance(value, list) else dict(value)
        if type(value) in (list, dict, tuple):
            if "_modules" in self.__dict__:
                value = tracked(self, name, value)
                self.__dict__.setdefault("_tracked", set()).add(name)
            object.__setattr__(self, name, value)
            return
        if isinstance(value, State) and "_buffers" in self.__dict__:
            self.__dict__.pop(name, None)
            self.register_buffer(name, value)
            return
        if isinstance(value, (torch.Tensor, torch.nn.Module)) or self._holds(name):
            super().__setattr__(name, value)
            return
        if hasattr(value, "update_state") and hasattr(value, "reset_state"):
            self._metrics[name] = value
        object.__setattr__(self, name, value)  # what torch need not know of goes the short way

    def _holds(self, name: str) -> bool:
        own = self.__dict__
        return "_modules" in own and (name in own["_parameters"] or name in own["_buffers"] or name in own["_modules"])

    def _own_weights(self) -> Iterator[torch.Tensor]:
        if self._loose:
            self._register_loose_weights()
        yield from (p for p in self._parameters.values() if p is not None)
        yield from (b for b in self._buffers.values() if isinstance(b, State))

    @property
    def weights(self) -> list[Any]:
        """All weights, each once: the layer's own, then those of its sublayers in the order they were attached."""
        found: dict[int, Any] = {}
        stack: list[torch.nn.Module] = [self]
        while stack:
            module = stack.pop()
            own = module._own_weights() if isinstance(module, WeightHolder) else _torch_weights(module)
            for weight in own:
                found.setdefault(id(weight), weight)
            stack.extend(reversed([m for m in module._modules.values() if m is not None]))
        return list(found.values())

    @property
    def trainable_weights(self) -> list[Any]:
        """The weights that training changes: none where `trainable` is false."""
        return [w for w in self.weights if w.requires_grad] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that training leaves alone or changes by other means than gradients."""
        trained = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in trained]

    @property
    def variables(self) -> list[Any]:
        """The weights."""
        return self.weights

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """The values of all weights, as arrays that stay as they are when training goes on."""
        return [dtypes.to_numpy(weight).copy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Overwrite all weights.

        Args:
            weights: arrays in the order of `weights`.

        Raises:
            ShapeError: another number of arrays, or an array of another shape; nothing is changed then.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ShapeError(f"{self.describe()} has {len(own)} weights, but {len(weights)} were given. Give one each.")
        for weight, value in zip(own, weights, strict=True):
            if tuple(weight.shape) != tuple(np.shape(value)):
                raise ShapeError(
                    f"{self.describe()}: '{getattr(weight, 'path', 'weight')}' has shape {tuple(weight.shape)}, but "
                    f"the value given for it has {tuple(np.shape(value))}. Check the order, or the model's sizes."
                )
        with torch.no_grad():
            for weight, value in zip(own, weights, strict=True):
                weight.copy_(dtypes.from_numpy(value))

    def saved_weights(self) -> list[Any]:
        """What files hold of this layer itself, without sublayers: parameters, state; then plain torch modules'."""
        found = list(self._own_weights())
        lists = self.__dict__.get("_tracked", ())
        for name, child in self._modules.items():
            if child is not None and not isinstance(child, WeightHolder) and name not in lists:
                inside = child.state_dict(keep_vars=True)
                found.extend(dict.fromkeys(value for value in inside.values() if isinstance(value, torch.Tensor)))
        return found

    def after_loading(self) -> None:
        """What is left to do after the weights came from a file."""

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own weights into a mapping, under ``"0"``, ``"1"`` and so on; subclasses may do otherwise.

        Args:
            store: name -> tensor or array; takes what is put into it.
        """
        for i, weight in enumerate(self.saved_weights()):
            store[str(i)] = weight

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote.

        Args:
            store: name -> array.

        Raises:
            ShapeError: another number of weights, or one of another shape; nothing is changed then.
        """
        own = self.saved_weights()
        if len(own) != len(store.keys()):
            raise ShapeError(
                f"{self.describe()} has {len(own)} weights, but the file has {len(store.keys())} for it. Load into the "
                "model that was saved."
            )
        values = [torch.as_tensor(np.asarray(store[str(i)])) for i in range(len(own))]
        for weight, value in zip(own, values, strict=True):
            if weight.shape != value.shape:
                raise ShapeError(
                    f"{self.describe()}: '{getattr(weight, 'path', 'weight')}' has shape {tuple(weight.shape)}, but "
                    f"the file has {tuple(value.shape)}. Load into the model that was saved."
                )
        with torch.no_grad():
            for weight, value in zip(own, values, strict=True):
                weight.copy_(value)
            self.after_loading()

    def count_params(self) -> int:
        """The number of values in all weights."""
        return sum(weight.numel() for weight in self.weights)

    @property
    def weights_device(self) -> torch.device:
        """The device of the first weight, else torch's default device."""
        first = next(itertools.chain(self.parameters(), self.buffers()), None)
        return torch.get_default_device() if first is None else first.device

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it for all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Changes.count += 1
        for module in self.modules():
            if isinstance(module, WeightHolder):
                module.__dict__["_trainable"] = bool(value)
            for parameter in module._parameters.values():
                if parameter is not None and parameter.is_floating_point():
                    parameter.requires_grad_(bool(value))

    @property
    def name(self) -> str:
        """The layer's name, unique within a model."""
        return self.__dict__.get("_name", type(self).__name__)

    @name.setter
    def name(self, value: str) -> None:
        before, own = self.name, self.__dict__
        own["_name"] = value
        own["_name_is_settled"] = True
        for weight in self.weights:
            path = getattr(weight, "path", None)
            if path is not None:
                weight.path = "/".join(value if part == before else part for part in path.split("/"))

    path = name

    def describe(self) -> str:
        """A short description for messages, such as ``Dense 'dense_1'``."""
        return f"{type(self).__name__} '{self.name}'"

    def get_submodule(self, target: str) -> torch.nn.Module:
        """The module at a dotted path; found among the modules even where a property has the same name."""
        module: torch.nn.Module = self
        for part in target.split(".") if target else ():
            found = module._modules.get(part)
            if found is None:
                raise AttributeError(f"{self.describe()} has no submodule '{target}'")
            module = found
        return module

    def __getstate__(self) -> dict[str, Any]:
        """Tracked containers travel as plain ones."""
        plain: dict[Any, Any] = {TrackedList: list, TrackedDict: dict}
        return {k: plain[type(v)](v) if type(v) in plain else v for k, v in self.__dict__.items()}

    def __setstate__(self, given: dict[str, Any]) -> None:
        super().__setstate__(given)
        for name in given.get("_tracked", ()):
            if name in self.__dict__:
                object.__setattr__(self, name, tracked(self, name, self.__dict__[name]))

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """As a torch module's; ``memory_format=torch.contiguous_format`` puts the weights in the order of their shapes.

        Kernels of convolutions are in another order, which makes them faster. `torch.distributed.fsdp.fully_shard`,
        which takes no such weights, takes them afterwards.
        """
        if kwargs.get("memory_format") is not torch.contiguous_format:
            return super().to(*args, **kwargs)
        del kwargs["memory_format"]
        moved = super().to(*args, **kwargs) if args or kwargs else self
        return moved._apply(torch.Tensor.contiguous)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        before = {name: buffer for name, buffer in self._buffers.items() if isinstance(buffer, State)}
        super()._apply(fn, recurse)
        for name, old in before.items():
            new = self._buffers[name]
            if not isinstance(new, State) and new is not None:
                self._buffers[name] = State(new)
                self._buffers[name].__dict__.update(old.__dict__)
        return self


def _blank(size: tuple[int, ...], dtype: str) -> torch.Tensor:
    try:
        return torch.empty(size, dtype=dtypes.to_torch(dtype))
    except RuntimeError as error:
        raise ShapeError(f"A weight of shape {size} is too large to be made ({error}). Is the file damaged?") from None


def _torch_weights(module: torch.nn.Module) -> Iterator[torch.Tensor]:
    yield from (p for p in module._parameters.values() if p is not None)
    yield from (b for b in module._buffers.values() if b is not None and not isinstance(b, State))
