"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from ramify.errors import FileFormatError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; when the context ends well, that file takes the place of `path` in one step.

    The data is on the disk before the name changes, and the name before the context is left. When anything fails, what
    was at `path` before is still there, and nothing else is.

    Args:
        path: where the file shall be.
    """
    target = path.resolve() if path.is_symlink() else path
    beside = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        yield beside
        sync(beside)
        keep_mode(target, beside)
        os.replace(beside, target)  # noqa: PTH105 - tests let this one call fail
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync(target.parent)


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
