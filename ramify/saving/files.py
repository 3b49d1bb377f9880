"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ramify.errors import FileFormatError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_DAY = 24 * 3600


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; when the context ends well, that file takes the place of `path` in one step.

    The data is on the disk before the name changes, and the name before the context is left. When anything fails, what
    was at `path` before is still there, and nothing else is. What a killed process left half-written beside it, in
    files named ``.NAME.TOKEN.tmp``, is removed.

    Args:
        path: where the file shall be.
    """
    target = _target(path)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with _held(beside):
            yield beside
            sync(beside)
            keep_mode(target, beside)
            if fcntl is not None:  # to the end, so that no other process takes the file for a dead one's
                os.replace(beside, target)  # noqa: PTH105 - tests let this one call fail
        if fcntl is None:  # where open files cannot be renamed
            os.replace(beside, target)  # noqa: PTH105 - likewise
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync(target.parent)
    tidy(target)


def _target(path: Path) -> Path:
    return path.resolve() if path.is_symlink() else path


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Make a file, and hold a lock on it that goes with this process."""
    with path.open("xb") as handle:
        _lock(handle)
        yield


def _lock(handle: IO[bytes]) -> bool:
    """Whether nobody else had the lock of an open file; it is taken until the file is closed."""
    if fcntl is None:
        return os.fstat(handle.fileno()).st_mtime < time.time() - _DAY
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks
        return False
    return True


def tidy(path: Path) -> set[str]:
    """Remove what dead processes left half-written beside a file.

    Args:
        path: the file.

    Returns:
        The tokens of the saves that others are still at.
    """
    target = _target(path)
    pattern = re.compile(rf"\.{re.escape(target.name)}\.([0-9a-f]{{12}})\.tmp")
    busy: set[str] = set()
    with contextlib.suppress(OSError):
        for one in list(target.parent.iterdir()):
            if (found := pattern.fullmatch(one.name)) and not _removed(one):
                busy.add(found[1])
    return busy


def token_of(beside: Path) -> str:
    """What tells this save from others, by the path that `replacing` gave."""
    return beside.name.split(".")[-2]


def _removed(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            dead = _lock(handle)
        if dead:
            path.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return dead


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    folder = path.is_dir()
    if folder and os.name == "nt":  # Windows has no handles of folders
        return
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError:
        if not folder:  # some network file systems cannot sync folders
            raise
    finally:
        os.close(handle)


def keep_mode(old: Path, new: Path) -> None:
    """Let a file that takes another one's place have its permissions."""
    with contextlib.suppress(OSError):
        new.chmod(old.stat().st_mode & 0o7777)


def existing(filepath: str | os.PathLike[str], what: str) -> Path:
    """The path of a regular file.

    Raises:
        FileFormatError: there is none.
    """
    path = Path(filepath)
    if not path.exists():
        near = sorted(one.name for one in path.parent.glob("*") if one.suffix in (".keras", ".h5", ".safetensors"))
        hint = f" The folder has {', '.join(near[:5])}." if near else ""
        raise FileFormatError(f"There is no {what} at {path}.{hint} Check the path.")
    if not path.is_file():
        raise FileFormatError(f"{path} is no regular file, but a {what} belongs there. Check the path.")
    return path


def may_write(filepath: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """The path to write to.

    Raises:
        FileExistsError: there is a file already, and `overwrite` is false.
        FileNotFoundError: there is no such folder.
    """
    path = Path(filepath)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to save {path.name} in. Make it first.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already. Choose another name, or pass `overwrite=True`.")
    return path
