"""Quantization that looks at data: what reaches each layer, then GPTQ or AWQ layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import torch

from ramify.errors import ArgumentError
from ramify.quantizers.awq import AWQ
from ramify.quantizers.gptq import GPTQ
from ramify.quantizers.packed import grouped


def calibrate(model: Any, layers: list[Any], config: Any) -> None:
    """Quantize layers by what data make of their inputs.

    With a structure of blocks, each block sees what the quantized blocks before it give; else every layer sees what
    the full model gives.
    """
    samples = list(_samples(config))
    structure = config.quantization_layer_structure or model.get_quantization_layer_structure(config.mode)
    if structure is None:
        _quantize(layers, config, partial(_run, model, samples))
        return
    if not {"pre_block_layers", "sequential_blocks"} <= set(structure):
        raise ArgumentError("A structure of blocks needs the keys 'pre_block_layers' and 'sequential_blocks'.")
    with torch.no_grad():
        for before in structure["pre_block_layers"]:
            samples = [before(x) for x in samples]
        for block in structure["sequential_blocks"]:
            inside = set(block.modules())
            own = [layer for layer in layers if layer in inside]
            _quantize(own, config, partial(_run, block, samples))
            samples = [block(x) for x in samples]


def _run(block: Any, samples: list[Any]) -> None:
    for x in samples:
        block(x)


def _quantize(layers: Sequence[Any], config: Any, run: Any) -> None:
    kind = GPTQ if config.mode == "gptq" else AWQ
    seen = {layer: kind(layer.as_matrix(layer.kernel.detach()).t(), config) for layer in layers}
    with ExitStack() as stack, torch.no_grad():
        for layer, method in seen.items():
            stack.callback(layer.register_forward_pre_hook(_watch(layer, method)).remove)
        run()
    for layer, method in seen.items():
        if not method.count:
            raise ArgumentError(f"No data reached {layer.describe()}. Leave it out by `filters`, or pass other data.")
        numbers, scale, zero, groups, factors = method.quantized()
        parts = grouped(layer, numbers, scale, zero, groups, config.weight_bits)
        if factors is not None:
            parts["awq_scales"] = factors
        layer.put_quantized(parts)
        layer.finish_quantization(config)


def _watch(layer: Any, method: Any) -> Any:
    def hook(_: Any, args: tuple[Any, ...]) -> None:
        x = args[0].detach()
        axes = [axis % x.ndim for axis in layer.summed_input_axes()]
        rest = [axis for axis in range(x.ndim) if axis not in axes]
        method.see(x.permute(*rest, *axes).reshape(-1, method.inputs))

    return hook


def _samples(config: Any) -> Iterator[torch.Tensor]:
    """Inputs of one sample each: windows of token ids, or arrays as they are."""
    if config.dataset is None:
        raise ArgumentError(f"{type(config).__name__} has no data to look at. Give it `dataset`.")
    items: Iterable[Any] = config.dataset
    arrays = [np.asarray(config.tokenizer(item) if isinstance(item, str) else item) for item in items]
    if not arrays:
        raise ArgumentError("The data to look at are empty. Give `dataset` at least one sample.")
    if all(np.issubdtype(array.dtype, np.floating) for array in arrays):
        yield from (torch.as_tensor(array[None]) for array in arrays[: config.num_samples])
        return
    tokens = np.concatenate([array.reshape(-1) for array in arrays])
    length = config.sequence_length
    if len(tokens) < length:
        raise ArgumentError(f"{len(tokens)} token ids make no sample of {length}. Give more data, or a smaller length.")
    count = min(config.num_samples, len(tokens) - length + 1)
    for start in np.linspace(0, len(tokens) - length, count).astype(int):
        yield torch.as_tensor(tokens[start : start + length][None])
