"""`Dense`: every output is a weighted sum of all inputs."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify import activations
from ramify.errors import ShapeError
from ramify.layers.arguments import own_arguments, settle
from ramify.layers.input_spec import InputSpec
from ramify.layers.layer import Layer
from ramify.layers.low_rank import LowRank
from ramify.quantizers.layers import QuantizedMatrix
from ramify.registry import serializable


@serializable("keras.layers")
class Dense(LowRank, QuantizedMatrix, Layer):
    """``activation(inputs @ kernel + bias)`` over the last axis.

    Args:
        units: size of the output's last axis.
        activation: name or function; none when not given.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel of shape ``(inputs, units)`` starts.
        bias_initializer: how the bias of shape ``(units,)`` starts.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: applied to the kernel after every update.
        bias_constraint: applied to the bias after every update.
        lora_rank: rank of a low-rank update that is trained in place of the kernel; see `enable_lora`.
        lora_alpha: the update is scaled by ``lora_alpha / lora_rank``; `lora_rank` when not given.
        quantization_config: how `quantize` goes about it when it is told nothing else.

    Shapes:
        ``(batch, ..., inputs)`` -> ``(batch, ..., units)``.

    Example:

    >>> import ramify
    >>> Dense(10)(ramify.Input(shape=(784,))).shape
    (None, 10)
    """

    units: int
    activation: Any

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        settle(self, own_arguments(locals()))
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias for the size of the last axis."""
        size = input_shape[-1]
        if size is None:
            raise ShapeError(
                f"{self.describe()} needs to know the size of its input's last axis, but received shape {input_shape}. "
                "Give it in `Input(shape=...)`."
            )
        self.kernel = self.add_weight_of("kernel", (size, self.units))
        self.bias = self.add_weight_of("bias", (self.units,)) if self.use_bias else None
        self.build_lora()
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.build_quantized(input_shape)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """The weighted sums, through the activation."""
        if self.is_quantized:
            return self.quantized_call(inputs)
        bias, kernel = self.bias, self.updated_weight() if self.lora_enabled else self.kernel
        if inputs.ndim == 2 and bias is not None:
            outputs = torch.addmm(bias, inputs, kernel)
        else:
            outputs = F.linear(inputs, kernel.t(), bias)
        activation = self.activation
        return outputs if activation is activations.linear else activation(outputs)

    # ---- quantization ----

    @property
    def matrix_columns(self) -> int:
        """Columns of the kernel."""
        return self.units

    def product(self, inputs: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        """The weighted sums alone."""
        return inputs @ kernel

    def whole_product(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """The weighted sums of whole numbers, where torch has a kernel for them."""
        if inputs.device.type != "cpu":
            return None
        sums = torch._int_mm(inputs.flatten(0, -2), self.kernel)  # noqa: SLF001 - torch has no other name for it
        return sums.unflatten(0, inputs.shape[:-1]).to(self.compute_torch_dtype) / self.kernel_scale
