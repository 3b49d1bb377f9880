"""`EinsumDense`: weighted sums over any axes, by an einsum equation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify import activations
from ramify.errors import ShapeError
from ramify.layers.arguments import own_arguments, settle
from ramify.layers.core.equation import Equation
from ramify.layers.layer import Layer
from ramify.layers.low_rank import LowRank
from ramify.quantizers.layers import QuantizedMatrix
from ramify.registry import serializable


@serializable("keras.layers")
class EinsumDense(LowRank, QuantizedMatrix, Layer):
    """``activation(einsum(equation, inputs, kernel) + bias)``.

    Args:
        equation: ``"input,kernel->output"``, a letter for each axis; ``...`` at the left or the right stands for axes
            that pass through.
        output_shape: the output's shape without the batch axis and the axes of ``...``; ``None`` where a size is
            that of the input.
        activation: name or function; none when not given.
        bias_axes: letters of the output's axes along which the bias differs; no bias when not given.
        kernel_initializer: how the kernel starts.
        bias_initializer: how the bias starts.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        kernel_constraint: applied to the kernel after every update.
        bias_constraint: applied to the bias after every update.
        lora_rank: rank of a low-rank update that is trained in place of the kernel; see `enable_lora`.
        lora_alpha: the update is scaled by ``lora_alpha / lora_rank``; `lora_rank` when not given.
        gptq_unpacked_column_size: accepted for files of Keras; the equation says it.
        quantization_config: how `quantize` goes about it when it is told nothing else.

    Raises:
        ArgumentError: an equation that is none, or an argument that is not supported.

    Example:

    >>> import ramify
    >>> EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")(ramify.Input((5, 3))).shape
    (None, 5, 8)
    """

    left_out_of_config = ("gptq_unpacked_column_size",)
    bias_axes: str | None
    activation: Any

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._parsed = Equation.parse(equation)
        settle(self, own_arguments(locals()))
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias of the sizes that the equation gives them."""
        try:
            kernel, bias = self._parsed.weight_shapes(tuple(input_shape), self.output_shape, self.bias_axes)
        except ShapeError as error:
            raise ShapeError(f"{self.describe()}, equation '{self.equation}': {error}") from None
        self.kernel = self.add_weight_of("kernel", kernel)
        self.bias = None if bias is None else self.add_weight_of("bias", bias)
        self._kernel_shape = tuple(self.kernel.shape)
        self._is_affine = bool(self._parsed.trailing) and self.bias_axes == self._parsed.kernel[self._parsed.trailing :]
        self.build_lora()
        self.build_quantized(input_shape)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weighted sums, through the activation."""
        if self.is_quantized:
            return self.quantized_call(inputs)
        kernel, bias = self.updated_weight() if self.lora_enabled else self.kernel, self.bias
        outputs = self.product(inputs, kernel, bias if self._is_affine else None)
        if bias is not None and not self._is_affine:
            outputs = outputs + bias
        activation = self.activation
        return outputs if activation is activations.linear else activation(outputs)

    def product(self, inputs: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """The weighted sums alone, or with a bias that has all axes that they make."""
        summed = self._parsed.trailing
        if summed:  # the usual case is a Dense over the last axes: one matrix product, without einsum's bookkeeping
            sizes = kernel.shape[summed:]
            x = inputs if summed == 1 else inputs.flatten(-summed)
            outputs = F.linear(x, kernel.reshape(x.shape[-1], -1).t(), None if bias is None else bias.reshape(-1))
            return outputs if len(sizes) == 1 else outputs.unflatten(-1, sizes)
        return torch.einsum(self.equation, inputs, kernel)

    # ---- quantization ----

    @property
    def summed_axes(self) -> tuple[int, ...]:  # type: ignore[override]
        """The axes of the kernel that are not in the output."""
        return tuple(i for i, letter in enumerate(self._parsed.kernel) if letter not in self._parsed.outputs)

    def summed_input_axes(self) -> tuple[int, ...]:
        """The axes of the input that are summed, counted from the side without dots."""
        letters = self._parsed.inputs
        first = 0 if self._parsed.dots == "right" else -len(letters)
        return tuple(first + i for i, letter in enumerate(letters) if letter in self._parsed.kernel)

    @property
    def _order(self) -> tuple[int, ...]:
        summed = self.summed_axes
        return (*summed, *(i for i in range(len(self._kernel_shape)) if i not in summed))

    @property
    def matrix_columns(self) -> int:
        """Columns of the kernel as a matrix."""
        summed = self.summed_axes
        return math.prod(size for i, size in enumerate(self._kernel_shape) if i not in summed)

    def as_matrix(self, weight: torch.Tensor) -> torch.Tensor:
        """The kernel with its summed axes as rows, the others as columns."""
        return weight.permute(self._order).reshape(-1, self.matrix_columns)

    def from_matrix(self, matrix: torch.Tensor) -> torch.Tensor:
        """The kernel that `as_matrix` took apart."""
        order = self._order
        turned = matrix.reshape([self._kernel_shape[axis] for axis in order])
        return turned.permute([order.index(axis) for axis in range(len(order))])

    def as_stored_matrix(self, weight: torch.Tensor) -> torch.Tensor:
        """As Keras stores it: by its sizes alone, whatever the order of the axes."""
        return weight.reshape(-1, self.matrix_columns)

    def from_stored_matrix(self, matrix: torch.Tensor) -> torch.Tensor:
        """The way back."""
        return matrix.reshape(self._kernel_shape)

    def outer_scale(self, scale: torch.Tensor) -> torch.Tensor:
        """Scales in the axes of the output, of size 1 along those that the kernel has not."""
        parsed = self._parsed
        sizes = dict(zip(parsed.kernel, scale.shape, strict=True))
        kept = [letter for letter in parsed.outputs if letter in sizes]
        turned = scale.squeeze(self.summed_axes) if self.summed_axes else scale
        rest = [letter for letter in parsed.kernel if letter in parsed.outputs]
        turned = turned.permute([rest.index(letter) for letter in kept])
        return turned.reshape([sizes.get(letter, 1) for letter in parsed.outputs])

    def inner_scale(self, scale: torch.Tensor) -> torch.Tensor:
        """Scales in the axes of the kernel."""
        parsed = self._parsed
        sizes = dict(zip(parsed.outputs, scale.shape, strict=True))
        kept = [letter for letter in parsed.outputs if letter in parsed.kernel]
        rest = [letter for letter in parsed.kernel if letter in parsed.outputs]
        turned = scale.reshape([sizes[letter] for letter in kept]).permute([kept.index(letter) for letter in rest])
        return turned.reshape([sizes.get(letter, 1) for letter in parsed.kernel])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras files hold them."""
        return {"activity_regularizer": None, **super().get_config()}
