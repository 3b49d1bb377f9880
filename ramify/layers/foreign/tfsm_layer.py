"""`TFSMLayer`: a SavedModel of TensorFlow as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from ramify import dtype_policies, registry
from ramify.errors import ShapeError, UnsafeFileError
from ramify.foreign.saved_model import SavedModel
from ramify.graph import SymbolicTensor, is_probing
from ramify.graph.structure import flatten, map_leaves
from ramify.layers.config import restored
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class TFSMLayer(Layer):
    """An endpoint of a TensorFlow SavedModel as a layer. Needs the package ``tensorflow``.

    The variables of the SavedModel are the layer's weights: they are trained, saved and loaded as those of any layer,
    while the files of the SavedModel stay as they are. Gradients come from TensorFlow; gradients of gradients and
    `torch.func` do not reach into it. Numbers go through NumPy, so this is a bridge for finished models, not a fast
    way.

    A SavedModel is a program. The layer runs it, so make one only of files that you trust.

    Args:
        filepath: folder of the SavedModel.
        call_endpoint: name of the endpoint to call: ``"serve"`` where Keras exported the model, often
            ``"serving_default"`` elsewhere.
        call_training_endpoint: name of the endpoint to call while training; the same when not given.
        trainable: whether training changes the trainable variables.
        name: the layer's name.
        dtype: dtype of the layer, to which floating inputs are cast.

    Raises:
        PackageError: ``tensorflow`` is not installed.
        FileFormatError: there is no SavedModel in the folder.
        ArgumentError: it has no endpoint of that name.

    Example::

        model.export("folder")  # in Keras with TensorFlow
        outputs = TFSMLayer("folder")(ramify.Input((3,)))
    """

    _names: list[str]
    _loaded: SavedModel
    _endpoint: Callable[[Any], Any]
    _training_endpoint: Callable[[Any], Any]

    def __init__(
        self,
        filepath: str | Path,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath = str(filepath)
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        self._open()
        self._names = []
        loaded = self._loaded
        for i, variable in enumerate(loaded.variables):
            self._names.append(f"variable_{i}")
            setattr(self, self._names[-1], self._weight(variable, trainable=i < loaded.trained))
        self.__dict__["built"] = True

    def _open(self) -> None:
        own = self.__dict__
        own["_loaded"] = loaded = SavedModel(self.filepath)
        own["_endpoint"] = own["_training_endpoint"] = loaded.endpoint(self.call_endpoint, "call_endpoint")
        if self.call_training_endpoint:
            own["_training_endpoint"] = loaded.endpoint(self.call_training_endpoint, "call_training_endpoint")

    def _weight(self, variable: Any, *, trainable: bool) -> Any:
        value = torch.as_tensor(np.array(variable.numpy()))
        name = str(variable.name).split(":")[0].split("/")[-1]
        dtype = str(value.dtype).removeprefix("torch.")

        def initial(size: Any, dtype: Any) -> torch.Tensor:
            del size, dtype
            return value.to(torch.get_default_device())

        return self.add_weight(tuple(value.shape), initial, dtype, trainable=trainable, autocast=False, name=name)

    # ---- calling ----

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What the endpoint returns; what it does to variables that are not trained is kept."""
        endpoint = self._training_endpoint if training else self._endpoint
        leaves = flatten(inputs)
        if is_probing() or any(leaf.is_meta for leaf in leaves):
            specs = self._loaded.specs(endpoint, inputs, self.describe())
            return map_leaves(lambda spec: self._meta(spec, leaves), specs)
        weights = [getattr(self, name) for name in self._names]
        outputs = self._loaded.run(endpoint, weights, inputs, self.describe())
        with torch.no_grad():
            for weight, value in zip(weights[self._loaded.trained :], self._loaded.changes(), strict=True):
                new = torch.as_tensor(value, device=weight.device)
                if not torch.equal(new, weight):
                    weight.copy_(new)
        return outputs

    def known_output(self, first: Any) -> Any:
        """The output as the endpoint's signature tells it."""
        specs = self._loaded.specs(self._endpoint, first, self.describe())
        return map_leaves(lambda spec: SymbolicTensor(self._sizes(spec), spec.dtype.name), specs)

    def _sizes(self, spec: Any) -> tuple[int | None, ...]:
        if spec.shape.rank is None:
            raise ShapeError(
                f"{self.describe()}: TensorFlow does not know how many axes the output of the endpoint has, so the "
                "layer cannot stand in a graph. Call it on real tensors, or export the model for inputs of known shape."
            )
        return tuple(spec.shape)

    def _meta(self, spec: Any, leaves: list[Any]) -> torch.Tensor:
        """A tensor without data; where its batch is unknown, it is that of the input."""
        told = self._sizes(spec)
        batch = leaves[0].shape[0] if leaves[0].ndim else None
        sizes = [batch if i == 0 and size is None else size for i, size in enumerate(told)]
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            raise ShapeError(
                f"{self.describe()}: TensorFlow does not know the shape {told} of the endpoint's output beforehand. "
                "Call the layer on a symbolic tensor itself, outside of other layers."
            )
        return torch.empty(known, dtype=getattr(torch, spec.dtype.name), device="meta")

    # ---- config and copies ----

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "filepath": self.filepath,
            "call_endpoint": self.call_endpoint,
            "call_training_endpoint": self.call_training_endpoint,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The layer that `get_config` described, of the same folder.

        Raises:
            UnsafeFileError: always, but within a call that was told ``safe_mode=False``.
        """
        if registry.is_safe():
            raise UnsafeFileError(
                f"The TFSMLayer '{config.get('name')}' runs the SavedModel in {str(config.get('filepath'))!r:.200}, a "
                "program from outside this file, which could do anything. Make the layer in code; or, for a program "
                "that you trust, pass `safe_mode=False`."
            )
        return cls(**restored(config))

    def __getstate__(self) -> dict[str, Any]:
        """All but TensorFlow's objects."""
        left = ("_loaded", "_endpoint", "_training_endpoint")
        return {key: value for key, value in super().__getstate__().items() if key not in left}

    def __setstate__(self, given: dict[str, Any]) -> None:
        """Load the SavedModel again; the weights are those of the copy."""
        super().__setstate__(given)
        self._open()
