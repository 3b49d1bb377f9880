"""`FeatureSpace`: the columns of a table as vectors for a model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.graph import SymbolicTensor
from ramify.image_format import checked_choice
from ramify.layers import (
    CategoryEncoding,
    Concatenate,
    Discretization,
    HashedCrossing,
    Hashing,
    Input,
    IntegerLookup,
    Layer,
    Normalization,
    Rescaling,
    StringLookup,
)
from ramify.ops import cast
from ramify.registry import serializable
from ramify.saving import deserialize_keras_object, save_model, serialize_keras_object
from ramify.utils.feature_types import Cross, Feature, TFDIdentity, categories, learns

_SIMPLE = (
    "float",
    "float_normalized",
    "float_rescaled",
    "float_discretized",
    "integer_categorical",
    "string_categorical",
    "integer_hashed",
    "string_hashed",
)
Features = dict[str, Any]


@serializable("keras.utils")
class FeatureSpace(Layer):
    """The columns of a table as numbers: scaled, cut into ranges, looked up, hashed, crossed, and put side by side.

    Args:
        features: column -> a feature made by the methods below, or the name of one (``"float"``,
            ``"float_normalized"``, ``"float_rescaled"``, ``"float_discretized"``, ``"integer_categorical"``,
            ``"string_categorical"``, ``"integer_hashed"``, ``"string_hashed"``).
        output_mode: ``"concat"`` for one vector, ``"dict"`` for one value per column and cross; in alphabetical order,
            the crosses last.
        crosses: columns to hash together, once they are looked up or cut: tuples of names, or what `cross` makes.
        crossing_dim: buckets of crosses that are given as tuples.
        hashing_dim: buckets of hashed features that are given by name.
        num_discretization_bins: ranges of ``"float_discretized"`` given by name.
        name: name of the layer.

    Shapes:
        A dict of arrays ``(batch,)`` or ``(batch, 1)`` -> ``(batch, width)``, or a dict of ``(batch, width)``. A dict
        of single values gives the same without the batch axis.

    Raises:
        ArgumentError: no features, unknown ones, or data that lacks some.
        NotBuiltError: called before `adapt` where there is something to learn.

    Strings come in arrays and lists; torch has no tensors of them. A space with strings is therefore applied to the
    data on its way to the model, and `get_encoded_features` gives inputs for what it returns. A space of
    numbers can be part of the model as well: from `get_inputs` to `get_encoded_features`.

    Example:

    >>> space = FeatureSpace({"age": "float_rescaled", "city": "string_categorical"})
    >>> people = {"age": [20, 40], "city": ["Bern", "Oslo"]}
    >>> space.adapt(people)
    >>> space(people)
    tensor([[20.,  0.,  0.,  1.],
            [40.,  0.,  1.,  0.]])
    """

    features: dict[str, Feature]
    crosses: list[Cross]
    preprocessors: dict[str, Any]
    crossers: dict[str, Any]

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ArgumentError("FeatureSpace needs features: a dict of column -> feature.")
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = checked_choice(output_mode, ("concat", "dict"), "FeatureSpace: output_mode")
        own = self.__dict__
        own["features"] = {column: self._feature(column, value) for column, value in features.items()}
        own["crosses"] = [self._cross(value) for value in crosses or ()]
        own["_symbolic"] = None
        self.preprocessors = {column: feature.preprocessor for column, feature in self.features.items()}
        self.crossers = {cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}
        self.concat = Concatenate(axis=-1)

    def _feature(self, column: str, value: Any) -> Feature:
        if isinstance(value, Mapping):
            value = deserialize_keras_object(value)
        if isinstance(value, Feature):
            return value
        if value not in _SIMPLE:
            raise ArgumentError(f"Feature {column!r} is none of {', '.join(_SIMPLE)}, but {value!r}.")
        sizes = {
            "float_discretized": {"num_bins": self.num_discretization_bins},
            "integer_hashed": {"num_bins": self.hashing_dim},
            "string_hashed": {"num_bins": self.hashing_dim},
        }
        made: Feature = getattr(self, value)(**sizes.get(value, {}), name=f"{column}_preprocessor")
        return made

    def _cross(self, value: Any) -> Cross:
        if isinstance(value, Mapping):
            value = deserialize_keras_object(value) if "class_name" in value else Cross.from_config(value)
        cross = value if isinstance(value, Cross) else Cross(value, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise ArgumentError(f"The cross {cross.feature_names} names {unknown}, which are no features of the space.")
        return cross

    # ---- kinds of features ----

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Columns of integers or strings that are hashed together into `crossing_dim` buckets."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column that goes through a layer of your own; see `Feature`."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float_rescaled(cls, scale: float = 1.0, offset: float = 0.0, name: str | None = None) -> Feature:
        """A number times `scale` plus `offset`."""
        return Feature("float32", Rescaling(scale, offset, name=name or "float_rescaled_preprocessor"), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number, scaled to mean 0 and variance 1 in the data that is adapted to."""
        return Feature("float32", Normalization(axis=-1, name=name or "float_normalized_preprocessor"), "float")

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """The range that a number lies in: one of `num_bins` that are learned, or those that the boundaries make."""
        name = name or "float_discretized_preprocessor"
        return Feature("float32", Discretization(bin_boundaries, num_bins, name=name), output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """An integer that stands for a category; which there are is learned."""
        name = name or "integer_categorical_preprocessor"
        return Feature("int32", IntegerLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A string that stands for a category; which there are is learned."""
        name = name or "string_categorical_preprocessor"
        return Feature("string", StringLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """An integer, hashed into `num_bins` buckets."""
        return Feature("int32", Hashing(num_bins, name=name or "integer_hashed_preprocessor"), output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """A string, hashed into `num_bins` buckets."""
        return Feature("string", Hashing(num_bins, name=name or "string_hashed_preprocessor"), output_mode)

    # ---- learning ----

    def adapt(self, dataset: Any) -> None:
        """Learn what the features need to know, in one pass over the data; what was learned before is forgotten.

        Args:
            dataset: dict of columns or a data frame; or an iterable of such batches, alone or before targets.

        Raises:
            ArgumentError: something else, no data, or columns that are missing.
        """
        learners = {column: layer for column, layer in self.preprocessors.items() if learns(layer)}
        gathered: dict[str, list[Any]] = {column: [] for column in learners}
        found = False
        for batch in _batches(dataset):
            found = True
            columns, _ = self._columns(batch, learners)
            for column, values in columns.items():
                gathered[column].append(values.numpy() if isinstance(values, torch.Tensor) else values)
        if not found:
            raise ArgumentError("FeatureSpace.adapt received no data: the iterable is empty. Pass a fresh one.")
        for column, layer in learners.items():
            layer.adapt(np.concatenate(gathered[column]))
        self.__dict__["_symbolic"] = None

    # ---- encoding ----

    def __call__(self, data: Any) -> Any:
        """The columns as one vector or a dict; see the class."""
        if _is_frame(data):
            data = dict(data.items())
        if not isinstance(data, Mapping):
            raise ArgumentError(f"FeatureSpace takes a dict of columns, but received {type(data).__name__}.")
        columns, single = self._columns(data, self.features)
        merged = self._merged(self._preprocessed(columns))
        if not single:
            return merged
        return {name: value[0] for name, value in merged.items()} if isinstance(merged, dict) else merged[0]

    call = __call__

    def _columns(self, data: Any, wanted: Iterable[str]) -> tuple[Features, bool]:
        """The wanted columns with a batch axis and one more, and whether they came as single values."""
        missing = [column for column in wanted if column not in data]
        if missing:
            raise ArgumentError(f"The data lacks the features {missing}; it has {sorted(map(str, data))}.")
        columns: Features = {}
        single = False
        for column in wanted:
            value = data[column]
            if not isinstance(value, SymbolicTensor):
                value = _as_column(value, self.features[column].dtype)
                single = single or value.ndim == 0
                value = value.reshape(1, 1) if value.ndim == 0 else value
            columns[column] = value[:, None] if len(value.shape) == 1 else value
        return columns, single

    def _preprocessed(self, columns: Features) -> Features:
        values = {column: self.preprocessors[column](columns[column]) for column in self.features}
        return values | {
            cross.name: self.crossers[cross.name](tuple(values[name] for name in cross.feature_names))
            for cross in self.crosses
        }

    def _merged(self, values: Features) -> Any:
        order = [*sorted(self.features), *sorted(cross.name for cross in self.crosses)]
        encoded = {name: self._encoded(name, values[name]) for name in order}
        if self.output_mode == "dict":
            return encoded
        floats = [cast(value, dtypes.floatx()) for value in encoded.values()]
        return self.concat(floats) if len(floats) > 1 else floats[0]

    def _encoded(self, name: str, value: Any) -> Any:
        described: Any = {**self.features, **{cross.name: cross for cross in self.crosses}}[name]
        if described.output_mode != "one_hot":
            return value
        layer = {**self.preprocessors, **self.crossers}[name]
        return CategoryEncoding(categories(layer, name), output_mode="multi_hot", name=f"{name}_encoder")(value)

    # ---- as part of a model ----

    def get_inputs(self) -> dict[str, SymbolicTensor]:
        """One symbolic input ``(batch, 1)`` for each column, under its name.

        Raises:
            ArgumentError: a column of strings, which no tensor can hold.
        """
        texts = [column for column, feature in self.features.items() if feature.dtype == "string"]
        if texts:
            raise ArgumentError(
                f"The columns {texts} hold strings, which no tensor can hold, so they cannot be inputs of a model. "
                "Apply the FeatureSpace to the data, and build the model on `get_encoded_features()`."
            )
        return dict(self._drawn()["inputs"])

    def get_preprocessed_features(self) -> dict[str, SymbolicTensor]:
        """What the layers make of each column and cross, before it is made one-hot; symbolic."""
        return dict(self._drawn()["preprocessed"])

    def get_encoded_features(self) -> Any:
        """What a call returns, as symbolic tensors to build a model on.

        They come from `get_inputs`; where columns hold strings, they are inputs themselves.
        """
        return self._drawn()["encoded"]

    def _drawn(self) -> Features:
        if self.__dict__["_symbolic"] is None:
            self.__dict__["_symbolic"] = self._draw()
        symbolic: Features = self.__dict__["_symbolic"]
        return symbolic

    def _draw(self) -> Features:
        if all(feature.dtype != "string" for feature in self.features.values()):
            inputs: Features = {
                column: Input((1,), dtype=feature.dtype, name=column) for column, feature in self.features.items()
            }
            values = self._preprocessed(inputs)
            return {"inputs": inputs, "preprocessed": values, "encoded": self._merged(values)}
        columns, _ = self._columns({column: [self._example(column)] for column in self.features}, self.features)
        values = self._preprocessed(columns)
        merged = self._merged(values)
        encoded = _stand_ins(merged) if isinstance(merged, dict) else _stand_ins({self.name: merged})[self.name]
        return {"inputs": None, "preprocessed": _stand_ins(values), "encoded": encoded}

    def _example(self, column: str) -> Any:
        """A value that the column may have."""
        if hasattr(self.preprocessors[column], "get_vocabulary"):
            return self.preprocessors[column].get_vocabulary()[-1]
        return "" if self.features[column].dtype == "string" else 0

    # ---- files ----

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Save the space with what it learned as a `.keras` file, for `ramify.saving.load_model`."""
        save_model(self, filepath)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "features": {column: serialize_keras_object(feature) for column, feature in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [serialize_keras_object(cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The space that `get_config` described."""
        return cls(**config)


def _float(name: str | None = None) -> Feature:
    """A number as it is."""
    return Feature("float32", TFDIdentity(name=name or "float_preprocessor"), "float")


FeatureSpace.float = staticmethod(_float)  # type: ignore[assignment,method-assign] # in the class it would hide the type


def _is_frame(data: Any) -> bool:
    return hasattr(data, "columns") and hasattr(data, "items")


def _batches(dataset: Any) -> Iterator[Any]:
    if isinstance(dataset, Mapping) or _is_frame(dataset):
        yield dataset
        return
    if isinstance(dataset, str) or not isinstance(dataset, Iterable):
        raise ArgumentError(
            f"FeatureSpace.adapt takes a dict of columns or batches of them, but received {type(dataset).__name__}."
        )
    for batch in dataset:
        features = batch[0] if isinstance(batch, (list, tuple)) and batch else batch
        if not isinstance(features, Mapping) and not _is_frame(features):
            raise ArgumentError(
                f"FeatureSpace.adapt takes batches that are dicts of columns, but received {type(features).__name__}."
            )
        yield features


def _as_column(value: Any, dtype: str) -> Any:
    """A tensor of numbers or an array of strings."""
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if dtype == "string":
        return np.asarray(value)
    value = value.detach().cpu() if isinstance(value, torch.Tensor) else torch.as_tensor(np.array(value))
    return value.to(dtypes.to_torch(dtype))


def _stand_ins(values: Mapping[str, Any]) -> dict[str, SymbolicTensor]:
    return {name: Input(tuple(value.shape[1:]), dtype=value.dtype, name=name) for name, value in values.items()}
