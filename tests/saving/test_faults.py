"""Faults by the hundred: killed saves, full disks, truncated files, flipped bits; never half a file nor a wrong one."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import time

import pytest

from ramify import Input, Model, layers
from ramify.errors import FileFormatError
from ramify.saving import load_model, save_model, sharded

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and limits of a process")
KINDS = [".keras", ".weights.h5", ".safetensors", ".weights.json"]


def build():
    """As small as a model with two weights can be: every byte of its files has its turn."""
    x = Input((4,))
    return Model(x, layers.Dense(3)(x), name="net")


def save(model, path):
    if path.suffix == ".keras":
        save_model(model, path)
    elif path.suffix == ".json":
        model.save_weights(path, max_shard_size=3e-8)  # 32 bytes: a shard for nearly every array
    else:
        model.save_weights(path)


def load(path, model=None):
    if path.suffix == ".keras":
        return load_model(path)
    model = model or build()
    model.load_weights(path)
    return model


def values(model):
    return [w.tobytes() for w in model.get_weights()]


def contents(folder):
    return {one.name: one.read_bytes() for one in folder.iterdir()}


# ---- kills ----


def kill_saves(kind, folder, times):
    """Kill a process that saves two models in turn, over and over; returns how often the file could be loaded."""
    path = folder / f"m{kind}"
    models = [build(), build()]
    known = [values(model) for model in models]
    save(models[0], path)
    rng = random.Random(1)
    good = 0
    for _ in range(times):
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                while True:
                    for model in models:
                        save(model, path)
            os._exit(1)
        time.sleep(rng.uniform(0.005, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        good += values(load(path)) in known
    save(models[0], path)
    save(models[0], folder / f"other{kind}")
    left = contents(folder)
    shutil.rmtree(folder)
    folder.mkdir()
    save(models[0], path)
    save(models[0], folder / f"other{kind}")
    assert len(left) == len(contents(folder)), left.keys()  # nothing of the killed ones
    return good


@pytest.mark.filterwarnings("ignore")  # forking is meant
@pytest.mark.parametrize("kind", KINDS)
def test_some_kills_in_a_save_loop(kind, tmp_path):
    assert kill_saves(kind, tmp_path, 6) == 6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_three_hundred_kills_in_a_save_loop(kind, tmp_path):
    assert kill_saves(kind, tmp_path, 300) == 300


# ---- a disk that is full ----


@contextlib.contextmanager
def full_at(size):
    """No file may become larger than `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill_disk(kind, folder, count=None):
    """Save with a disk that is full at `count` offsets (all, when not given); returns how many they were."""
    path = folder / f"m{kind}"
    save(build(), path)
    before = contents(folder)
    largest = max(len(data) for name, data in before.items() if "_00000." not in name)  # the group names stay
    new = build()
    offsets = range(0, largest, max(1, largest // count) if count else 1)
    for size in offsets:
        with full_at(size), pytest.raises(OSError):
            save(new, path)
        assert contents(folder) == before, size
    save(new, path)
    assert values(load(path)) == values(new)
    return len(offsets)


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_is_full_at_some_offsets(kind, tmp_path):
    assert fill_disk(kind, tmp_path, 25) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_is_full_at_every_offset(kind, tmp_path):
    assert fill_disk(kind, tmp_path) > 400


# ---- damage ----


def damaged(kind, folder):
    """A saved model, its weights, and the one file that damage is done to."""
    path = folder / f"m{kind}"
    model = build()
    save(model, path)
    return path, values(model)


def truncate(kind, folder, step):
    path, expected = damaged(kind, folder)
    whole = path.read_bytes()
    model = build()
    before = values(model)
    for length in range(0, len(whole), step):
        path.write_bytes(whole[:length])
        if kind == ".weights.h5" and length >= len(whole) - 56:  # all of the data, and a part of the trailer
            with contextlib.suppress(FileFormatError):
                assert values(load(path, build())) == expected
            continue
        with pytest.raises(FileFormatError):
            load(path, model)
    assert values(model) == before


@pytest.mark.parametrize("kind", KINDS)
def test_truncation_at_some_lengths(kind, tmp_path):
    truncate(kind, tmp_path, 61)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_truncation_at_every_length(kind, tmp_path):
    truncate(kind, tmp_path, 1)


def flip(kind, folder, times):
    """Flip one bit at a time; returns how often that was found."""
    path, expected = damaged(kind, folder)
    whole = path.read_bytes()
    model = build()
    rng = random.Random(0)
    places = range(8 * len(whole))
    refused = 0
    for place in rng.sample(places, times) if times < len(places) else places:
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        model.set_weights([0 * w for w in model.get_weights()])
        untouched = values(model)
        try:
            loaded = load(path, model)
        except FileFormatError:
            refused += 1
            assert values(model) == untouched
        else:
            assert values(loaded) == expected, place
    return refused


@pytest.mark.parametrize("kind", KINDS)
def test_some_flipped_bits(kind, tmp_path):
    assert flip(kind, tmp_path, 150) > (149 if kind == ".weights.h5" else 10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_flipped_bits(kind, tmp_path):
    assert flip(kind, tmp_path, 10_000) > (9_999 if kind == ".weights.h5" else 500)


def test_a_root_that_is_no_group_is_refused(tmp_path):
    path, _ = damaged(".weights.h5", tmp_path)
    data = bytearray(path.read_bytes())
    data[64] ^= 4  # in the header of the root: h5py raises a KeyError
    path.write_bytes(data)
    with pytest.raises(FileFormatError):
        load(path, build())


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".keras", ".weights.h5"])
def test_flipped_bits_where_files_have_structure(kind, tmp_path):
    """The first two thousand bytes, where headers stand, bit by bit."""
    path, expected = damaged(kind, tmp_path)
    whole = path.read_bytes()
    model = build()
    for place in range(8 * 2000):
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        with contextlib.suppress(FileFormatError):
            assert values(load(path, model)) == expected, place


def test_a_shard_of_another_save_does_not_fit(tmp_path):
    """Files of two saves never mix: each save names its shards anew, and the old ones go when all is there."""
    path = tmp_path / "m.weights.json"
    save(build(), path)
    first = contents(tmp_path)
    second = build()
    save(second, path)
    assert len(contents(tmp_path)) == len(first)
    assert not set(first) & set(contents(tmp_path)) - {"m.weights.json", "m_00000.weights.h5"}
    assert values(load(path)) == values(second)
    shard = min(tmp_path.glob("m_*_00001.weights.h5"))
    shutil.move(shard, tmp_path / "gone")
    with pytest.raises(FileFormatError, match="which is not there"):
        load(path)
    assert sharded.INDEX == ".weights.json"
