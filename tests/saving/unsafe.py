"""A deliberately unsafe loader: each function does what a family of advisories found others to do.

The controls run it on the same fixtures: a fixture that does no harm here would prove nothing.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import marshal
import pickle
import tarfile
import types
import urllib.request
import zipfile
from pathlib import Path

import h5py
import numpy as np


def config_of(path):
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("config.json"))


def weights_of(path):
    with zipfile.ZipFile(path) as file:
        return h5py.File(io.BytesIO(file.read("model.weights.h5")), "r")


def walk(value):
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from walk(item)


def run_bytecode(path):
    for entry in walk(config_of(path)):
        if entry.get("class_name") == "__lambda__":
            code = marshal.loads(base64.b64decode(entry["config"]["code"]))
            types.FunctionType(code, {"__builtins__": __builtins__}, "f", tuple(entry["config"]["defaults"]))(1)


def import_and_call(path):
    """Imports what a config names, and calls functions with the arguments that stand beside them."""
    for entry in walk(config_of(path)):
        function = entry.get("function")
        if isinstance(function, dict) and "module" in function:
            found = getattr(importlib.import_module(function["module"]), function["config"])
            found(*entry.get("arguments", {}).values())
        elif str(entry.get("module")).startswith("evil"):
            importlib.import_module(entry["module"])


def unpickle(path):
    for entry in walk(config_of(path)):
        if isinstance(entry.get("module"), str) and entry.get("name") == "hidden" and "class_name" not in entry:
            import torch

            torch.load(io.BytesIO(base64.b64decode(entry["module"])), weights_only=False)


def read_vocabulary(path):
    """What a config's vocabulary names, read: a file, or whatever answers at a URL."""
    for entry in walk(config_of(path)):
        place = entry.get("vocabulary")
        if isinstance(place, str):
            return urllib.request.urlopen(place, timeout=2).read() if "://" in place else Path(place).read_bytes()
    return b""


def read_artifact(path):
    for entry in walk(config_of(path)):
        if "filepath" in entry:
            return b"".join(one.read_bytes() for one in Path(entry["filepath"]).iterdir())
    return b""


def read_weights(path, place="layers/dense/vars/0"):
    with weights_of(path) as file:
        return np.asarray(file[place][()])


def read_names(path):
    with h5py.File(path) as file:
        return list(file.attrs["layer_names"])


def extract(path, folder):
    with zipfile.ZipFile(path) as file:
        for info in file.infolist():
            target = Path(folder, info.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read(info))


def read_all(path):
    with zipfile.ZipFile(path) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def load_objects(path):
    """The arrays and YAML that old loaders took."""
    members = read_all(path)
    for name, data in members.items():
        if name.endswith(".npy"):
            np.load(io.BytesIO(data), allow_pickle=True)
        if name.endswith(".pkl"):
            pickle.loads(data)


def read_tensor(data, name):
    """A tensor of a safetensors file, without looking at its header's claims."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    start, end = header[name]["data_offsets"]
    return np.frombuffer(data[8 + size + start : 8 + size + end], "f4").reshape(header[name]["shape"])


def read_tensors(path):
    """All tensors of a safetensors file, with room made for whatever its header claims."""
    with path.open("rb") as file:
        room = bytearray(int.from_bytes(file.read(8), "little"))
        size = file.readinto(room)
        data = path.read_bytes()
        found = {}
        for name, one in json.loads(room[:size].rstrip(b"\0")).items():
            if name != "__metadata__":
                tensor = np.ones(one["shape"], "f4").reshape(-1)
                start, end = (8 + size + offset for offset in one["data_offsets"])
                values = np.frombuffer(data[start:end], "f4")
                tensor[: len(values)] = values
                found[name] = tensor
        return found


def read_shards(path):
    """The bytes of all files that an index names, wherever they are."""
    names = json.loads(path.read_text())["weight_map"].values()
    return b"".join((path.parent / name).read_bytes() for name in dict.fromkeys(names))


def unpack(path, folder):
    """A tar archive, member by member: links are made, and what comes later is written through them."""
    Path(folder).mkdir()
    with tarfile.open(path) as file:
        for member in file:
            target = Path(folder, member.name)
            if member.issym():
                target.symlink_to(member.linkname)
            elif member.islnk():
                target.hardlink_to(Path(folder, member.linkname))
            else:
                target.write_bytes(file.extractfile(member).read())


def fetch(origin, target):
    """A download straight into its place in the cache."""
    with urllib.request.urlopen(origin, timeout=2) as answer, Path(target).open("wb") as file:
        file.write(answer.read())
