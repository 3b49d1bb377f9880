"""Matrices of weights in whole numbers: how each mode keeps them, and the way back to floats."""

from __future__ import annotations

from typing import Any

import torch

from ramify.quantizers.configs import (
    AWQConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
)
from ramify.quantizers.functional import abs_max_quantize, abs_max_quantize_grouped_with_zero_point
from ramify.quantizers.int4 import pack_int4, unpack_int4

Tensor = torch.Tensor

# What a file holds behind the matrix itself and the bias.
NAMES = {
    "int8": ("scale",),
    "int4": ("scale", "zero", "g_idx"),
    "gptq": ("scale", "zero", "g_idx"),
    "awq": ("scale", "zero", "awq_scales", "g_idx"),
}


def config_of(policy: Any) -> Any:
    """The config that a dtype policy alone tells."""
    mode, *numbers = policy.name.partition("_from_")[0].split("/")
    if mode == "int4":
        return Int4QuantizationConfig(block_size=int(numbers[0]) if numbers else None)
    if mode in ("gptq", "awq"):
        kind = GPTQConfig if mode == "gptq" else AWQConfig
        return kind(None, None, weight_bits=int(numbers[0]), group_size=int(numbers[1]))
    return Float8QuantizationConfig() if mode == "float8" else Int8QuantizationConfig()


def quantized(layer: Any, weight: Tensor, config: Any) -> dict[str, Tensor]:
    """The parts of a weight, for the modes that look at nothing but the weight."""
    name = layer.matrix_name
    quantizer = config.weight_quantizer
    if config.mode == "int8":
        numbers, scale = _by_abs_max(quantizer, weight, layer.summed_axes, (-127, 127))
        return {name: numbers, f"{name}_scale": layer.outer_scale(scale)}
    matrix = layer.as_stored_matrix(weight)
    if config.block_size in (None, -1):
        numbers, scale = _by_abs_max(quantizer, matrix, (0,), (-8, 7))
        return {name: _packed(layer, numbers), f"{name}_scale": scale.squeeze(0)}
    size = config.block_size
    # In a table, as in Keras's, a last block that is not full counts as filled up with zeros.
    filled = torch.nn.functional.pad(matrix, (0, 0, 0, -len(matrix) % size)) if layer.stands_by_rows else matrix
    numbers, scale, zero = abs_max_quantize_grouped_with_zero_point(filled, size)
    numbers = numbers[: len(matrix)]
    groups = torch.arange(len(matrix), device=matrix.device) // size
    parts = {f"{name}_scale": scale, f"{name}_zero": zero}
    turned = {key: part.t() if layer.stands_by_rows else part for key, part in parts.items()}
    return {name: _packed(layer, numbers), **turned, "g_idx": groups.to(torch.float32)}


def _by_abs_max(quantizer: Any, x: Tensor, axes: tuple[int, ...], limits: tuple[int, int]) -> tuple[Tensor, Tensor]:
    result: tuple[Tensor, Tensor] = abs_max_quantize(x, axes, limits) if quantizer is None else quantizer(x)
    return result


def _packed(layer: Any, numbers: Tensor) -> Tensor:
    return pack_int4(numbers.t() if layer.stands_by_rows else numbers, axis=-1)[0]


def grouped(layer: Any, numbers: Tensor, scale: Tensor, zero: Tensor, groups: Tensor, bits: int) -> dict[str, Tensor]:
    """The parts that the methods which look at data give: a row for every output.

    Args:
        layer: whose weight it is.
        numbers: of shape ``(outputs, inputs)``, 0 and up.
        scale: of shape ``(outputs, groups)``.
        zero: likewise.
        groups: the group of each input.
        bits: of a number; two of 4 bits stand in a byte.
    """
    name = layer.matrix_name
    stored = numbers.to(torch.uint8)
    return {
        name: pack_int4(stored, axis=0, dtype="uint8")[0] if bits == 4 else stored,
        f"{name}_scale": scale,
        f"{name}_zero": zero.to(torch.uint8),
        "g_idx": groups.to(torch.float32),
    }


def blank(layer: Any, weight: Tensor, config: Any) -> dict[str, Tensor]:
    """Parts of the right shapes and dtypes."""
    if config.mode in ("int8", "int4"):
        return quantized(layer, torch.zeros_like(weight), config)
    rows, columns = layer.as_matrix(weight).shape
    size = rows if config.group_size == -1 else config.group_size
    kept = weight.new_ones(columns, -(-rows // size))
    numbers = torch.zeros(columns, rows, dtype=torch.uint8, device=weight.device)
    parts = grouped(layer, numbers, kept, torch.zeros_like(kept), weight.new_zeros(rows), config.weight_bits)
    return {**parts, "awq_scales": weight.new_ones(rows)} if config.mode == "awq" else parts


def restored(layer: Any) -> Tensor:
    """The weight in floats."""
    name, mode, kind = layer.matrix_name, layer.quantization_mode, layer.compute_torch_dtype
    numbers, scale = getattr(layer, name), getattr(layer, f"{name}_scale").to(kind)
    if mode == "int8":
        return numbers.to(kind) / layer.inner_scale(scale)
    zero: Any = getattr(layer, f"{name}_zero", None)
    if mode == "int4":
        whole = unpack_int4(numbers, layer.matrix_columns, axis=-1).to(kind)
        if zero is None:
            return layer.from_stored_matrix(whole / scale)
        groups = layer.g_idx.to(torch.int64)
        return layer.from_stored_matrix((whole - zero.to(kind)[groups]) * scale[groups])
    bits = layer.quantization_config.weight_bits
    stored = unpack_int4(numbers, layer.matrix_columns, axis=0, dtype="uint8") if bits == 4 else numbers
    groups = layer.g_idx.to(torch.int64)
    matrix = ((stored.to(kind) - zero.to(kind)[:, groups]) * scale[:, groups]).t()
    if mode == "awq":
        matrix = matrix / layer.awq_scales.to(kind)[:, None]
    return layer.from_matrix(matrix)


def restored_rows(layer: Any, rows: Tensor | slice) -> Tensor:
    """Some rows of a weight that stands by rows, in floats: an embedding never restores its whole table."""
    name, kind = layer.matrix_name, layer.compute_torch_dtype
    numbers, scale = getattr(layer, name)[rows], getattr(layer, f"{name}_scale").to(kind)[rows]
    if layer.quantization_mode == "int8":
        return numbers.to(kind) / scale.unsqueeze(-1)
    whole = unpack_int4(numbers, layer.matrix_columns, axis=-1).to(kind)
    zero = getattr(layer, f"{name}_zero", None)
    if zero is None:
        return whole / scale.unsqueeze(-1)
    groups = layer.g_idx.to(torch.int64)
    return (whole - zero.to(kind)[rows][..., groups]) * scale[..., groups]
