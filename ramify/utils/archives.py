"""Archives are unpacked whole or not at all, and only what is a file or a folder inside its own place."""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from ramify.errors import FileFormatError, UnsafeFileError

MAX_RATIO = 200
"""Bytes that one byte of an archive may become; what is more is a bomb."""
MAX_FREE = 2**28
"""Bytes that an archive may become in any case."""


def unpack(archive: Path, place: Path, formats: Sequence[str] = ("tar", "zip")) -> None:
    """Unpack an archive; what stood in its place before is replaced when all is unpacked.

    Args:
        archive: the file.
        place: the folder to be.
        formats: which of ``"tar"`` and ``"zip"`` it may be.

    Raises:
        FileFormatError: no archive of these formats, or a damaged one.
        UnsafeFileError: members that are links or devices, whose paths lead out, or that are absurdly large.
    """
    if "tar" in formats and _is_tar(archive):
        opened: Any = tarfile.open
        members: Any = _tar_members
    elif "zip" in formats and zipfile.is_zipfile(archive):
        opened, members = zipfile.ZipFile, _zip_members
    else:
        raise FileFormatError(f"{archive.name} is no {' or '.join(formats)} archive. Download it again.")
    allowed = max(MAX_FREE, MAX_RATIO * archive.stat().st_size)
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        try:
            with opened(archive) as source:
                listed = list(members(source))
                if sum(size for _, size, _ in listed) > allowed:
                    raise UnsafeFileError(
                        f"{archive.name} would become more than {allowed:,} bytes. It is not unpacked."
                    )
                for path, size, reader in listed:
                    _write(temporary / path, size, reader)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
            raise FileFormatError(f"{archive.name} is damaged ({error}). Download it again.") from error
        temporary.chmod(0o755)
        _put(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _is_tar(archive: Path) -> bool:
    try:
        return tarfile.is_tarfile(archive)
    except EOFError:  # a compressed one that was cut off
        return True


def _put(temporary: Path, place: Path) -> None:
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.is_dir():
        shutil.rmtree(place)
    temporary.replace(place)


Member = tuple[Path, int, Any]


def _tar_members(source: tarfile.TarFile) -> Iterator[Member]:
    for member in source:
        if not (member.isreg() or member.isdir()):
            raise UnsafeFileError(
                f"The archive holds {member.name!r}, a link or a device. Only files and folders are unpacked."
            )
        reader = None if member.isdir() else (lambda member=member: source.extractfile(member))
        yield _inside(member.name), member.size if member.isreg() else 0, reader


def _zip_members(source: zipfile.ZipFile) -> Iterator[Member]:
    for info in source.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UnsafeFileError(
                f"The archive holds {info.filename!r}, a link or a device. Only files and folders are unpacked."
            )
        reader = None if info.is_dir() else (lambda info=info: source.open(info))
        yield _inside(info.filename), info.file_size, reader


def _inside(name: str) -> Path:
    """A path that stays where it is put, on any system."""
    path = PurePosixPath(name)
    odd = path.is_absolute() or PureWindowsPath(name).drive or "\\" in name or "\0" in name
    if odd or ".." in path.parts:
        raise UnsafeFileError(f"The archive holds {name!r}, whose path leads out of its folder. It is not unpacked.")
    return Path(*path.parts)


def _write(path: Path, size: int, reader: Any) -> None:
    if reader is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source: IO[bytes]
    with reader() as source, path.open("wb") as out:
        left = size
        while block := source.read(2**20):
            left -= len(block)
            if left < 0:
                raise UnsafeFileError(f"{path.name} in the archive is larger than it says. It is not unpacked.")
            out.write(block)
