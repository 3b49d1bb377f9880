"""What `FeatureSpace` knows of one column, and of columns that are crossed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from ramify.errors import ArgumentError
from ramify.image_format import checked_choice
from ramify.layers import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    Identity,
    Normalization,
)
from ramify.layers.preprocessing.lookup import IndexLookup
from ramify.registry import serializable
from ramify.saving import deserialize_keras_object, serialize_keras_object

_MODES = ("int", "one_hot", "float")
_MODULE = "keras.src.layers.preprocessing.feature_space"  # what Keras's files say


@serializable(_MODULE)
class TFDIdentity(Identity):
    """What a plain float goes through, under the name that Keras's files give it."""


@serializable(_MODULE)
class Feature:
    """One column: its dtype, the layer that it goes through, and what becomes of the result.

    Args:
        dtype: of the raw values: ``"float32"``, ``"int32"``, ``"int64"`` or ``"string"``.
        preprocessor: the layer.
        output_mode: ``"one_hot"`` (the layer gives numbers of categories), ``"int"`` or ``"float"`` (as it is).

    Raises:
        ArgumentError: another output mode.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype
        self.preprocessor = deserialize_keras_object(preprocessor) if isinstance(preprocessor, dict) else preprocessor
        self.output_mode = checked_choice(output_mode, _MODES, "Feature: output_mode")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        layer = serialize_keras_object(self.preprocessor)
        return {"dtype": self.dtype, "preprocessor": layer, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The feature that `get_config` described."""
        return cls(**config)


@serializable(_MODULE)
class Cross:
    """Columns whose values are hashed together.

    Args:
        feature_names: two columns or more.
        crossing_dim: number of buckets.
        output_mode: ``"one_hot"`` or ``"int"``.

    Raises:
        ArgumentError: another output mode, or fewer than two columns.
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        self.feature_names = tuple(feature_names)
        if len(self.feature_names) < 2 or isinstance(feature_names, str):
            raise ArgumentError(f"A cross takes two features or more, but got {feature_names!r}.")
        self.crossing_dim = crossing_dim
        self.output_mode = checked_choice(output_mode, _MODES[:2], "Cross: output_mode")

    @property
    def name(self) -> str:
        """The columns' names, with ``_X_`` between them."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = list(self.feature_names)
        return {"feature_names": names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The cross that `get_config` described."""
        return cls(**config)


def learns(layer: Any) -> bool:
    """Whether a layer is to be adapted: it can be, and what it would learn was not given."""
    if isinstance(layer, Normalization):
        return layer.input_mean is None
    if isinstance(layer, Discretization):
        return not layer.input_bin_boundaries
    if isinstance(layer, IndexLookup):
        return layer.input_vocabulary is None
    return hasattr(layer, "adapt")


def categories(layer: Any, name: str) -> int:
    """How many numbers a layer may give.

    Raises:
        ArgumentError: it cannot be told.
    """
    if isinstance(layer, (Hashing, HashedCrossing)):
        return layer.num_bins
    if isinstance(layer, Discretization):
        return len(layer.bin_boundaries or ()) + 1
    if isinstance(layer, CategoryEncoding):
        return layer.num_tokens
    if hasattr(layer, "vocabulary_size"):
        return int(layer.vocabulary_size())
    raise ArgumentError(
        f"Feature {name!r} is to be one-hot, but how many categories {type(layer).__name__} gives is not known. Use "
        "output_mode='int' or 'float', and encode in the layer."
    )
