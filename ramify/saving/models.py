"""Whole models in ``.keras`` files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ramify import registry
from ramify.errors import ArgumentError, FileFormatError, RamifyError, UnsafeFileError
from ramify.layers.layer import Layer
from ramify.lazy import lazy
from ramify.saving import archive, extras, hdf5, legacy
from ramify.saving.archive import Archive
from ramify.saving.files import existing, may_write, replacing
from ramify.saving.loading import execute, load
from ramify.saving.metadata import metadata, own, saved_sums
from ramify.saving.parts import Part, count_of, parts_of

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")

_SPARE = 64 * 2**20


def save_model(
    model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Save a model with its weights, how it was compiled, and its optimizer's state; Keras can load it.

    The file is replaced in one step: when saving fails, or the machine stops, the file that was there before still is.

    Args:
        model: the model.
        filepath: where to, ending in ``.keras``.
        overwrite: whether a file of that name may be replaced.
        zipped: must be true or not given; unzipped folders are not written.
        **kwargs: none are taken.

    Raises:
        ArgumentError: another ending, or a model with something that cannot be written.
        FileExistsError: the file exists and `overwrite` is false.

    Example:

    >>> import ramify, tempfile, pathlib
    >>> model = ramify.Sequential([ramify.Input((4,)), ramify.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, pathlib.Path(folder) / "small.keras")
    ...     load_model(pathlib.Path(folder) / "small.keras").output_shape
    (None, 2)
    """
    if kwargs or zipped is False:
        wrong = ", ".join(kwargs) or "zipped=False"
        raise ArgumentError(f"`save_model` does not take {wrong}: a model is one zipped `.keras` file. Leave it out.")
    if Path(filepath).suffix != ".keras":
        raise ArgumentError(
            f"Models are saved in files that end in `.keras`, not as {os.fspath(filepath)!r}. Write "
            f"'{Path(filepath).with_suffix('.keras')}', or use `save_weights` for the weights alone."
        )
    path = may_write(filepath, overwrite=overwrite)
    config = to_json(model).encode()
    parts = list(parts_of(model))
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        sums = hdf5.write(file, parts)
    members = {
        archive.METADATA: json.dumps(metadata(sums, extras.state_of(model))).encode(),
        archive.CONFIG: config,
        archive.WEIGHTS: buffer.getbuffer(),
        **_assets(parts),
    }
    with replacing(path) as beside:
        archive.write(beside, members)


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool | None = True,
) -> Any:
    """Load a model that was saved here or by Keras 3.

    No code out of the file is run, and the file can name nothing but this library's classes, registered ones and
    `custom_objects`.

    Args:
        filepath: a ``.keras`` file; or a whole model in Keras's old layout, ``.h5``.
        custom_objects: name in the file -> class or function, for your own.
        compile: whether to compile the model as it was, its optimizer's state included.
        safe_mode: false lets `Lambda` layers run Python code out of the file, for files that you made yourself;
            ``None``: as it is around the call.

    Returns:
        The model.

    Raises:
        FileFormatError: no such file, one of another kind, a damaged one, an unknown class, or weights that do not fit.
        UnsafeFileError: the file asks for code to be run, or points out of itself.
    """
    path = existing(filepath, "`.keras` file")
    safe = None if safe_mode is None else safe_mode is not False
    if path.suffix in (".h5", ".hdf5") and legacy.is_legacy(path):
        return _load_legacy(path, custom_objects, compile=compile, safe=safe)
    with Archive(path) as file:
        config = file.json(archive.CONFIG)
        about = file.json(archive.METADATA)
        model = _made(config, custom_objects, str(path), safe=safe, blank=True)
        if compile:
            _compile(model, config.get("compile_config"), custom_objects, str(path))
        size = sum(weight.nbytes for weight in model.weights)
        sums = saved_sums(about)
        with (
            file.weights(8 * size + _SPARE) as source,
            hdf5.WeightFile(source, str(path), sums, count_of(model)) as weights,
        ):
            load(model, weights, fresh=True)
        for part in parts_of(model):
            _load_assets(part, file)
    extras.restore_random(model, own(about, extras.RANDOM), str(path))
    extras.restore_metrics(model, about, str(path))
    return model


def _load_legacy(path: Path, custom_objects: Mapping[str, Any] | None, *, compile: bool, safe: bool | None) -> Any:
    name = str(path)
    config, training = legacy.configs_of(path)
    model = _made(config, custom_objects, name, safe=safe, blank=True)
    if compile:
        _compile(model, training, custom_objects, name)
    with hdf5.WeightFile(path, name, needed=count_of(model)) as file:
        execute(legacy.plan(model, file, optimizer=compile), model, name, skip=False, fresh=True)
    return model


def _compile(model: Any, config: Any, custom_objects: Mapping[str, Any] | None, name: str) -> None:
    """Compile a model as it was, if it was."""
    if config and hasattr(model, "compile_from_config"):
        with _told(name), registry.CustomObjectScope(custom_objects), registry.loading():
            model.compile_from_config(config)


def to_json(model: Layer, **kwargs: Any) -> str:
    """A model's architecture, and how it was compiled, as JSON.

    Args:
        model: the model.
        **kwargs: passed to `json.dumps`, such as ``indent=2``.
    """
    with registry.sharing():
        config = registry.serialize_instance(model)
    return json.dumps(config, **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_json` described, with new weights; compiled as it was.

    Args:
        json_string: what `to_json` gave, here or in Keras.
        custom_objects: name -> class or function, for your own.

    Raises:
        FileFormatError: it describes no model.
        UnsafeFileError: it asks for code to be run.
    """
    config = archive.parsed(json_string, "the model's JSON")
    model = _made(config, custom_objects, "the model's JSON", safe=None, blank=False)
    _compile(model, config.get("compile_config"), custom_objects, "the model's JSON")
    return model


def _made(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None, name: str, *, safe: bool | None, blank: bool
) -> Any:
    with _told(name), registry.CustomObjectScope(custom_objects), registry.loading(safe=safe, blank=blank, made={}):
        model = registry.deserialize(config, "keras.layers", what="class")
    if not isinstance(model, Layer):
        raise FileFormatError(f"{name} describes {type(model).__name__}, where a model belongs.")
    return model


_FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError, OverflowError)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever goes wrong while a config is read is told as a fault of the file."""
    try:
        yield
    except FileFormatError:
        raise
    except RecursionError:
        raise UnsafeFileError(f"{name} nests deeper than any model does. It is not loaded.") from None
    except RamifyError as error:
        raise FileFormatError(f"{name} cannot be made into a model: {error}") from error
    except _FAULTS as error:
        raise FileFormatError(
            f"{name} cannot be made into a model ({type(error).__name__}: {error}). Either it is damaged, or "
            "`from_config` of one of its classes does not take what `get_config` gave."
        ) from error


# ---- assets ----


def _assets(parts: list[Part]) -> dict[str, bytes]:
    """Files that layers want to have beside their weights."""
    found: dict[str, bytes] = {}
    for part in parts:
        if hasattr(part.owner, "save_assets"):
            with tempfile.TemporaryDirectory() as folder:
                part.owner.save_assets(folder)
                for one in sorted(Path(folder).rglob("*")):
                    if one.is_file() and not one.is_symlink():
                        where = "/".join(filter(None, (part.path, one.relative_to(folder).as_posix())))
                        found[archive.ASSETS + where] = one.read_bytes()
    return found


def _load_assets(part: Part, file: Archive) -> None:
    if not hasattr(part.owner, "load_assets"):
        return
    assets = file.assets(part.path)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in assets.items():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        part.owner.load_assets(folder)
