"""HDF5 files as they are opened, and what they list, by HDF5's own calls: no array is opened, no link is followed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from ramify.errors import FileFormatError, UnsafeFileError
from ramify.lazy import lazy
from ramify.saving.parts import join
from ramify.saving.trailer import is_whole

if TYPE_CHECKING:
    import h5py
else:
    h5py = lazy("h5py")

_HARD = 0  # H5L_TYPE_HARD
MAX_LETTERS = 8 * 2**20  # in all names and paths together


def opened(source: Path | BinaryIO, name: str) -> tuple[h5py.File, bool]:
    """An HDF5 file, open; and whether it has a trailer, which was compared before HDF5 saw a byte.

    Args:
        source: path, or an open file.
        name: what the file is called in messages.

    Raises:
        FileFormatError: it is damaged, or no HDF5 file.
    """
    try:
        whole = isinstance(source, Path) and is_whole(source)
        return h5py.File(source, "r"), whole
    except FileFormatError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise FileFormatError(
            f"{name} is no HDF5 file, or a damaged one: {error}. Check that it is a weights file, and complete."
        ) from None


@contextlib.contextmanager
def told(name: str) -> Iterator[None]:
    """Whatever HDF5 stumbles over is told as damage of the file."""
    try:
        yield
    except FileFormatError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{name} is a damaged HDF5 file: {error}.") from None


class Listed(NamedTuple):
    """A group.

    Attributes:
        path: where it is in the file.
        name: the text among its attributes, for the groups that hold weights.
        arrays: the names of the arrays in it.
    """

    path: str
    name: str | None
    arrays: list[str]


def groups_of(file: h5py.File, name: str, most: int) -> Iterator[Listed]:
    """All groups of a file.

    Args:
        file: the file.
        name: what it is called in messages.
        most: how many groups and arrays it may have.

    Raises:
        FileFormatError: there is something else in it, or too much.
        UnsafeFileError: it points out of itself, or to one thing twice.
    """
    h5g = h5py.h5g
    seen: set[int] = set()
    letters = 0
    stack = [("", file.id, b"/")]
    while stack:
        path, parent, own = stack.pop()
        group = h5g.open(parent, own)
        links = _links(group, most - len(seen))
        if len(seen) + len(links) > most:
            raise UnsafeFileError(
                f"{name} has more than the {most} groups and arrays that are looked at. It is not read."
            )
        own_name = text_of(group, "name") if path.endswith("vars") else None
        letters += len(own_name or "") + sum(len(path) + len(key) for key, _, _ in links)
        if letters > MAX_LETTERS:
            raise UnsafeFileError(f"{name} has names of more than {MAX_LETTERS} letters. It is not read.")
        arrays = []
        for raw, link, address in links:
            key = raw.decode("utf-8", "surrogateescape")
            place = join(path, key)
            if link != _HARD:
                raise UnsafeFileError(f"'{place}' in {name} is a link to another place, which is not followed.")
            if address in seen:
                raise UnsafeFileError(f"'{place}' in {name} is a second name for something else in the file.")
            seen.add(address)
            kind = h5g.get_objinfo(group, raw).type
            if kind == h5g.GROUP:
                stack.append((place, group, raw))
            elif kind == h5g.DATASET:
                arrays.append(key)
            else:
                raise FileFormatError(f"'{place}' in {name} is neither a group nor an array.")
        yield Listed(path, own_name, arrays)


def _links(group: h5py.h5g.GroupID, most: int) -> list[tuple[bytes, int, int]]:
    """The names in a group, each with the kind of its link and the address that it leads to.

    Of more than `most`, one too many is given.
    """
    found: list[tuple[bytes, int, int]] = []

    def add(name: bytes, info: h5py.h5l.LinkInfo) -> bool | None:
        found.append((name, info.type, info.u))
        return len(found) > most or None

    group.links.iterate(add, info=True)
    return found


def text_of(item: h5py.h5g.GroupID | h5py.h5d.DatasetID, name: str) -> str | None:
    """A short text among the attributes of something, or ``None``."""
    h5a, key = h5py.h5a, name.encode()
    if not h5a.exists(item, key):
        return None
    attribute = h5a.open(item, key)
    # HDF5 crashes when it reads what is like a text in part.
    if attribute.shape != () or attribute.get_type().get_class() != h5py.h5t.STRING:
        return None
    value = np.empty((), attribute.dtype)
    attribute.read(value)
    found = value[()]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else None


def root_text(file: h5py.File, name: str) -> str | None:
    """A text among the attributes of a file, or ``None``."""
    return text_of(h5py.h5g.open(file.id, b"/"), name)
