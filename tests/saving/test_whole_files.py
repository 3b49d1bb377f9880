"""A file is there whole or not at all, and damage is told, never loaded."""

from __future__ import annotations

import errno
import io
import os
import zipfile

import h5py
import numpy as np
import pytest
import torch

import ramify
from ramify import Input, Model, Sequential, layers
from ramify.errors import FileFormatError
from ramify.saving import files, load_model, save_model


def build(units=3):
    x = Input((4,))
    return Model(x, layers.Dense(2)(layers.Dense(units, activation="relu", name="hidden")(x)), name="net")


KINDS = [".keras", ".weights.h5", ".safetensors"]


def save(model, path):
    if path.suffix == ".keras":
        save_model(model, path)
    else:
        model.save_weights(path)


def load(path):
    if path.suffix == ".keras":
        return load_model(path)
    model = build()
    model.load_weights(path)
    return model


def values(model):
    return [w.tobytes() for w in model.get_weights()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["replace", "fsync", "write"])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(kind, fault, tmp_path, monkeypatch):
    path = tmp_path / f"m{kind}"
    model = build()
    save(model, path)
    before = path.read_bytes()
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_, **__):
        raise full

    if fault == "write":
        if kind == ".keras":
            monkeypatch.setattr(zipfile.ZipFile, "open", refuse)
        elif kind == ".weights.h5":
            monkeypatch.setattr(h5py.Group, "create_dataset", refuse)
        else:
            monkeypatch.setattr("ramify.saving.tensor_file.pieces", refuse)
    else:
        monkeypatch.setattr(files.os, fault, refuse)
    with pytest.raises(OSError, match="No space left"):
        save(build(), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert values(load(path)) == values(model)


@pytest.mark.parametrize("kind", KINDS)
def test_every_sync_and_rename_that_fails(kind, tmp_path, monkeypatch):
    """The nth of all calls that reach the disk fails, for every n until none does."""
    path = tmp_path / f"m{kind}"
    old = build()
    save(old, path)
    new = build()
    for n in range(20):
        calls = []

        def counted(name, original, calls=calls, n=n):
            def call(*args, **kwargs):
                calls.append(name)
                if len(calls) == n + 1:
                    raise OSError(errno.EIO, "Input/output error")
                return original(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for name in ("replace", "fsync", "open"):
                patch.setattr(files.os, name, counted(name, getattr(os, name)))
            try:
                save(new, path)
            except OSError:
                failed = True
            else:
                failed = False
        assert values(load(path)) in (values(old), values(new))
        assert [one.name for one in tmp_path.iterdir()] == [path.name]
        if not failed:
            return
    pytest.fail("saving never came to its end")


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_cannot_be_written_leaves_the_old_file(kind, tmp_path):
    class Odd(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,))

        def call(self, x):
            return x

        def save_own_variables(self, store):
            raise RuntimeError("the hook fails")

    path = tmp_path / f"m{kind}"
    model = build()
    save(model, path)
    before = path.read_bytes()
    if kind == ".safetensors":  # has no hooks
        return
    with pytest.raises(RuntimeError, match="the hook fails"):
        save(Sequential([Input((4,)), Odd()]), path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_data_reaches_the_disk_before_the_name_does(tmp_path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(files.os, name, lambda *a, n=name, f=original: (order.append(n), f(*a))[1])
    save_model(build(), tmp_path / "m.keras")
    assert order == ["fsync", "replace", "fsync"]


def test_permissions_and_links_stay(tmp_path):
    real, link = tmp_path / "real.keras", tmp_path / "link.keras"
    save_model(build(), real)
    real.chmod(0o640)
    link.symlink_to(real)
    model = build()
    save_model(model, link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert values(load_model(real)) == values(model)


def test_flipped_data_is_found_by_its_checksum(tmp_path):
    for kind in (".weights.h5", ".safetensors"):
        path = tmp_path / f"m{kind}"
        model = build()
        save(model, path)
        data = model.get_layer("hidden").kernel.numpy().tobytes()
        whole = path.read_bytes()
        place = whole.index(data)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        other = build()
        before = values(other)
        with pytest.raises(FileFormatError, match="SHA-256 differs"):
            other.load_weights(path)
        assert values(other) == before


# ---- clear errors ----


def test_paths_that_are_wrong(tmp_path):
    save_model(build(), tmp_path / "there.keras")
    with pytest.raises(FileFormatError, match=r"no `.keras` file at .*gone.keras.*there.keras"):
        load_model(tmp_path / "gone.keras")
    with pytest.raises(FileFormatError, match="no regular file"):
        load_model(tmp_path)
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(FileFormatError, match=r"no `.keras` file, or a damaged one"):
        load_model(tmp_path / "text.keras")
    build().save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(FileFormatError, match=r"HDF5 file.*load_weights"):
        load_model(tmp_path / "w.weights.h5")
    with pytest.raises(FileNotFoundError, match="no folder"):
        save_model(build(), tmp_path / "no" / "m.keras")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_model(build(), tmp_path / "there.keras", overwrite=False)
    for wrong in ("m", "m.h5", "m.tf"):
        with pytest.raises(ramify.errors.ArgumentError, match=r"end in `.keras`"):
            save_model(build(), tmp_path / wrong)
    with pytest.raises(ramify.errors.ArgumentError, match=r"`.weights.h5` or `.safetensors`"):
        build().save_weights(tmp_path / "m.h5")
    with pytest.raises(ramify.errors.ArgumentError, match="no weights to save yet"):
        Sequential([layers.Dense(2)]).save_weights(tmp_path / "m.weights.h5")


def test_members_that_are_missing(tmp_path):
    path = tmp_path / "m.keras"
    for kept in ({"config.json"}, {"model.weights.h5"}, set()):
        save_model(build(), path)
        rewrite(path, lambda name, data, kept=kept: data if name in kept else None)
        with pytest.raises(FileFormatError, match="It is incomplete"):
            load_model(path)


def rewrite(path, change, compression=zipfile.ZIP_STORED):
    """Write the zip again with changed members."""
    with zipfile.ZipFile(path) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as new:
        for name, data in members.items():
            changed = change(name, data)
            if changed is not None:
                new.writestr(name, changed)
    path.write_bytes(buffer.getvalue())


def test_packed_members_are_read_as_well(tmp_path):
    path = tmp_path / "m.keras"
    model = build()
    save_model(model, path)
    rewrite(path, lambda _, data: data, zipfile.ZIP_DEFLATED)
    assert values(load_model(path)) == values(model)


@pytest.mark.parametrize("kind", [".weights.h5", ".safetensors"])
def test_weights_that_do_not_fit_are_all_listed_and_nothing_changes(kind, tmp_path):
    path = tmp_path / f"m{kind}"
    save(build(3), path)
    other = build(5)
    before = values(other)
    with pytest.raises(FileFormatError, match="does not fit") as error:
        other.load_weights(path)
    text = str(error.value)
    assert "(4, 5), in the file (4, 3)" in text
    assert "(5,), in the file (3,)" in text
    assert "(5, 2), in the file (3, 2)" in text
    assert "hidden" in text
    assert values(other) == before
    with pytest.warns(UserWarning, match="Not everything"):
        other.load_weights(path, skip_mismatch=True)
    assert values(other)[3] == values(build(3))[3]  # the last bias fits


def test_missing_extra_and_wrong_dtypes(tmp_path):
    path = tmp_path / "m.weights.h5"

    def spoiled(change):
        save(build(), path)
        with h5py.File(path, "a") as file:
            change(file)
        with pytest.raises(FileFormatError) as error:
            build().load_weights(path)
        return str(error.value)

    def remove(file):
        del file["layers/dense_1"]

    def remove_one(file):
        del file["layers/dense/vars/1"]

    def extra(file):
        file["layers/dense_9/vars/0"] = np.ones(3)

    def integers(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = np.ones((4, 3), "int8")

    assert "'dense_1': all 2 weight(s) are missing" in spoiled(remove).replace("Dense ", "") or "missing" in spoiled(
        remove
    )
    assert "has 2 weight(s), the file 1" in spoiled(remove_one)
    assert "'layers/dense_9/vars' in the file belongs to nothing" in spoiled(extra)
    assert "has dtype float32, in the file int8" in spoiled(integers)


def test_half_precision_weights_fit_single_precision_ones(tmp_path):
    half = Sequential([Input((3,)), layers.Dense(2, dtype="bfloat16")])
    single = Sequential([Input((3,)), layers.Dense(2)])
    for kind in (".weights.h5", ".safetensors"):
        half.save_weights(tmp_path / f"h{kind}")
        single.load_weights(tmp_path / f"h{kind}")
        torch.testing.assert_close(single.layers[0].kernel.detach(), half.layers[0].kernel.detach().float())


def test_a_long_chain(tmp_path):
    x = y = Input((2,))
    for _ in range(3000):
        y = layers.Dense(2)(y)
    model = Model(x, y)
    save_model(model, tmp_path / "chain.keras")
    loaded = load_model(tmp_path / "chain.keras")
    assert len(loaded.layers) == 3001
    assert values(loaded) == values(model)
