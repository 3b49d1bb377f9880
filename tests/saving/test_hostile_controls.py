"""F1 to F15, each fixture watched in a child process, and each proven to be live on a loader that is unsafe."""

from __future__ import annotations

import base64
import http.server
import io
import json
import os
import re
import sys
import tarfile
import threading
import zipfile

import h5py
import numpy as np
import pytest
import torch

from ramify.saving import load_model, save_model
from ramify.utils.files import get_file, hash_of
from tests.saving import unsafe
from tests.saving.hostile import CANARY, build, code_that_marks, layer_of, rewrite, with_config, with_weights
from tests.saving.watched import watched

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="watches a forked child by /proc"),
    pytest.mark.filterwarnings("ignore"),  # forking is meant, and so are zips with two members of one name
]
SPARE = 64 * 2**20
BOMB = 80 * 2**20


class Marks:
    """Makes a folder when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (self.place,)


def lookup_of(vocabulary):
    config = {"name": "hidden", "vocabulary": vocabulary, "max_tokens": None, "num_oov_indices": 1}
    return {"module": "keras.layers", "class_name": "StringLookup", "registered_name": None, "config": config}


# Each fixture changes a saved model into a hostile one; `place` is where its marker, module or secret is.


def f1_bytecode(path, place):
    entry = {"module": "keras.layers", "class_name": "Lambda", "registered_name": None}
    entry["config"] = {"name": "hidden", "function": code_that_marks(place / "marker")}
    with_config(path, lambda c: layer_of(c).update(entry))


def f2_import(path, place):
    (place / "evilmod.py").write_text(f"import os; os.mkdir({str(place / 'marker')!r})\nclass Evil: pass\n")
    evil = {"module": "evilmod", "class_name": "Evil", "config": {}, "registered_name": None}
    with_config(path, lambda c: layer_of(c).update(evil))


def f3_gadget(path, place):
    function = {"module": "os", "class_name": "function", "config": "mkdir", "registered_name": "mkdir"}
    config = {"name": "hidden", "function": function, "arguments": {"path": str(place / "marker")}}
    with_config(path, lambda c: layer_of(c).update(class_name="Lambda", config=config))


def f4_pickle(path, place):
    buffer = io.BytesIO()
    torch.save(Marks(str(place / "marker")), buffer)
    config = {"name": "hidden", "module": base64.b64encode(buffer.getvalue()).decode()}
    with_config(path, lambda c: layer_of(c).update(class_name="TorchModuleWrapper", config=config))


def f5_file(path, place):
    (place / "secret").write_bytes(CANARY)
    with_config(path, lambda c: layer_of(c).update(lookup_of(str(place / "secret"))))


def f6_artifact(path, place):
    (place / "artifact").mkdir()
    (place / "artifact" / "saved_model.pb").write_bytes(CANARY)
    config = {"name": "hidden", "filepath": str(place / "artifact"), "call_endpoint": "serve"}
    with_config(path, lambda c: layer_of(c).update(class_name="TFSMLayer", config=config))


def f7_external(path, place):
    (place / "secret").write_bytes(CANARY)

    def change(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset("0", (4, 3), "f4", external=[(str(place / "secret"), 0, 48)])

    with_weights(path, change)


def f8_shape(path, place):
    def change(file):
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (8000, 8000), "f4", chunks=(1000, 1000), compression="gzip")

    with_weights(path, change)


def f9_config(path, place):
    rewrite(path, lambda n, d: b" " * BOMB + d if n == "config.json" else d, compression=zipfile.ZIP_DEFLATED)


def f9_member(path, place):
    with_config(path, lambda c: layer_of(c)["config"].update(units=4))  # nothing reads the asset; this must not fit
    rewrite(path, more=[("assets/big", bytes(BOMB))], compression=zipfile.ZIP_DEFLATED)


def f10_traversal(path, place):
    rewrite(path, more=[("assets/../../marker", b"x")])


def f12_objects(path, place):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Marks(str(place / "marker"))], dtype=object), allow_pickle=True)
    rewrite(path, more=[("assets/table.npy", buffer.getvalue())])
    yaml = f"!!python/object/apply:os.mkdir ['{place / 'marker'}']".encode()
    rewrite(path, lambda n, d: yaml if n == "config.json" else d)


def f13_two_configs(path, place):
    with zipfile.ZipFile(path) as file:
        other = json.loads(file.read("config.json"))
    layer_of(other)["config"]["units"] = 77
    rewrite(path, more=[("config.json", json.dumps(other).encode())])


def f15_text_heap(path, place):
    """A small file in Keras's old layout, in which a thousand names are all one long text."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": {"layers": [], "x": "x" * 300_000}}
        )
        file.attrs.create("layer_names", [f"n{i}" for i in range(1000)], dtype=h5py.string_dtype())
    data = path.read_bytes()
    heaps = [match.start() for match in re.finditer(b"GCOL", data)]
    references = [m.start() - 4 for heap in heaps for m in re.finditer(re.escape(heap.to_bytes(8, "little")), data)]
    references = [at for at in references if data[at + 3] == 0 and data[at + 1 : at + 4] != b"\xff\xff\xff"]
    largest = max(references, key=lambda at: int.from_bytes(data[at : at + 4], "little"))
    changed = bytearray(data)
    for at in references:
        changed[at : at + 16] = data[largest : largest + 16]
    path.write_bytes(changed)


