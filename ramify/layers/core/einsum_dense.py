"""`EinsumDense`: weighted sums over any axes, by an einsum equation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ramify import activations, constraints, initializers, regularizers
from ramify.errors import ArgumentError, ShapeError
from ramify.layers.core.equation import Equation
from ramify.layers.layer import Layer
from ramify.registry import serializable


@serializable("keras.layers")
class EinsumDense(Layer):
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
        lora_rank: not supported, must be ``None``; so are the next three.
        lora_alpha: see `lora_rank`.
        gptq_unpacked_column_size: see `lora_rank`.
        quantization_config: see `lora_rank`.

    Raises:
        ArgumentError: an equation that is none, or an argument that is not supported.

    Example:

    >>> import ramify
    >>> EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")(ramify.Input((5, 3))).shape
    (None, 5, 8)
    """

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
        if any(x is not None for x in (lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config)):
            raise ArgumentError("EinsumDense has neither LoRA nor quantization built in. Leave these arguments out.")
        self._parsed = Equation.parse(equation)
        self.equation = equation
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias of the sizes that the equation gives them."""
        try:
            kernel, bias = self._parsed.weight_shapes(tuple(input_shape), self.output_shape, self.bias_axes)
        except ShapeError as error:
            raise ShapeError(f"{self.describe()}, equation '{self.equation}': {error}") from None
        self.kernel = self.add_weight(
            kernel,
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if bias is not None:
            self.bias = self.add_weight(
                bias,
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weighted sums, through the activation."""
        summed = self._parsed.trailing
        if summed:  # the usual case is a Dense over the last axes: one matrix product, without einsum's bookkeeping
            kernel = self.kernel
            sizes = kernel.shape[summed:]
            x = inputs if summed == 1 else inputs.flatten(-summed)
            outputs = F.linear(x, kernel.reshape(x.shape[-1], -1).t())
            outputs = outputs if len(sizes) == 1 else outputs.unflatten(-1, sizes)
        else:
            outputs = torch.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        activation = self.activation
        return outputs if activation is activations.linear else activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras files hold them."""
        config = super().get_config()
        for name in ("lora_rank", "lora_alpha", "gptq_unpacked_column_size"):
            del config[name]
        return {"activity_regularizer": None, **config}
