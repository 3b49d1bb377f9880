"""Weights alone: ``.weights.h5`` as Keras has them, ``.safetensors`` as PyTorch's world has them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from ramify.errors import ArgumentError, FileFormatError
from ramify.layers.layer import Layer
from ramify.lazy import lazy
from ramify.saving import archive, hdf5
from ramify.saving.checksums import KEY
from ramify.saving.files import existing, may_write, replacing
from ramify.saving.loading import kind_of, load, report
from ramify.saving.parts import parts_of

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")


def save_weights(
    model: Layer,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Save a model's weights.

    Args:
        model: the model.
        filepath: ends in ``.weights.h5``, which Keras can load, or in ``.safetensors``: names as in `state_dict`.
        overwrite: whether a file of that name may be replaced.
        max_shard_size: must be ``None``: weights are saved in one file.
        **kwargs: none are taken.

    Raises:
        ArgumentError: another ending, or a model without weights yet.
        FileExistsError: the file exists and `overwrite` is false.
    """
    if kwargs or max_shard_size is not None:
        raise ArgumentError("Weights are saved in one file. Leave `max_shard_size` and other options out.")
    name = os.fspath(filepath)
    if not name.endswith((".weights.h5", ".safetensors")):
        raise ArgumentError(f"Weights are saved in files that end in `.weights.h5` or `.safetensors`, not as {name!r}.")
    if not model.built:
        raise ArgumentError(f"{model.describe()} has no weights to save yet. Build it, or call it on data first.")
    path = may_write(filepath, overwrite=overwrite)
    with replacing(path) as beside:
        if name.endswith(".safetensors"):
            _write_safetensors(model, beside)
            return
        with h5py.File(beside, "w") as file:
            sums = hdf5.write(file, list(parts_of(model)))
            file.create_dataset(hdf5.SUMS, data=np.frombuffer(hdf5.sums_bytes(sums), dtype=np.uint8))


def load_weights(model: Layer, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Load a model's weights.

    Args:
        model: the model, built.
        filepath: a ``.weights.h5``, ``.keras`` or ``.safetensors`` file.
        skip_mismatch: leave weights that do not fit as they are, and warn, instead of raising.
        **kwargs: none are taken.

    Raises:
        FileFormatError: no such file, a damaged one, or weights that do not fit; the model is unchanged then.
    """
    if kwargs:
        raise ArgumentError(f"`load_weights` takes no {', '.join(kwargs)}. Leave it out.")
    path = existing(filepath, "weights file")
    if path.suffix == ".safetensors":
        _load_safetensors(model, path, skip=skip_mismatch)
    elif path.suffix == ".keras":
        with archive.Archive(path) as file:
            own = file.json(archive.METADATA).get(KEY)
            sums = own.get("sha256") if isinstance(own, dict) else None
            size = 8 * sum(weight.nbytes for weight in model.weights) + 2**26
            with file.weights(size) as source, hdf5.WeightFile(source, str(path), sums) as weights:
                load(model, weights, skip_mismatch=skip_mismatch)
    elif path.suffix in (".h5", ".hdf5"):
        with hdf5.WeightFile(path, str(path)) as weights:
            if "layer_names" in weights.attributes:
                raise FileFormatError(f"{path} has Keras 2's layout. Open it with Keras and save it as `.weights.h5`.")
            load(model, weights, skip_mismatch=skip_mismatch)
    else:
        kinds = "`.weights.h5`, `.keras` or `.safetensors`"
        raise ArgumentError(f"Weights are loaded from {kinds}, not from {path.name!r}.")


# ---- safetensors ----


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
    digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _write_safetensors(model: Layer, path: Path) -> None:
    tensors = {name: tensor.cpu().contiguous() for name, tensor in _tensors(model).items()}
    sums = {name: _digest(tensor) for name, tensor in tensors.items()}
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt", f"{KEY}_sha256": json.dumps(sums)})


def _load_safetensors(model: Layer, path: Path, *, skip: bool) -> None:
    own = _tensors(model)
    aliases = {name for name in model.state_dict() if name not in own}
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            problems = _compared(own, aliases, file)
            if problems:
                report(problems, str(path), model, skip=skip)
            sums = _saved_sums(file.metadata(), path)
            fitting = [name for name in own if not any(problem.startswith(f"'{name}'") for problem in problems)]
            for name in fitting:
                if name in sums and _digest(file.get_tensor(name)) != sums[name]:
                    raise FileFormatError(
                        f"The data of '{name}' in {path} is not what was saved: its SHA-256 differs. The file is "
                        "damaged; take a copy of it."
                    )
            with torch.no_grad():
                for name in fitting:
                    own[name].copy_(file.get_tensor(name))
    except (safetensors.SafetensorError, OSError) as error:
        raise FileFormatError(f"{path} is no safetensors file, or a damaged one: {error}.") from None


def _saved_sums(metadata: Mapping[str, str] | None, path: Path) -> dict[str, str]:
    text = (metadata or {}).get(f"{KEY}_sha256")
    return archive.parsed(text, f"The checksums in {path}") if text else {}


def _compared(own: Mapping[str, torch.Tensor], aliases: set[str], file: Any) -> list[str]:
    problems = []
    there = set(file.keys())
    for name, tensor in own.items():
        if name not in there:
            problems.append(f"'{name}' is missing in the file")
            continue
        piece = file.get_slice(name)
        shape = tuple(piece.get_shape())
        if shape != tuple(tensor.shape):
            problems.append(f"'{name}' has shape {tuple(tensor.shape)}, in the file {shape}")
        elif _family(str(piece.get_dtype())) != kind_of(tensor.dtype):
            problems.append(f"'{name}' has dtype {tensor.dtype}, in the file {piece.get_dtype()}")
    problems += [f"'{name}' in the file belongs to nothing in the model" for name in sorted(there - set(own) - aliases)]
    return problems


def _family(name: str) -> str:
    """The kind of a dtype by safetensors' name for it."""
    if name.startswith(("F", "BF")):
        return "float"
    return {"B": "bool", "C": "complex"}.get(name[0], "int")
