"""Whole models and weights in Keras's old HDF5 layout, which Keras 2 wrote and Keras 3 still can: ``.h5``.

They are read, not written. A file has one group for each layer of the model, with the names of its weights in order; a
nested model's weights stand together, those that are trained first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ramify import registry
from ramify.errors import FileFormatError
from ramify.layers.layer import Layer
from ramify.layers.weights import WeightHolder
from ramify.lazy import lazy
from ramify.saving import archive
from ramify.saving.hdf5 import Entry, WeightFile
from ramify.saving.listing import opened, root_text, told
from ramify.saving.loading import Plan, execute
from ramify.saving.parts import OPTIMIZER, Part, count_of
from ramify.saving.report import LoadReport
from ramify.saving.trailer import has_trailer

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")
operations = lazy("ramify.models.operations")  # which itself reads files

_MODEL, _WEIGHTS, _OPTIMIZER, _TOP = "model_config", "model_weights", "optimizer_weights", "top_level_model_weights"


def is_legacy(path: Path) -> bool:
    """Whether a file is HDF5 in the old layout, by the attributes and names at its root alone."""
    try:
        if has_trailer(path):  # written here, in the new one, and not compared yet
            return False
        with h5py.File(path, "r") as file:
            return bool({"layer_names", "layer_names0", _MODEL} & set(file.attrs)) or _WEIGHTS in set(file)
    except (OSError, RuntimeError, ValueError, KeyError):
        return False


def configs_of(path: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The model's config, and how it was compiled, in today's layout.

    Raises:
        FileFormatError: the file has weights only, or is damaged.
    """
    file, _ = opened(path, str(path))
    with file, told(str(path)):
        text, training = root_text(file, _MODEL), root_text(file, "training_config")
    if text is None:
        raise FileFormatError(
            f"{path} holds weights without a model. Build the model in code and call `model.load_weights`."
        )
    model = modern(archive.parsed(text, f"{_MODEL} in {path}"))
    return model, None if training is None else _compile_config(archive.parsed(training, str(path)))


def load_weights(model: Layer, path: Path, *, skip: bool, by_name: bool) -> LoadReport:
    """Read weights into a model that is there.

    Args:
        model: the model, built.
        path: the file.
        skip: leave what does not fit as it is, with a warning.
        by_name: read the layers whose names the file has, and leave the others.

    Raises:
        FileFormatError: a damaged file, or one that does not fit; the model is unchanged then.
    """
    with WeightFile(path, str(path), needed=count_of(model)) as file:
        return execute(plan(model, file, by_name=by_name), model, file.name, skip=skip)


def plan(model: Any, file: WeightFile, *, by_name: bool = False, optimizer: bool = False) -> Plan:
    """Compare a model with a file.

    Args:
        model: the model.
        file: the file.
        by_name: whether layers are told by their names.
        optimizer: whether the optimizer's state is read as well.
    """
    root = _WEIGHTS if file.has(_WEIGHTS) else ""
    there = {name: _arrays(file, f"{root}/{name}" if root else name) for name in file.texts(root, "layer_names") or ()}
    filled = {name: arrays for name, arrays in there.items() if arrays}
    layers = [layer for layer in _layers(model) if _weights(layer)]
    found = Plan()
    for layer, name in _matched(layers, list(filled), by_name=by_name):
        word = layer.describe()
        if name is None and by_name:
            found.absent.append(f"{word}: the file has no layer of its name")
        elif name is None:
            found.problems.append(f"{word}: all {len(_weights(layer))} weight(s) are missing in the file")
        else:
            found.compare(word, _weights(layer), filled.pop(name), name)
            found.read += [one for one in layer.modules() if isinstance(one, WeightHolder)]
    top = f"{root}/{_TOP}" if root else _TOP
    if file.has(top) and (arrays := _arrays(file, top)):
        found.compare(model.describe(), model.saved_weights(), arrays, _TOP)
    found.unused = list(filled)
    if not by_name:
        found.problems += [f"the layer '{name}' in the file belongs to nothing in the model" for name in filled]
    if optimizer and getattr(model, OPTIMIZER, None) is not None and file.has(_OPTIMIZER):
        found.custom.append((Part(OPTIMIZER, model.optimizer), _arrays(file, _OPTIMIZER)))
    return found


def _layers(model: Any) -> list[Any]:
    return list(model.layers) if hasattr(model, "layers") else [model]


def _weights(layer: Any) -> list[Any]:
    """In the order of the old files, which know no low-rank updates and no weights that stand still for them."""
    updated = [one for one in layer.modules() if getattr(one, "lora_enabled", False)]
    if not updated:
        return [*layer.trainable_weights, *layer.non_trainable_weights]
    trained, left = {id(weight) for weight in layer.trainable_weights}, set()
    for one in updated:
        factors = {id(factor) for factor in one.lora_factors(scaled=False)}
        left |= factors
        if factors & trained:
            trained.add(id(getattr(one, one.matrix_name)))
    kept = [weight for weight in layer.weights if id(weight) not in left]
    return sorted(kept, key=lambda weight: id(weight) not in trained)


def _matched(layers: list[Any], names: list[str], *, by_name: bool) -> Iterable[tuple[Any, str | None]]:
    """Layers with the names that they have in the file: the same one where all fit, else that in the same place."""
    if by_name or {layer.name for layer in layers} == set(names):
        return [(layer, layer.name if layer.name in names else None) for layer in layers]
    return zip(layers, [*names[: len(layers)], *[None] * (len(layers) - len(names))], strict=True)


