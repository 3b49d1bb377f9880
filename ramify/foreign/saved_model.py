"""SavedModels of TensorFlow on tensors of torch: numbers go through NumPy, gradients come from `tf.GradientTape`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from ramify.errors import ArgumentError, FileFormatError, ShapeError
from ramify.foreign.packages import needs_tensorflow
from ramify.graph.structure import flatten, map_leaves, unflatten


class SavedModel:
    """A loaded SavedModel.

    Args:
        path: its folder.

    Attributes:
        variables: its variables that hold numbers, those that were trained first.
        trained: how many of them were.

    Raises:
        PackageError: ``tensorflow`` is not installed.
        FileFormatError: there is no SavedModel in the folder, or a damaged one.
    """

    def __init__(self, path: str) -> None:
        self.tf = needs_tensorflow("TFSMLayer")
        self.path = path
        if not any((Path(path) / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
            raise FileFormatError(
                f"{path!r} holds no SavedModel: there is no saved_model.pb. Give the folder that `model.export(...)` "
                "of Keras, or `tf.saved_model.save`, wrote."
            )
        try:
            self.loaded = self.tf.saved_model.load(path)
        except (OSError, self.tf.errors.OpError) as error:
            raise FileFormatError(f"The SavedModel {path!r} cannot be read: {error}. Export it again.") from error
        trained, rest = self._listed()
        self.variables = [one for one in [*trained, *rest] if np.dtype(one.dtype.as_numpy_dtype).kind in "biuf"]
        self.trained = sum(any(one is other for other in trained) for one in self.variables)

    def _functions(self) -> dict[str, Any]:
        """The functions that the SavedModel has as attributes, and its signatures."""
        found = {name: getattr(self.loaded, name, None) for name in dir(self.loaded)}
        return {**self.loaded.signatures, **{k: v for k, v in found.items() if hasattr(v, "concrete_functions")}}

    def _listed(self) -> tuple[list[Any], list[Any]]:
        """The variables that were trained, and the others; without an own list of them, those that functions use."""
        if hasattr(self.loaded, "variables"):
            trained, every = list(getattr(self.loaded, "trainable_variables", ())), list(self.loaded.variables)
        else:
            calls = [one for f in self._functions().values() for one in getattr(f, "concrete_functions", [f])]
            every = [variable for call in calls for variable in call.variables]
            trained = [variable for variable in every if variable.trainable]
        unique = {id(one): one for one in every}
        known = {id(one): one for one in trained}
        return list(known.values()), [one for key, one in unique.items() if key not in known]

    def endpoint(self, name: str, argument: str) -> Callable[[Any], Any]:
        """The endpoint of a name, as a function of one structure of TensorFlow's tensors.

        Raises:
            ArgumentError: there is none.
        """
        signatures = self.loaded.signatures
        found = getattr(self.loaded, name, None)
        if callable(found):
            return found
        if name not in signatures:
            raise ArgumentError(
                f"The SavedModel {self.path!r} has no endpoint {name!r}. Give one of these as `{argument}`: "
                f"{', '.join(sorted(self._functions()))}."
            )
        signature = signatures[name]
        names = list(signature.structured_input_signature[1])

        def call(inputs: Any) -> Any:
            if isinstance(inputs, dict):
                return signature(**inputs)
            given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
            return signature(**dict(zip(names, given, strict=True)))

        return call

    def specs(self, endpoint: Callable[[Any], Any], inputs: Any, owner: str) -> Any:
        """Shape and dtype of the outputs, as TensorFlow tells them without running anything."""

        def spec(leaf: Any) -> Any:
            return self.tf.TensorSpec(tuple(leaf.shape), str(leaf.dtype).removeprefix("torch."))

        def call(given: Any) -> Any:  # what is traced has a signature of its own, without the endpoint's names
            return endpoint(given)

        traced = self.tf.function(call, autograph=False)
        with _refusals(self, owner):
            return _plain(traced.get_concrete_function(map_leaves(spec, inputs)).structured_outputs)

    def run(self, endpoint: Callable[[Any], Any], weights: Sequence[torch.Tensor], inputs: Any, owner: str) -> Any:
        """The outputs as tensors, with `weights` in place of the numbers of the variables; autograd knows the way back.

        Variables that were not trained may have changed afterwards: `changes` tells.
        """
        for weight, variable in zip(weights, self.variables, strict=True):
            variable.assign(_to_numpy(weight))
        leaves = flatten(inputs)
        tensors = [*weights, *leaves]
        wanted: tuple[int, ...] = ()
        if torch.is_grad_enabled():
            wanted = tuple(i for i, t in enumerate(tensors) if t.requires_grad and t.is_floating_point())
        call = _Call(self, endpoint, inputs, wanted, owner)
        found = _Function.apply(call, *(tensors[i] for i in wanted)) if wanted else call.run()
        return unflatten(call.structure, list(found))

    def changes(self) -> list[np.ndarray]:
        """The numbers of the variables that were not trained, as they are now."""
        return [np.array(variable.numpy()) for variable in self.variables[self.trained :]]


class _Call:
    """One call of an endpoint."""

    def __init__(self, model: SavedModel, endpoint: Any, inputs: Any, wanted: tuple[int, ...], owner: str) -> None:
        self.model, self.endpoint, self.inputs, self.wanted, self.owner = model, endpoint, inputs, wanted, owner
        self.structure: Any = None
        self.tape: Any = None
        self.sources: list[Any] = []
        self.outputs: list[Any] = []

    def run(self) -> tuple[torch.Tensor, ...]:
        """The outputs as a flat list; remembers the way back where one is wanted."""
        tf, model = self.model.tf, self.model
        given = map_leaves(lambda leaf: tf.constant(_to_numpy(leaf)), self.inputs)
        device = next((leaf.device for leaf in flatten(self.inputs)), torch.device("cpu"))
        possible = [*model.variables, *flatten(given)]
        self.sources = [possible[i] for i in self.wanted]
        with _refusals(model, self.owner):
            if self.wanted:
                with tf.GradientTape(persistent=True, watch_accessed_variables=False) as self.tape:
                    for source in self.sources:
                        self.tape.watch(source)
                    results = _plain(self.endpoint(given))
            else:
                results = _plain(self.endpoint(given))
        self.structure, self.outputs = results, flatten(results)
        return tuple(torch.as_tensor(np.array(one.numpy()), device=device) for one in self.outputs)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: _Call, *chosen: torch.Tensor) -> Any:
        leaves = call.run()
        ctx.call = call
        ctx.save_for_backward(*chosen)
        ctx.mark_non_differentiable(*(leaf for leaf in leaves if not leaf.is_floating_point()))
        return leaves

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        call, chosen = ctx.call, ctx.saved_tensors
        tf = call.model.tf
        pairs = [(y, tf.constant(_to_numpy(g))) for y, g in zip(call.outputs, gradients, strict=True)]
        pairs = [(y, g) for y, g in pairs if y.dtype.is_floating]
        pulled = call.tape.gradient([y for y, _ in pairs], call.sources, output_gradients=[g for _, g in pairs])

        def gradient(value: Any, like: torch.Tensor) -> torch.Tensor | None:
            if value is None:
                return None
            return torch.as_tensor(np.array(tf.convert_to_tensor(value).numpy())).to(like)

        return None, *(gradient(value, like) for value, like in zip(pulled, chosen, strict=True))


@contextmanager
def _refusals(model: SavedModel, owner: str) -> Iterator[None]:
    """TensorFlow's word that an input does not fit, in ours."""
    try:
        yield
    except (TypeError, ValueError, model.tf.errors.InvalidArgumentError) as error:
        raise ShapeError(
            f"{owner}: the endpoint of the SavedModel {model.path!r} does not take these inputs. "
            f"Give the shapes and dtypes that it was exported for. TensorFlow says: {str(error)[:600]}"
        ) from error


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().as_subclass(torch.Tensor).cpu().numpy()


def _plain(value: Any) -> Any:
    """Lists, tuples and dicts of TensorFlow's kinds as Python's."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
