"""Files that want more than to be read, and what is needed to make them."""

from __future__ import annotations

import base64
import io
import json
import marshal
import zipfile

import h5py

from ramify import Input, Model, layers

CANARY = b"canary-canary-canary-canary-canary-canary-canary"


def build():
    x = Input((4,))
    return Model(x, layers.Dense(3, name="hidden")(x), name="net")


def rewrite(path, change=lambda name, data: data, more=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path) as old:
        members = [(info.filename, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(path, "w", compression, compresslevel=1) as new:
        for name, data in members:
            new.writestr(name, change(name, data))
        for name, data in more:
            new.writestr(name, data)


def with_config(path, change):
    def rewritten(name, data):
        if name != "config.json":
            return data
        config = json.loads(data)
        change(config)
        return json.dumps(config)

    rewrite(path, rewritten)


def with_weights(path, change):
    def rewritten(name, data):
        if name == "metadata.json":
            return b"{}"
        if name != "model.weights.h5":
            return data
        buffer = io.BytesIO(data)
        with h5py.File(buffer, "a") as file:
            change(file)
        return buffer.getvalue()

    rewrite(path, rewritten)


def layer_of(config):
    return config["config"]["layers"][1]


def code_that_marks(marker):
    source = f"__import__('os').mkdir({str(marker)!r})"
    code = (lambda x, _s=source: eval(_s)).__code__
    return {
        "class_name": "__lambda__",
        "config": {"code": base64.b64encode(marshal.dumps(code)).decode(), "defaults": [source], "closure": None},
    }
