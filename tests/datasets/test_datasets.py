"""The well-known data sets: small made files in the real formats, served on this machine, beside Keras."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import json
import pickle
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import pytest

from ramify import datasets
from ramify.datasets import reading, sources
from ramify.errors import ArgumentError, FileFormatError, UnsafeFileError

RNG = np.random.default_rng(0)


def texts(count):
    made = np.empty(count, dtype=object)
    for i in range(count):
        made[i] = [int(w) for w in RNG.integers(1, 60, RNG.integers(3, 30))]
    return made


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(head + array.tobytes())


def tar(**members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def pixels(*shape):
    return RNG.integers(0, 256, shape).astype("uint8")


def cifar(count, **labels):
    keys = {name.encode(): value for name, value in labels.items()}
    return pickle.dumps({b"data": pixels(count, 3072), **keys}, protocol=4)


TEN = [int(v) for v in RNG.integers(0, 10, 4)]
CONTENTS = {
    "mnist.npz": npz(x_train=pixels(5, 28, 28), y_train=pixels(5), x_test=pixels(3, 28, 28), y_test=pixels(3)),
    "imdb.npz": npz(x_train=texts(30), y_train=RNG.integers(0, 2, 30), x_test=texts(20), y_test=RNG.integers(0, 2, 20)),
    "reuters.npz": npz(x=texts(50), y=RNG.integers(0, 46, 50)),
    "imdb_word_index.json": json.dumps({"the": 1, "été": 2}).encode(),
    "reuters_word_index.json": json.dumps({"oil": 1}).encode(),
    "boston_housing.npz": npz(x=RNG.normal(size=(20, 13)), y=RNG.normal(size=20)),
    "california_housing.npz": npz(x=RNG.normal(size=(700, 8)), y=RNG.normal(size=700)),
    "cifar-10-batches-py-target": tar(
        **{f"cifar-10-batches-py__data_batch_{i}": cifar(4, labels=TEN) for i in range(1, 6)},
        **{"cifar-10-batches-py__test_batch": cifar(4, labels=TEN)},
    ),
    "cifar-100-python-target": tar(
        **{
            f"cifar-100-python__{side}": cifar(4, fine_labels=TEN, coarse_labels=TEN[::-1])
            for side in ("train", "test")
        }
    ),
    "train-images-idx3-ubyte.gz": idx(pixels(5, 28, 28)),
    "train-labels-idx1-ubyte.gz": idx(pixels(5)),
    "t10k-images-idx3-ubyte.gz": idx(pixels(3, 28, 28)),
    "t10k-labels-idx1-ubyte.gz": idx(pixels(3)),
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}/"
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def home(server, tmp_path, monkeypatch):
    """The addresses lead to this machine, the hashes are those of the made files."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    table = {name: (server + name, hashlib.sha256(content).hexdigest()) for name, content in CONTENTS.items()}
    monkeypatch.setattr(sources, "FILES", table)
    return tmp_path


def as_keras(name, home, monkeypatch, **kwargs):
    """What Keras reads out of the same cache."""
    module = importlib.import_module(f"keras.src.datasets.{name}")

    def cached(fname, origin=None, cache_subdir="datasets", **ignored):
        return str(home / cache_subdir / fname)

    monkeypatch.setattr(module, "get_file", cached)
    return module.load_data(**kwargs)


def same(got, want):
    for side, real in zip(got, want, strict=True):
        for one, two in zip(side, real, strict=True):
            assert one.dtype == two.dtype
            assert one.shape == two.shape
            if one.dtype == object:
                assert one.tolist() == two.tolist()
            else:
                np.testing.assert_array_equal(one, two)


CASES = [
    *[(name, {}) for name in datasets.__all__ if name != "cifar10"],
    ("cifar100", {"label_mode": "coarse"}),
    ("california_housing", {"version": "small", "test_split": 0.1, "seed": 5}),
    *[
        (name, options)
        for name in ("imdb", "reuters")
        for options in (
            {"num_words": 30},
            {"num_words": 30, "oov_char": None},
            {"skip_top": 10, "seed": 3},
            {"maxlen": 12},
            {"start_char": None},
            {"start_char": None, "index_from": 0, "maxlen": 20},
        )
    ],
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{'-'.join(o)}" for n, o in CASES])
def test_what_is_loaded_is_what_keras_loads(home, monkeypatch, name, options):
    same(getattr(datasets, name).load_data(**options), as_keras(name, home, monkeypatch, **options))


def test_cifar10(home):
    """Keras reads it into arrays of the full size, so that a small file does not do for a comparison."""
    (x, y), (x_test, y_test) = datasets.cifar10.load_data()
    assert x.shape == (20, 32, 32, 3)
    assert x_test.shape == (4, 32, 32, 3)
    assert x.dtype == y.dtype == y_test.dtype == np.uint8
    assert y[:, 0].tolist() == TEN * 5
    with tarfile.open(fileobj=io.BytesIO(CONTENTS["cifar-10-batches-py-target"])) as archive:
        batch = pickle.load(archive.extractfile("cifar-10-batches-py/data_batch_2"))
    np.testing.assert_array_equal(x[5, 3, 7], batch[b"data"][1].reshape(3, 32, 32)[:, 3, 7])


def test_every_address_and_hash_is_keras_own(monkeypatch):
    asked = {}

    def noted(fname, origin=None, file_hash=None, **ignored):
        asked[fname] = origin, file_hash
        raise InterruptedError

    for name in datasets.__all__:
        module = importlib.import_module(f"keras.src.datasets.{name}")
        monkeypatch.setattr(module, "get_file", noted)
        for function in ("load_data", "get_word_index"):
            if hasattr(module, function):
                with pytest.raises(InterruptedError):
                    getattr(module, function)()
    assert asked.items() <= sources.FILES.items()
    assert len(asked) == 10


def test_words_and_topics(home):
    assert datasets.imdb.get_word_index() == {"the": 1, "été": 2}
    assert datasets.reuters.get_word_index() == {"oil": 1}
    assert datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


def test_arguments_that_do_not_fit(home):
    for call, message in (
        (lambda: datasets.cifar100.load_data("all"), "label_mode"),
        (lambda: datasets.california_housing.load_data("huge"), "version"),
        (lambda: datasets.boston_housing.load_data(test_split=1.0), "test_split"),
        (lambda: datasets.imdb.load_data(maxlen=2), "maxlen=2"),
        (lambda: datasets.imdb.load_data(nb_words=3), "nb_words"),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()


class Evil:
    def __reduce__(self):
        return print, ("code of the file ran",)


def test_files_that_ask_for_code_are_not_read(tmp_path, capsys):
    evil = np.empty(1, dtype=object)
    evil[0] = Evil()
    (tmp_path / "a.npz").write_bytes(npz(x=evil))
    (tmp_path / "a.pickle").write_bytes(pickle.dumps({b"data": Evil()}))
    for read in (lambda: reading.read_npz(tmp_path / "a.npz"), lambda: reading.read_pickle(tmp_path / "a.pickle")):
        with pytest.raises(UnsafeFileError, match=r"asks for builtins\.print"):
            read()
    assert capsys.readouterr().out == ""


def test_files_of_other_kinds(tmp_path):
    Path(tmp_path / "a").write_bytes(b"nothing")
    with pytest.raises(FileFormatError):
        reading.read_npz(tmp_path / "a")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"\0\0\x0d\1" + bytes(8)))
    with pytest.raises(FileFormatError):
        reading.read_idx(tmp_path / "b.gz")