def with_header(path, change):
    """A safetensors file with another header; `change` gets the entries of the kernel and the bias."""
    whole = path.read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    header.pop("__metadata__")
    kernel, bias = sorted((one for name, one in header.items()), key=lambda one: -len(one["shape"]))
    change(kernel, bias)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size :])


def f14_shape(path, place):
    with_header(path, lambda kernel, bias: kernel.update(shape=[6000, 6000]))


def f14_length(path, place):
    path.write_bytes((BOMB * 2).to_bytes(8, "little") + path.read_bytes()[8:])


def f14_overlap(path, place):
    with_header(path, lambda kernel, bias: bias.update(data_offsets=[kernel["data_offsets"][0] + n for n in (0, 12)]))


def f14_negative(path, place):
    """The bias is to be taken from the header."""
    with_header(path, lambda kernel, bias: bias.update(data_offsets=[-16, -4]))


def f14_index(path, place):
    """A shard that lies in the folder above."""
    (place / "in" / "secret.h5").write_bytes(CANARY)
    path.write_text(json.dumps({"metadata": {}, "weight_map": {"/layers/dense/vars": "../secret.h5"}}))


FIXTURES = [
    f1_bytecode, f2_import, f3_gadget, f4_pickle, f5_file, f6_artifact, f7_external, f8_shape, f9_config, f9_member,
    f10_traversal, f12_objects, f13_two_configs, f14_shape, f14_length, f14_overlap, f14_negative, f14_index,
    f15_text_heap,
]  # fmt: skip


@pytest.fixture
def hostile(tmp_path, monkeypatch, request):
    """A folder with a hostile file, and the folder around it in which nothing may come to be."""
    inner = tmp_path / "in" / "ner"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.syspath_prepend(str(tmp_path))
    name = request.param.__name__
    path = inner / {"f14": "m.safetensors", "f15": "m.h5"}.get(name[:3], "m.keras")
    if name == "f14_index":
        path = inner / "m.weights.json"
    elif path.suffix == ".safetensors":
        build().save_weights(path)
    else:
        save_model(build(), inner / "m.keras")
        (inner / "m.keras").rename(path)
    request.param(path, tmp_path)
    return path


CASES = [(one, "load_model") for one in FIXTURES if not one.__name__.startswith("f14")] + [
    (one, "load_weights") for one in FIXTURES if one.__name__.startswith(("f7", "f8", "f9", "f10", "f13", "f14", "f15"))
]


@pytest.mark.parametrize(
    ("hostile", "entry"), CASES, indirect=["hostile"], ids=[f"{one.__name__}-{entry}" for one, entry in CASES]
)
def test_refused_without_a_trace(hostile, tmp_path, entry):
    def action():
        if entry == "load_model":
            load_model(hostile)
        else:
            build().load_weights(hostile)

    found = watched(action)
    reads_no_config = entry == "load_weights" and found["error"] is None
    assert found["signal"] == 0
    assert "FileFormatError" in found["base"] or reads_no_config, found
    assert found["grown"] <= 2 * hostile.stat().st_size + SPARE, found
    assert found["seconds"] <= 1, found
    assert not [event for event in found["events"] if event[0] != "import"], found["events"]
    assert not [event for event in found["events"] if "evil" in event[1]]
    assert not (tmp_path / "marker").exists()
    assert not (tmp_path / "in" / "marker").exists()


def bytes_of(value):
    return np.asarray(value).tobytes()


@pytest.mark.parametrize(
    ("hostile", "harm"),
    [
        (f1_bytecode, lambda path, place: unsafe.run_bytecode(path)),
        (f2_import, lambda path, place: unsafe.import_and_call(path)),
        (f3_gadget, lambda path, place: unsafe.import_and_call(path)),
        (f4_pickle, lambda path, place: unsafe.unpickle(path)),
        (f10_traversal, lambda path, place: unsafe.extract(path, str(path.parent / "out"))),
        (f12_objects, lambda path, place: unsafe.load_objects(path)),
    ],
    indirect=["hostile"],
    ids=["f1", "f2", "f3", "f4", "f10", "f12"],
)
def test_controls_that_leave_a_marker(hostile, harm, tmp_path):
    harm(hostile, tmp_path)
    sys.modules.pop("evilmod", None)
    assert (tmp_path / "marker").exists() or (hostile.parent / "marker").exists()


@pytest.mark.parametrize(
    ("hostile", "harm"),
    [
        (f5_file, unsafe.read_vocabulary),
        (f6_artifact, unsafe.read_artifact),
        (f7_external, lambda path: bytes_of(unsafe.read_weights(path))),
        (f14_index, unsafe.read_shards),
    ],
    indirect=["hostile"],
    ids=["f5", "f6", "f7", "f14_index"],
)
def test_controls_that_read_a_secret(hostile, harm):
    assert CANARY[:16] in harm(hostile)


