"""Weights in ``.safetensors``, under the names of the state dict, as PyTorch's world has them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch

from ramify.errors import FileFormatError
from ramify.layers.layer import Layer
from ramify.saving import archive, tensor_file
from ramify.saving.checksums import KEY
from ramify.saving.loading import kind_of
from ramify.saving.report import LoadReport, refuse, warn


def write(model: Layer, path: Path) -> None:
    """Write a model's state dict, each tensor once, with a checksum for each.

    Raises:
        OSError: the disk is full, or fails otherwise.
    """
    tensors = _tensors(model)
    sums = {name: _digest(tensor) for name, tensor in tensors.items()}
    tensor_file.write(path, tensors, {"format": "pt", f"{KEY}_sha256": json.dumps(sums)})


def read(model: Layer, path: Path, *, skip: bool, by_name: bool) -> LoadReport:
    """Read a model's state dict.

    Args:
        model: the model.
        path: the file.
        skip: leave what does not fit as it is, with a warning.
        by_name: read the names that both have, and leave the others.

    Raises:
        FileFormatError: a damaged file, or one that does not fit; the model is unchanged then.
    """
    own = _tensors(model)
    aliases = {name for name in model.state_dict() if name not in own}
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            _check_header(path)
            there = set(file.keys())
            absent = {name: f"'{name}' is missing in the file" for name in own if name not in there}
            wrong = _compared({name: own[name] for name in own if name in there}, file)
            unused = sorted(there - set(own) - aliases)
            problems = list(wrong.values())
            if not by_name:
                extra = [f"'{name}' in the file belongs to nothing in the model" for name in unused]
                problems = [*absent.values(), *problems, *extra]
            if problems and not skip:
                refuse(problems, str(path), model)
            fitting = [name for name in own if name in there and name not in wrong]
            sums = _saved_sums(file.metadata(), path)
            values = {name: _checked(file, name, sums, path) for name in fitting}
    except (safetensors.SafetensorError, OSError) as error:
        raise FileFormatError(f"{path} is no safetensors file, or a damaged one: {error}.") from None
    with torch.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
    if problems:
        warn(problems, str(path), model)
    left = (*problems, *(absent.values() if by_name else ()))
    return LoadReport(str(path), tuple(fitting), left, tuple(unused))


def _check_header(path: Path) -> None:
    """Refuse a header, which is JSON, with two entries of one name."""
    with path.open("rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
    archive.parsed_within(header, path.stat().st_size, f"The header of {path}")


def _tensors(model: Layer) -> dict[str, torch.Tensor]:
    """The state dict, with what several names share only under the first."""
    found: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if isinstance(tensor, torch.Tensor) and id(tensor) not in seen:
            seen.add(id(tensor))
            found[name] = tensor.detach().as_subclass(torch.Tensor)
    return found


def _digest(tensor: torch.Tensor) -> str:
    digest = hashlib.sha256(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
    for piece in tensor_file.pieces(tensor):
        digest.update(piece)
    return digest.hexdigest()


def _checked(file: Any, name: str, sums: Mapping[str, str], path: Path) -> torch.Tensor:
    tensor: torch.Tensor = file.get_tensor(name)
    if name in sums and _digest(tensor) != sums[name]:
        raise FileFormatError(
            f"The data of '{name}' in {path} is not what was saved: its SHA-256 differs. The file is damaged; take a "
            "copy of it."
        )
    return tensor


def _saved_sums(metadata: Mapping[str, str] | None, path: Path) -> dict[str, str]:
    text = (metadata or {}).get(f"{KEY}_sha256")
    return archive.parsed(text, f"The checksums in {path}") if text else {}


def _compared(own: Mapping[str, torch.Tensor], file: Any) -> dict[str, str]:
    """Name -> what is wrong with it, for the tensors of other shapes and dtypes."""
    wrong: dict[str, str] = {}
    for name, tensor in own.items():
        piece = file.get_slice(name)
        shape = tuple(piece.get_shape())
        if shape != tuple(tensor.shape):
            wrong[name] = f"'{name}' has shape {tuple(tensor.shape)}, in the file {shape}"
        elif _family(str(piece.get_dtype())) != kind_of(tensor.dtype):
            wrong[name] = f"'{name}' has dtype {tensor.dtype}, in the file {piece.get_dtype()}"
    return wrong


def _family(name: str) -> str:
    """The kind of a dtype by safetensors' name for it."""
    if name.startswith(("F", "BF")):
        return "float"
    return {"B": "bool", "C": "complex"}.get(name[0], "int")
