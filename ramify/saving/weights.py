"""Weights alone: ``.weights.h5`` as Keras has them, whole or in shards; ``.safetensors`` as PyTorch has them."""

from __future__ import annotations

import os
import warnings
from typing import Any

from ramify.errors import ArgumentError
from ramify.layers.layer import Layer
from ramify.saving import archive, hdf5, legacy, sharded, tensors
from ramify.saving.files import existing, may_write, replacing
from ramify.saving.loading import load
from ramify.saving.metadata import saved_sums
from ramify.saving.parts import count_of, parts_of
from ramify.saving.report import LoadReport
from ramify.saving.sink import created


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
        filepath: ends in ``.weights.h5``, which Keras can load; in ``.safetensors``, where names are those of
            `state_dict`; or, for several files, in ``.weights.json``.
        overwrite: whether a file of that name may be replaced.
        max_shard_size: in GiB; the weights are spread over files of at most this size, which lie beside an index that
            ends in ``.weights.json``.
        **kwargs: none are taken.

    Raises:
        ArgumentError: another ending, or a model without weights yet.
        FileExistsError: the file exists and `overwrite` is false.
    """
    if kwargs:
        raise ArgumentError(f"`save_weights` takes no {', '.join(kwargs)}. Leave it out.")
    if not model.built:
        raise ArgumentError(f"{model.describe()} has no weights to save yet. Build it, or call it on data first.")
    name = os.fspath(filepath)
    if max_shard_size is not None:
        path = may_write(_index_name(name), overwrite=overwrite)
        sharded.write(path, list(parts_of(model)), max_shard_size)
        return
    if not name.endswith((".weights.h5", ".safetensors")):
        raise ArgumentError(
            f"Weights are saved in files that end in `.weights.h5` or `.safetensors`, not as {name!r}; with "
            f"`max_shard_size`, beside an index that ends in `{sharded.INDEX}`."
        )
    path = may_write(filepath, overwrite=overwrite)
    with replacing(path) as beside:
        if name.endswith(".safetensors"):
            tensors.write(model, beside)
            return
        with created(beside) as file:
            hdf5.write_sums(file, hdf5.write(file, list(parts_of(model))))


def _index_name(name: str) -> str:
    if name.endswith(sharded.INDEX):
        return name
    if name.endswith(".weights.h5"):
        index = name.removesuffix(".weights.h5") + sharded.INDEX
        warnings.warn(f"Weights in several files have an index: it is saved as {index}.", stacklevel=4)
        return index
    raise ArgumentError(
        f"With `max_shard_size`, the name ends in `{sharded.INDEX}`: it is that of the index, not {name!r}."
    )


def load_weights(
    model: Layer, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
) -> LoadReport:
    """Load a model's weights.

    Args:
        model: the model, built.
        filepath: a ``.weights.h5``, ``.weights.json``, ``.keras``, ``.safetensors`` or (of Keras 2) ``.h5`` file.
        skip_mismatch: leave weights that do not fit as they are, and warn, instead of raising.
        **kwargs: `by_name`: when true, layers are told by their names instead of their places; those that the file
            does not have stay as they are.

    Returns:
        What was loaded and what was not.

    Raises:
        FileFormatError: no such file, a damaged one, or weights that do not fit; the model is unchanged then.
    """
    by_name = bool(kwargs.pop("by_name", False))
    if kwargs:
        raise ArgumentError(f"`load_weights` takes no {', '.join(kwargs)}. Leave it out.")
    path = existing(filepath, "weights file")
    options = {"skip_mismatch": bool(skip_mismatch), "by_name": by_name}
    if path.suffix == ".safetensors":
        return tensors.read(model, path, skip=bool(skip_mismatch), by_name=by_name)
    needed = count_of(model)
    if path.suffix == ".keras":
        with archive.Archive(path) as file:
            size = 8 * sum(weight.nbytes for weight in model.weights) + 2**26
            sums = saved_sums(file.json(archive.METADATA))
            with file.weights(size) as source, hdf5.WeightFile(source, str(path), sums, needed=needed) as weights:
                return load(model, weights, **options)
    if path.name.endswith(sharded.INDEX):
        with sharded.ShardedFile(path, needed) as shards:
            return load(model, shards, **options)
    if path.suffix not in (".h5", ".hdf5"):
        kinds = f"`.weights.h5`, `{sharded.INDEX}`, `.keras`, `.safetensors` or `.h5`"
        raise ArgumentError(f"Weights are loaded from {kinds} files, not from {path.name!r}.")
    if legacy.is_legacy(path):
        return legacy.load_weights(model, path, skip=bool(skip_mismatch), by_name=by_name)
    with hdf5.WeightFile(path, str(path), needed=needed) as weights:
        return load(model, weights, **options)