def _arrays(file: WeightFile, group: str) -> dict[str, Entry]:
    """The arrays of a layer in order, as ``"0"``, ``"1"`` and so on."""
    if not file.has(group):
        raise FileFormatError(f"{file.name} names the group '{group}' and does not have it. The file is damaged.")
    found = {}
    for i, name in enumerate(file.texts(group, "weight_names") or ()):
        place, _, key = f"{group}/{name}".rpartition("/")
        entry = file.entries.get(place, {}).get(key)
        if entry is None:
            raise FileFormatError(f"{file.name} names the weight '{name}' and does not have it. The file is damaged.")
        found[str(i)] = entry
    return found


# ---- configs of Keras 2 ----

_HOMES = {"initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints"}
_INNER = {"layer", "layers", "cell", "cells", "forward_layer", "backward_layer"}
_GONE = {"time_major", "implementation", "batch_input_shape", "experimental_autocast", "renorm", "renorm_clipping"}
_GONE |= {"renorm_momentum", "fused", "virtual_batch_size", "adjustment", "input_spec", "ragged", "sparse"}
_DEEPEST = 400


def modern(config: Any, home: str | None = "keras.layers", depth: int = 0) -> Any:
    """A config of Keras 2 in the words of Keras 3; one of Keras 3 stays what it is.

    >>> modern({"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "a"}})["config"]
    {'batch_shape': [None, 3], 'name': 'a'}
    """
    if depth > _DEEPEST:
        raise FileFormatError("The model's config nests deeper than any model does.")
    if isinstance(config, list):
        return [modern(item, home, depth + 1) for item in config]
    if not isinstance(config, Mapping):
        return config
    if config.get("class_name") in ("Policy", "DTypePolicy") and isinstance(config.get("config"), Mapping):
        return config["config"].get("name", "float32")
    if "class_name" not in config or "config" not in config:
        return {key: modern(value, _home(key), depth + 1) for key, value in config.items()}
    inner = config["config"]
    if isinstance(inner, list) and home == "keras.layers" and config["class_name"] == "Sequential":
        inner = {"layers": inner}
    whole = {**config, "config": _arguments(str(config["class_name"]), inner, depth) if _is_dict(inner) else inner}
    if home is not None and "module" not in config and "registered_name" not in config:
        name = "Functional" if config["class_name"] == "Model" else str(config["class_name"])
        whole |= {"class_name": name, "module": "keras" if registry.builtin(name, "keras") else home}
    if "module" not in config and "inbound_nodes" in config and not {"trainable", "dtype"} & set(inner):
        whole["module"] = operations.module_of(str(config["class_name"])) or whole["module"]  # layers have these two
    if isinstance(whole.get("inbound_nodes"), list):
        whole["inbound_nodes"] = [_call(call) for call in whole["inbound_nodes"]]
    return whole


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)


def _home(key: str) -> str | None:
    if key in _INNER:
        return "keras.layers"
    family = _HOMES.get(str(key).rpartition("_")[2])
    return None if family is None else f"keras.{family}"


def _arguments(name: str, config: Mapping[str, Any], depth: int) -> dict[str, Any]:
    found = {key: modern(value, _home(key), depth + 1) for key, value in config.items() if key not in _GONE}
    if name == "InputLayer":
        if "batch_input_shape" in config:
            found = {"batch_shape": config["batch_input_shape"], **found}
    elif name == "BatchNormalization" and isinstance(found.get("axis"), list) and len(found["axis"]) == 1:
        found["axis"] = found["axis"][0]
    elif name == "Sequential" and isinstance(found.get("layers"), list) and found["layers"]:
        first = config["layers"][0]
        given = first.get("config", {}) if _is_dict(first) else {}
        if _is_dict(given) and "batch_input_shape" in given and first.get("class_name") != "InputLayer":
            shape = {"batch_shape": given["batch_input_shape"], "name": f"{given.get('name', 'layer')}_input"}
            found["layers"].insert(0, {"class_name": "InputLayer", "module": "keras.layers", "config": shape})
    return found


def _call(call: Any) -> Any:
    """One call of a layer: ``[["dense", 0, 0, {}]]`` is what Keras 2 wrote."""
    if not isinstance(call, list):
        return call
    parts = [call] if len(call) in (3, 4) and isinstance(call[0], str) else call
    if not parts or not all(isinstance(part, list) and len(part) in (3, 4) for part in parts):
        raise FileFormatError(f"The config holds the call {call!r:.80}, which names no layers.")
    tensors = [_tensor(part[:3]) for part in parts]
    given = parts[0][3] if len(parts[0]) == 4 and _is_dict(parts[0][3]) else {}
    kwargs = {key: _tensor(v) if _is_history(v) else v for key, v in given.items()}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": kwargs}


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and [type(one) for one in value] == [str, int, int]


def _tensor(history: list[Any]) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": history}}


def _compile_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """What `compile` was called with."""
    found = {
        key: _measure(value) for key, value in config.items() if key not in ("optimizer_config", "sample_weight_mode")
    }
    optimizer = config.get("optimizer_config")
    if isinstance(optimizer, Mapping):
        arguments = dict(optimizer.get("config") or {})
        if "lr" in arguments:
            arguments["learning_rate"] = arguments.pop("lr")
        for gone in ("decay", "is_legacy_optimizer", "jit_compile"):
            arguments.pop(gone, None)
        found["optimizer"] = {"module": "keras.optimizers", **optimizer, "config": arguments}
    return found


def _measure(value: Any) -> Any:
    """A loss or a metric; those that wrap a function, by the function's name."""
    if isinstance(value, list):
        return [_measure(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    inner: Any = value.get("config")
    if value.get("class_name") in ("MeanMetricWrapper", "LossFunctionWrapper") and _is_dict(inner):
        return inner.get("fn", inner.get("name"))
    return dict(value) if "class_name" in value else {key: _measure(item) for key, item in value.items()}
