"""Checkpoints: one file with all that training goes on from, to the last bit.

The file is a safetensors file, which holds numbers only. Its tensors are named ``weights/PATH/KEY``, as in weight
files; ``state/N`` for the tensors of a nested value that the tensor ``tree`` holds as JSON: the optimizers, metrics and
random states, and where a running `fit` stands. ``sha256`` in its header is that of everything else in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch

from ramify import random_states
from ramify.errors import ArgumentError, FileFormatError
from ramify.layers.layer import Layer
from ramify.optimizers import Optimizer
from ramify.random.seed_generator import SeedGenerator
from ramify.saving import tensor_file
from ramify.saving.files import existing, may_write, replacing
from ramify.saving.hdf5 import Entry, WeightFile, array_of
from ramify.saving.loading import load
from ramify.saving.parts import OPTIMIZER, join, parts_of
from ramify.saving.state_tree import Tensors, plain_copy, put_together, take_apart
from ramify.seeds import Stream

FORMAT, VERSION = "ramify checkpoint", 1
SUFFIX = ".ckpt"
_TREE, _SUM = "tree", "sha256"


class Snapshot:
    """The state of training at one moment, in memory of its own; training may go on while it is written.

    Args:
        model: a model whose weights exist.

    Raises:
        ArgumentError: the model is not built, or a callback's state holds objects.
    """

    def __init__(self, model: Any) -> None:
        if not model.built and not model.weights:  # a step of its own may never call the model itself
            raise ArgumentError(f"{model.describe()} has no weights to save yet. Build it, or call it on data first.")
        self.tensors: Tensors = {}
        names: dict[str, str] = {}
        with _updates_apart(model):
            for part in parts_of(model):
                if part.path == OPTIMIZER:
                    continue
                store: dict[str, Any] = {}
                part.owner.save_own_variables(store)
                names[part.path] = part.name
                for key, value in store.items():
                    tensor = (
                        value if isinstance(value, torch.Tensor) else torch.from_numpy(np.array(array_of(value)[0]))
                    )
                    self.tensors[f"weights/{join(part.path, 'vars')}/{key}"] = plain_copy(tensor)
        run = model.training_run
        state = {
            "names": names,
            "optimizers": {name: optimizer_state(one) for name, one in _optimizers(model).items()},
            "metrics": [_metric_state(metric) for metric in _metrics(model)],
            "streams": {name: _stream_state(one) for name, one in _streams(model)},
            "generators": random_states.capture_own(model.modules()),
            "random": random_states.capture(),
            "run": None if run is None else run.state_dict(),
        }
        aside: Tensors = {}
        tree = json.dumps({"version": VERSION, "state": take_apart(state, aside)}).encode()
        self.tensors |= {f"state/{name}": tensor for name, tensor in aside.items()}
        self.tensors[_TREE] = torch.from_numpy(np.frombuffer(tree, dtype=np.uint8).copy())

    def write(self, path: Path) -> None:
        """Write the file; it is there whole, on the disk, or not at all."""
        with replacing(path) as beside:
            self.write_to(beside)

    def write_to(self, path: Path) -> None:
        """Write a file as it is, without care for what is there."""
        metadata = {"format": FORMAT, "version": str(VERSION), _SUM: _digest(self.tensors)}
        tensor_file.write(path, self.tensors, metadata)


class Checkpoint:
    """A checkpoint that was read, whole and undamaged.

    Args:
        path: the file.

    Raises:
        FileFormatError: no such file, a damaged one, or one of another kind.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = existing(path, "checkpoint")
        try:
            with safetensors.safe_open(self.path, "pt") as file:
                metadata = file.metadata() or {}
                tensors: Tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- no mapping
        except (OSError, ValueError, safetensors.SafetensorError) as error:
            raise FileFormatError(f"{self.path} is no checkpoint, or a damaged one: {error}.") from None
        if metadata.get("format") != FORMAT or _TREE not in tensors:
            raise FileFormatError(f"{self.path} is no checkpoint of this library. Load it with what wrote it.")
        if metadata.get(_SUM) != _digest(tensors):
            raise FileFormatError(f"{self.path} is damaged: its SHA-256 differs. Take a copy of it, or an older one.")
        tree = json.loads(tensors.pop(_TREE).numpy().tobytes())
        if tree["version"] != VERSION:
            raise FileFormatError(
                f"{self.path} is a checkpoint of version {tree['version']}, but version {VERSION} is read here. "
                "Use the release of Ramify that wrote it."
            )
        aside = {name.removeprefix("state/"): one for name, one in tensors.items() if name.startswith("state/")}
        self.weights = {name: one for name, one in tensors.items() if name.startswith("weights/")}
        self.state: dict[str, Any] = put_together(tree["state"], aside)

    @property
    def run(self) -> dict[str, Any] | None:
        """Where a `fit` stood; ``None`` if the checkpoint was made outside of one."""
        run: dict[str, Any] | None = self.state["run"]
        return run

    def load_into(self, model: Any) -> None:
        """Give a model, its optimizers, metrics and random numbers the saved state; those of the process, too.

        Raises:
            FileFormatError: weights or state do not fit.
        """
        found = _optimizers(model)
        self._check(list(found), list(self.state["optimizers"]), "optimizers")
        metrics = list(_metrics(model))
        with _updates_apart(model):
            load(model, _Held(self))
        for name, one in found.items():
            load_optimizer_state(one, self.state["optimizers"][name], model.trainable_weights, str(self.path))
        if len(metrics) == len(self.state["metrics"]):  # they differ before the first batch was seen
            for metric, state in zip(metrics, self.state["metrics"], strict=True):
                _load_metric_state(metric, state)
        streams = dict(_streams(model))
        for name, state in self.state["streams"].items():
            if name in streams:
                _load_stream_state(streams[name], state)
        random_states.restore_own(model.modules(), self.state["generators"])
        random_states.restore(self.state["random"])

    def _check(self, ours: list[str], theirs: list[str], what: str) -> None:
        if sorted(ours) != sorted(theirs):
            raise FileFormatError(
                f"{self.path} was saved with the {what} {', '.join(theirs) or 'none'}, but the model has "
                f"{', '.join(ours) or 'none'}. Compile it as it was, or load the weights alone."
            )


