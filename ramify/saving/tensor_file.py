"""Safetensors files, written piece by piece: no copy of the tensors in memory, and no further file on the disk.

A file is the header's length in eight bytes, the header as JSON, and the tensors' bytes without gaps. See
https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from ramify.errors import ArgumentError

_NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2", torch.complex64: "C64",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint64: "U64", torch.uint32: "U32", torch.uint16: "U16", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
_ALIGNED = 8
_PIECE = 16 * 2**20


def write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file.

    Args:
        path: where to.
        tensors: by name, of any shapes, on any device.
        metadata: texts for the header.

    Raises:
        ArgumentError: a dtype that such files do not have.
        OSError: the disk is full, or fails otherwise.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # so that all stand aligned
    end = 0
    for name in names:
        tensor, start = tensors[name], end
        if tensor.dtype not in _NAMES:
            raise ArgumentError(f"'{name}' has dtype {tensor.dtype}, which safetensors files do not have. Convert it.")
        end += tensor.nbytes
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNED)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            for piece in pieces(tensors[name]):
                file.write(piece)


def pieces(tensor: torch.Tensor) -> Iterator[memoryview]:
    """The bytes of a tensor, row by row."""
    flat = tensor.detach().as_subclass(torch.Tensor).cpu().contiguous().reshape(-1)
    data = flat.view(torch.uint8).numpy().data
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]