@pytest.mark.parametrize(
    ("hostile", "harm"),
    [
        (f8_shape, unsafe.read_weights),
        (f9_config, unsafe.read_all),
        (f9_member, unsafe.read_all),
        (f14_shape, unsafe.read_tensors),
        (f14_length, unsafe.read_tensors),
        (f15_text_heap, unsafe.read_names),
    ],
    indirect=["hostile"],
    ids=["f8", "f9_config", "f9_member", "f14_shape", "f14_length", "f15"],
)
def test_controls_that_take_memory(hostile, harm):
    found = watched(lambda: harm(hostile))
    assert found["grown"] > 2 * hostile.stat().st_size + SPARE


@pytest.mark.parametrize("hostile", [f13_two_configs], indirect=True, ids=["f13"])
def test_control_that_takes_the_other_config(hostile):
    assert layer_of(unsafe.config_of(hostile))["config"]["units"] == 77


@pytest.mark.parametrize("hostile", [f14_overlap, f14_negative], indirect=True, ids=["overlap", "negative"])
def test_controls_that_take_other_bytes_for_a_weight(hostile):
    kernel, bias = sorted(unsafe.read_tensors(hostile).values(), key=lambda one: -one.size)
    header = hostile.read_bytes()[: -4 * (kernel.size + 3)]
    assert bias.tobytes() in (kernel.tobytes()[:12], header[-16:-4])
    assert bias.any()  # it was saved as zeros


def special(name, kind, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


ARCHIVES = {
    "symlink": [special("out", tarfile.SYMTYPE, "../../.."), "out/marker"],
    "chain": [special("a", tarfile.SYMTYPE, ".."), special("b", tarfile.SYMTYPE, "a/../.."), "b/marker"],
    "hard link": [special("secret", tarfile.LNKTYPE, "../../../secret"), "secret"],
    "dots": ["../../../marker"],
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_f11_archives_of_get_file(kind, tmp_path):
    """Through all of `get_file`, hash included: it is refused, and nothing comes to be outside of the cache."""
    (tmp_path / "secret").write_bytes(CANARY)
    source, cache = tmp_path / "a.tar", tmp_path / "cache"
    with tarfile.open(source, "w") as file:
        for member in ARCHIVES[kind]:
            named = tarfile.TarInfo(member) if isinstance(member, str) else member
            named.size = 1 if isinstance(member, str) else 0
            file.addfile(named, io.BytesIO(b"!"))
    digest = hash_of(source)
    place = {"origin": f"file://{source}", "cache_dir": cache, "extract": True, "file_hash": digest}
    found = watched(lambda: get_file("name", **place))
    assert found["error"] == "UnsafeFileError", found
    assert found["grown"] <= 2 * source.stat().st_size + SPARE, found
    assert found["seconds"] <= 1, found
    written = [event[1] for event in found["events"] if event[0] in ("open", "os.mkdir")]
    assert written
    assert all(name.startswith(str(cache)) or name.isdigit() for name in written), written
    assert [one.name for one in (cache / "datasets").iterdir()] == ["name_archive"]
    assert not (tmp_path / "marker").exists()
    assert (tmp_path / "secret").read_bytes() == CANARY
    unsafe.unpack(source, cache / "datasets" / "name")  # the control
    assert (tmp_path / "marker").exists() or (tmp_path / "secret").read_bytes() == b"!"


def test_f11_a_link_in_the_cache(tmp_path):
    """Where the file shall be, there is a link to another one: it is replaced, not written through."""
    cache = tmp_path / "datasets"
    cache.mkdir()
    (tmp_path / "source").write_bytes(b"!")
    (tmp_path / "secret").write_bytes(CANARY)
    (cache / "name").symlink_to(tmp_path / "secret")
    origin = f"file://{tmp_path / 'source'}"
    assert get_file("name", origin=origin, cache_dir=tmp_path, file_hash=False) == str(cache / "name")
    assert (cache / "name").read_bytes() == b"!"
    assert not (cache / "name").is_symlink()
    assert (tmp_path / "secret").read_bytes() == CANARY
    (cache / "name").unlink()
    (cache / "name").symlink_to(tmp_path / "secret")
    unsafe.fetch(origin, cache / "name")  # the control
    assert (tmp_path / "secret").read_bytes() == b"!"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_f5_no_connection_is_made(scheme, tmp_path):
    """A vocabulary that is a URL: nobody is asked, while an unsafe loader asks."""
    asked = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CANARY)

        def log_message(self, *_):
            pass

    (tmp_path / "secret").write_bytes(CANARY)
    with http.server.HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/words" if scheme == "http" else f"file://{tmp_path}/secret"
        path = tmp_path / "m.keras"
        save_model(build(), path)
        with_config(path, lambda c: layer_of(c).update(lookup_of(url)))
        found = watched(lambda: load_model(path))
        assert "FileFormatError" in found["base"]
        assert not asked
        assert unsafe.read_vocabulary(path) == CANARY
        assert bool(asked) is (scheme == "http")
        server.shutdown()
        thread.join()
