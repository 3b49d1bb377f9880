"""The hash of all bytes behind the data of HDF5 files: found before HDF5 sees one, and in nobody's way."""

from __future__ import annotations

import contextlib
import os

import h5py
import keras
import numpy as np
import pytest

from ramify.errors import FileFormatError
from ramify.saving import KerasFileEditor, listing, trailer
from tests.saving.test_faults import build, damaged, load, values
from tests.saving.watched import watched

SIZE = 56
CRASH = 15_049  # the bit that says what a list of letters is; HDF5 2.0 crashes when it reads one that is no text


def flipped(data, place):
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def their_model():
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(3)(x), name="net")


def arrays(model):
    return [w.tobytes() for w in model.get_weights()]


@pytest.fixture
def file(tmp_path):
    """A file of weights, what it holds, and its bytes."""
    path, expected = damaged(".weights.h5", tmp_path)
    return path, expected, path.read_bytes()


def test_a_trailer_stands_behind_the_data(file):
    path, _, whole = file
    with h5py.File(path) as opened:
        assert opened.id.get_filesize() in (len(whole), len(whole) - SIZE)
    assert whole[-SIZE:].startswith(b"\nramify sha-256\n")
    assert trailer.has_trailer(path)
    assert trailer.is_whole(path)


def test_keras_reads_it_as_if_it_were_not_there(file):
    path, expected, _ = file
    model = their_model()
    model.load_weights(path)
    assert arrays(model) == expected


def test_keras_reads_shards_with_trailers(tmp_path):
    path, expected = damaged(".weights.json", tmp_path)
    shards = [one for one in tmp_path.glob("*.weights.h5") if "_00000." not in one.name]
    assert len(shards) == 2
    assert all(trailer.is_whole(one) for one in shards)
    model = their_model()
    model.load_weights(path)
    assert arrays(model) == expected


def test_files_of_keras_have_none_and_load(tmp_path):
    model = their_model()
    model.save_weights(tmp_path / "m.weights.h5")
    assert not trailer.is_whole(tmp_path / "m.weights.h5")
    assert values(load(tmp_path / "m.weights.h5")) == arrays(model)


def test_every_flipped_bit_of_the_trailer_is_found(file):
    path, _, whole = file
    model = build()
    before = values(model)
    for place in range(8 * (len(whole) - SIZE), 8 * len(whole)):
        path.write_bytes(flipped(whole, place))
        with pytest.raises(FileFormatError, match="not what was saved"):
            load(path, model)
    assert values(model) == before


def test_a_trailer_that_is_cut_short(file):
    path, expected, whole = file
    for left in range(SIZE):
        path.write_bytes(whole[: len(whole) - SIZE + left])
        if left < 16:  # too little to be told from what others may put there; the tensors have sums of their own
            assert values(load(path)) == expected
        else:
            with pytest.raises(FileFormatError):
                load(path)


def test_damage_is_found_before_hdf5_sees_it(file, monkeypatch):
    path, _, whole = file
    path.write_bytes(flipped(whole, CRASH))
    monkeypatch.setattr(listing.h5py, "File", lambda *_: pytest.fail("HDF5 was asked"), raising=False)
    with pytest.raises(FileFormatError, match="not what was saved"):
        load(path, build())


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="watches a forked child by /proc")  # noqa: PTH110 - short
@pytest.mark.filterwarnings("ignore")  # forking is meant
def test_the_bit_that_crashes_hdf5_does_not_without_a_trailer(file):
    """Files of others have no trailer; what is like a text in part is not read as one."""
    path, expected, whole = file
    path.write_bytes(flipped(whole[:-SIZE], CRASH))

    def action():
        for _ in range(5):
            with contextlib.suppress(FileFormatError):
                assert values(load(path, build())) == expected

    found = watched(action)
    assert (found["signal"], found["error"]) == (0, None)


def test_a_program_that_writes_into_the_file_cuts_it_off(file):
    path, expected, whole = file
    with h5py.File(path, "r+") as opened:
        opened.attrs["note"] = "changed"
    assert not trailer.has_trailer(path)
    assert values(load(path)) == expected
    path.write_bytes(whole)
    with h5py.File(path, "r+") as opened:
        opened["layers/dense/vars/0"][0, 0] += 1
    assert not trailer.has_trailer(path)
    with pytest.raises(FileFormatError, match="SHA-256 differs"):  # of this tensor
        load(path)


def test_the_editor_writes_a_new_one(file):
    path, _, _ = file
    editor = KerasFileEditor(path)
    editor.weights_dict["layers/dense"]["1"] += 1
    editor.save(path)
    assert trailer.is_whole(path)
    np.testing.assert_array_equal(load(path).get_weights()[1], np.ones(3, "float32"))


def test_a_file_is_hashed_in_pieces(tmp_path):
    """Whatever its size, no more than a piece is held."""

    class Counted:
        def __init__(self, size):
            self.left, self.most = size, 0

        def seek(self, _):
            pass

        def readinto(self, room):
            count = min(len(room), self.left)
            self.left -= count
            self.most = max(self.most, len(room))
            return count

    file = Counted(10 * 2**20 + 5)
    trailer.trailer(file, 10 * 2**20 + 5)
    assert (file.left, file.most) == (0, 2**20)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 57, 200])
def test_files_that_are_none(tmp_path, size):
    path = tmp_path / "m.weights.h5"
    path.write_bytes(bytes(size))
    with pytest.raises(FileFormatError):
        load(path)
