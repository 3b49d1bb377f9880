"""`Input`: where data enters a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ramify import dtypes
from ramify.errors import ArgumentError, GraphError
from ramify.graph import SymbolicTensor, placeholder
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class InputLayer(Layer):
    """The layer behind an `Input`; it computes nothing.

    Args:
        shape: sizes of one sample, ``None`` for unknown ones, without the batch axis.
        batch_size: the batch's size, where it is fixed.
        dtype: dtype of the data, float32 when not given.
        sparse: not supported, must be false.
        ragged: not supported, must be false.
        batch_shape: the shape with the batch axis, in place of `shape` and `batch_size`.
        input_tensor: a symbolic tensor to take shape and dtype from.
        optional: whether ``None`` may be fed.
        name: name of the input; data can be fed in a dict under it.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: SymbolicTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if sparse or ragged:
            raise ArgumentError("Sparse and ragged inputs are not supported. Pad to a dense tensor and use masks.")
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if batch_shape is None:
            if shape is None:
                raise ArgumentError("An input needs a shape: `Input(shape=(784,))`, without the batch axis.")
            batch_shape = (batch_size, *((shape,) if isinstance(shape, int) else shape))
        self.batch_shape = tuple(batch_shape)
        self.sparse = self.ragged = False
        self.optional = optional
        self._data_dtype = dtypes.name(dtype)
        self.built = True
        self.__dict__["_tensor"] = placeholder(self, self.batch_shape, self._data_dtype)

    def __getstate__(self) -> dict[str, Any]:
        """A copy belongs to another graph, which brings the tensor along."""
        return {name: value for name, value in super().__getstate__().items() if name != "_tensor"}

    def build_here(self, shapes: dict[str, Any]) -> None:
        """Nothing to build."""

    def call(self, *_: Any) -> Any:
        """Never run: graphs start after their inputs.

        Raises:
            GraphError: always.
        """
        raise GraphError(f"{self.describe()} is where data enters; it cannot be called. Use its `output`.")

    @property
    def dtype(self) -> str:
        """The dtype of the data."""
        return self._data_dtype

    @property
    def batch_size(self) -> int | None:
        """The batch's size, where it is fixed."""
        return self.batch_shape[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        shape = list(self.batch_shape)
        return {
            "batch_shape": tuple(shape),
            "dtype": self._data_dtype,
            "sparse": False,
            "ragged": False,
            "optional": self.optional,
            "name": self.name,
        }


def Input(  # noqa: N802 - the public name of Keras
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: SymbolicTensor | None = None,
    optional: bool = False,
) -> SymbolicTensor:
    """A symbolic tensor that stands for data to come.

    Args:
        shape: sizes of one sample, ``None`` for unknown ones, without the batch axis.
        batch_size: the batch's size, where it is fixed.
        dtype: dtype of the data, float32 when not given.
        sparse: not supported, must be false.
        ragged: not supported, must be false.
        batch_shape: the shape with the batch axis, in place of `shape` and `batch_size`.
        name: name of the input; data can be fed in a dict under it.
        tensor: a symbolic tensor to take shape and dtype from.
        optional: whether ``None`` may be fed.

    Returns:
        A `SymbolicTensor` of shape ``(batch_size, *shape)``.

    Example:

    >>> Input(shape=(784,)).shape
    (None, 784)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    tensor_out: SymbolicTensor = layer.output
    return tensor_out