def save_checkpoint(model: Any, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Save all that training goes on from: weights, optimizers, metrics, random states; within `fit`, where it stands.

    The file is replaced in one step. It holds no code, and its checksum is compared when it is loaded.

    Args:
        model: the model, built.
        filepath: where to; ``.ckpt`` is the usual ending.
        overwrite: whether a file of that name may be replaced.

    Raises:
        ArgumentError: the model has no weights yet.
        FileExistsError: the file exists and `overwrite` is false.
    """
    path = may_write(filepath, overwrite=overwrite)
    Snapshot(model).write(path)


def load_checkpoint(model: Any, filepath: str | os.PathLike[str]) -> None:
    """Load what `save_checkpoint` saved, but for the place within `fit`: `BackupAndRestore` goes on from there.

    Args:
        model: the same model, built, and compiled as it was.
        filepath: the file; or a folder of `OrbaxCheckpoint`, whose latest is taken.

    Raises:
        FileFormatError: no such file, a damaged one, or one that does not fit.
    """
    path = Path(filepath)
    if path.is_dir():
        numbered = [one for one in path.glob(f"*{SUFFIX}") if one.stem.isdigit()]
        if not numbered:
            raise FileFormatError(f"The folder {path} holds no checkpoints (such as 12{SUFFIX}). Check the path.")
        path = max(numbered, key=lambda one: int(one.stem))
    Checkpoint(path).load_into(model)


def _digest(tensors: Tensors) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        for piece in tensor_file.pieces(tensor):
            digest.update(piece)
    return digest.hexdigest()


@contextlib.contextmanager
def _updates_apart(model: Layer) -> Iterator[None]:
    """Let layers with low-rank updates save and load these as they are: merged, training would not go on the same."""
    layers = [vars(one) for one in model.modules() if getattr(one, "lora_enabled", False)]
    try:
        for attributes in layers:  # past `__setattr__`, so that nothing takes the layer for a changed one
            attributes["lora_enabled"] = False
        yield
    finally:
        for attributes in layers:
            attributes["lora_enabled"] = True


# ---- weights, as the loader of weight files takes them ----


class _HeldEntry(Entry):
    """A tensor that was read and checked before."""

    def __init__(self, path: str, tensor: torch.Tensor) -> None:
        self.path, self._tensor = path, tensor
        self.shape, self.dtype = tuple(tensor.shape), tensor.dtype

    def array(self) -> Any:
        """The tensor as an array of its bits."""
        return self._tensor

    def tensor(self) -> torch.Tensor:
        """The tensor."""
        return self._tensor

    @property
    def excess(self) -> int:
        """No bytes beyond those that were read."""
        return 0

    def value(self) -> Any:
        """The tensor, for code of users."""
        return self._tensor if self.dtype is torch.bfloat16 else self._tensor.numpy()


class _Held(WeightFile):
    """The weights of a checkpoint, with the face of a weight file."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.name = str(checkpoint.path)
        self.names = dict(checkpoint.state["names"])
        self.entries = {}
        for name, tensor in checkpoint.weights.items():
            place, _, key = name.removeprefix("weights/").rpartition("/")
            self.entries.setdefault(place, {})[key] = _HeldEntry(f"{place}/{key}", tensor)


# ---- optimizers, metrics, random numbers ----


def _optimizers(model: Any) -> dict[str, Any]:
    """Attribute -> optimizer, or whatever of torch's keeps a state (schedulers, gradient scalers)."""
    found = {}
    for name, value in vars(model).items():
        torch_like = type(value).__module__.startswith("torch.") and hasattr(value, "load_state_dict")
        if isinstance(value, Optimizer) or (torch_like and not isinstance(value, torch.nn.Module)):
            found[name] = value
    return found


def optimizer_state(optimizer: Any) -> Any:
    """The state of an optimizer, as a nested value."""
    if not isinstance(optimizer, Optimizer):
        return {"torch": [optimizer.state_dict()]}
    variables = [one if isinstance(one, torch.Tensor) else one.numpy() for one in optimizer.variables]
    return {
        "built": optimizer.built,
        "variables": variables,
        "torch": [one.state_dict() for one in _wrapped(optimizer)],
    }


def _wrapped(optimizer: Any) -> Iterator[torch.optim.Optimizer]:
    """The optimizers of torch that work inside one of ours."""
    if isinstance(one := getattr(optimizer, "optimizer", None), torch.optim.Optimizer):
        yield one
    for inner in (getattr(optimizer, "inner_optimizer", None), *(getattr(optimizer, "optimizers", None) or ())):
        if inner is not None:
            yield from _wrapped(inner)


def load_optimizer_state(optimizer: Any, state: Any, variables: list[Any], name: str) -> None:
    """Give an optimizer the state that `optimizer_state` took.

    Raises:
        FileFormatError: it does not fit.
    """
    if not isinstance(optimizer, Optimizer):
        optimizer.load_state_dict(state["torch"][0])
        return
    if not state["built"]:
        return
    if not optimizer.built:
        optimizer.build(variables)
    own = optimizer.variables
    if [tuple(v.shape) for v in own] != [tuple(v.shape) for v in state["variables"]]:
        raise FileFormatError(
            f"The state of {optimizer.name} in {name} has {len(state['variables'])} variables, that of the model "
            f"{len(own)}, or they differ in shape. Compile the model as it was, and freeze the same layers."
        )
    with torch.no_grad():
        for variable, value in zip(own, state["variables"], strict=True):
            if isinstance(variable, torch.Tensor):
                variable.copy_(value)
            else:
                variable.assign(value)
    for one, value in zip(_wrapped(optimizer), state["torch"], strict=True):
        one.load_state_dict(value)


def _metrics(model: Any) -> Iterator[Any]:
    """The metrics that gather, without those that only hold others."""
    for metric in model.metrics:
        inner = getattr(metric, "metrics", None)
        if isinstance(inner, list):
            yield from inner
        else:
            yield metric


def _metric_state(metric: Any) -> Any:
    foreign: Any = getattr(metric, "metric", None)
    state: dict[str, Any] = {"variables": list(metric.variables), "torch": None}
    if hasattr(foreign, "metric_state"):  # as torchmetrics have it
        state["torch"] = {"state": dict(foreign.metric_state), "count": getattr(foreign, "_update_count", 0)}
    return state


def _load_metric_state(metric: Any, state: Any) -> None:
    with torch.no_grad():
        for variable, value in zip(metric.variables, state["variables"], strict=True):
            variable.data = value.to(variable.device) if variable.shape != value.shape else variable.data
            variable.copy_(value)
    if state["torch"] is not None:
        for name, value in state["torch"]["state"].items():
            setattr(metric.metric, name, value)
        metric.metric._update_count = state["torch"]["count"]  # noqa: SLF001 -- there is no public way
        metric.metric._computed = None  # noqa: SLF001 -- likewise


def _streams(model: Layer) -> Iterator[tuple[str, Any]]:
    """Path -> what draws from seeds of its own, in every layer."""
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            for i, one in enumerate(value if isinstance(value, (list, tuple)) else (value,)):
                if isinstance(one, (Stream, SeedGenerator)):
                    yield f"{path}.{name}.{i}", one
                    inner = getattr(one, "seed", None)
                    if isinstance(inner, SeedGenerator):
                        yield f"{path}.{name}.{i}.seed", inner


def _stream_state(one: Any) -> Any:
    return one.state if isinstance(one, SeedGenerator) else one.__getstate__()["states"]


def _load_stream_state(one: Any, state: Any) -> None:
    if isinstance(one, SeedGenerator):
        one.state.copy_(state)
    else:
        one.__setstate__({"seed": one.seed, "states": state})
