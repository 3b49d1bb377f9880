"""Weights that lie elsewhere, or are larger than their file: F7 and F8."""

from __future__ import annotations

import time

import h5py
import numpy as np
import pytest

from ramify import Input, Sequential, layers
from ramify.errors import FileFormatError, UnsafeFileError
from ramify.saving import load_model
from tests.saving.hostile import CANARY, build, with_config, with_weights


@pytest.fixture
def secret(tmp_path):
    place = tmp_path / "secret"
    place.write_bytes(CANARY)
    return str(place)


def external_data(file, secret):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_dataset("0", (4, 3), "f4", external=[(secret, 0, 48)])


def external_link(file, secret):
    with h5py.File(secret + ".h5", "w") as other:
        other["0"] = np.frombuffer(CANARY, "f4").reshape(4, 3)
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink(secret + ".h5", "0")


def external_group(file, secret):
    with h5py.File(secret + ".h5", "w") as other:
        other["0"] = np.frombuffer(CANARY, "f4").reshape(4, 3)
        other["1"] = np.zeros(3, "f4")
    del file["layers/dense/vars"]
    file["layers/dense/vars"] = h5py.ExternalLink(secret + ".h5", "/")


def soft_link(file, secret):
    file["layers/other"] = np.ones((4, 3), "f4")
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/other")


def virtual(file, secret):
    with h5py.File(secret + ".h5", "w") as other:
        other["0"] = np.frombuffer(CANARY, "f4").reshape(4, 3)
    del file["layers/dense/vars/0"]
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource(secret + ".h5", "0", (4, 3))
    file["layers/dense/vars"].create_virtual_dataset("0", layout)


def circle(file, secret):
    file["layers/dense/again"] = file["layers"]


@pytest.mark.parametrize("change", [external_data, external_link, external_group, soft_link, virtual, circle])
def test_f7_hdf5_stays_in_its_file(path, secret, change):
    with_weights(path, lambda file: change(file, secret))
    with pytest.raises(UnsafeFileError):
        load_model(path)
    with pytest.raises(UnsafeFileError):
        build().load_weights(path)


@pytest.mark.parametrize("shape", [(10**6, 10**6), (32000, 32000)])
@pytest.mark.parametrize("place", ["layers/dense/vars/0", "layers/dense/vars/2", "optimizer/vars/0"])
def test_f8_shapes_are_compared_before_anything_is_read(path, shape, place):
    def bomb(file):
        if place in file:
            del file[place]
        file.create_dataset(place, shape, "f4", chunks=(1000, 1000), compression="gzip")

    with_weights(path, bomb)
    if place.startswith("optimizer"):
        with_config(path, lambda c: c.update(compile_config={"optimizer": "sgd", "loss": "mse"}))
    start = time.perf_counter()
    with (
        pytest.warns(UserWarning, match="was not loaded")
        if place.startswith("optimizer")
        else pytest.raises(FileFormatError)
    ):
        load_model(path)
    assert time.perf_counter() - start < 2


def test_f8_a_hook_of_a_users_layer_gets_no_bomb(tmp_path):
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,))

        def call(self, x):
            return x * self.w

        def load_own_variables(self, store):
            self.w.assign(store["0"])

    model = Sequential([Input((2,)), Own()])
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        del file["layers/own/vars/0"]
        file.create_dataset("layers/own/vars/0", (10**6, 10**6), "f4", chunks=(1000, 1000), compression="gzip")
    with pytest.raises(UnsafeFileError, match="says that it has"):
        model.load_weights(path)


@pytest.mark.parametrize("options", [{"chunks": (2**20,), "compression": "gzip"}, {}])
def test_f8_checksums_that_are_not_there(options, tmp_path):
    """Sixty million empty lines in a file of some kilobytes."""
    path = tmp_path / "m.weights.h5"
    build().save_weights(path)
    with h5py.File(path, "a") as file:
        del file["ramify_sha256"]
        file.create_dataset("ramify_sha256", (60 * 2**20,), "u1", fillvalue=ord("\n"), **options)
    assert path.stat().st_size < 2**20
    with pytest.raises(FileFormatError, match="checksums"):
        build().load_weights(path)


def test_f8_pieces_that_are_larger_than_the_dataset(tmp_path):
    """The shape is the model's, but HDF5 would unpack 1.6 GB to read it."""
    path = tmp_path / "m.weights.h5"
    build().save_weights(path)
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
        options = {"maxshape": (None, None), "chunks": (20_000, 20_000), "compression": "gzip"}
        file.create_dataset("layers/dense/vars/0", (4, 3), "f4", **options)
    with pytest.raises(UnsafeFileError, match="pieces far larger"):
        build().load_weights(path)
