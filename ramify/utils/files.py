"""`get_file`: a file from the net, kept for the next time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from ramify.callbacks.progress import Progbar
from ramify.errors import ArgumentError, FileFormatError
from ramify.utils.archives import unpack

_BLOCK = 2**16


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | bool | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Download a file, unless it is in the cache, and unpack it where that is wanted.

    What is not complete never stands under its final name. Archives may hold regular files and folders alone: links,
    devices, absolute paths and paths that lead out of the folder are refused before anything is unpacked.

    Args:
        fname: name of the file, or of the folder that an archive becomes; the last part of `origin` when ``None``.
        origin: address, ``http``, ``https`` or ``file``.
        untar: like `extract`; Keras's older name.
        md5_hash: like `file_hash`; likewise.
        file_hash: SHA-256 or MD5 of the file, as hexadecimal digits, such as ``"sha256:9f86..."`` or the digits alone.
            One is asked for, since without it nobody knows what the server sends, or what lies in the cache. False
            takes it on trust.
        cache_subdir: folder below the cache's.
        hash_algorithm: ``"sha256"``, ``"md5"`` or ``"auto"``, which tells by the number of digits.
        extract: whether to unpack an archive.
        archive_format: ``"tar"``, ``"zip"``, a list of them, or ``"auto"`` for both; ``None`` unpacks nothing.
        cache_dir: the cache; where Keras has its own when ``None``: ``$KERAS_HOME``, or ``~/.keras``.
        force_download: download it even if it is there.

    Returns:
        Path of the file, or of the folder that was unpacked.

    Raises:
        ArgumentError: no address, a name with folders in it, no hash, or one that is none.
        FileFormatError: a file with another hash, or that is no archive.
        UnsafeFileError: an archive with something else than files inside its folder.
        ConnectionError: the address cannot be reached.
    """
    if not origin:
        raise ArgumentError("get_file needs `origin`, the address of the file.")
    name = fname or Path(urllib.parse.unquote(urllib.parse.urlparse(origin).path)).name
    if not name:
        raise ArgumentError(f"The address {origin!r} names no file. Pass `fname`.")
    if name in (".", "..") or set(name) & set("/\\\0"):
        raise ArgumentError(
            f"fname is a name without folders, but is {name!r}. Use cache_dir and cache_subdir for those."
        )
    algorithm, wanted = _hash(file_hash, md5_hash, hash_algorithm, origin)
    home = Path(cache_dir) if cache_dir is not None else keras_home()
    folder = home.expanduser() / cache_subdir
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = extract or untar
    target = folder / (f"{name}_archive" if unpacked else name)
    if force_download or not _is_good(target, algorithm, wanted):
        _download(origin, target, algorithm, wanted)
        fresh = True
    else:
        fresh = False
    if not unpacked:
        return str(target)
    place = folder / name
    if fresh or not place.is_dir():
        _unpack(target, place, "tar" if untar and not extract else archive_format)
    return str(place)


def keras_home() -> Path:
    """The folder that Keras keeps its files in, which is shared with it.

    >>> keras_home().name == ".keras" or "KERAS_HOME" in os.environ
    True
    """
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def hash_of(path: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """The hash of a file, as hexadecimal digits.

    Args:
        path: the file.
        algorithm: ``"sha256"`` or ``"md5"``.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _hash(file_hash: str | bool | None, md5_hash: str | None, algorithm: str, origin: str) -> tuple[str, str | None]:
    """The algorithm and the digits that a file must have; no digits where it is taken on trust."""
    if file_hash is False:
        return _algorithm(algorithm, None), None
    if not file_hash and md5_hash:
        return _algorithm("md5", md5_hash), md5_hash
    if not isinstance(file_hash, str) or not file_hash:
        raise ArgumentError(
            f"get_file needs `file_hash` to know that it gets what you mean from {origin}. Compute it on a copy that "
            "you trust, `sha256sum FILE` or `hashlib.file_digest(open(FILE, 'rb'), 'sha256').hexdigest()`, and pass "
            "`file_hash='sha256:...'`; or pass `file_hash=False` to take whatever is sent."
        )
    named, _, digits = file_hash.rpartition(":")
    if named in ("sha256", "md5") and algorithm in ("auto", named):
        return _algorithm(named, digits), digits
    return _algorithm(algorithm, file_hash), file_hash


def _algorithm(algorithm: str, wanted: str | None) -> str:
    if algorithm not in ("auto", "sha256", "md5"):
        raise ArgumentError(f"hash_algorithm must be 'auto', 'sha256' or 'md5', but is {algorithm!r}.")
    if wanted is None:
        return algorithm
    length = {64: "sha256", 32: "md5"}.get(len(wanted))
    if length is None or set(wanted.lower()) - set("0123456789abcdef") or algorithm not in ("auto", length):
        raise ArgumentError(
            f"file_hash is no {'SHA-256 or MD5' if algorithm == 'auto' else algorithm} in hexadecimal digits: "
            f"{wanted!r:.80}. Give 64 digits for SHA-256, 32 for MD5."
        )
    return length


def _is_good(path: Path, algorithm: str, wanted: str | None) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    return wanted is None or hash_of(path, algorithm) == wanted.lower()


def _download(origin: str, target: Path, algorithm: str, wanted: str | None) -> None:
    if urllib.parse.urlparse(origin).scheme not in ("http", "https", "file"):
        raise ArgumentError(f"origin must be an http, https or file address, but is {origin!r}.")
    sys.stdout.write(f"Downloading data from {origin}\n")
    handle, part = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            _copy(origin, out)
        _verify(part, origin, algorithm, wanted)
        Path(part).chmod(0o644)
        Path(part).replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(part).unlink()
        raise


def _verify(part: str, origin: str, algorithm: str, wanted: str | None) -> None:
    if wanted is not None and (found := hash_of(part, algorithm)) != wanted.lower():
        raise FileFormatError(
            f"What {origin} sent has the {algorithm} {found}, but {wanted} was expected. It was thrown away. Check the "
            "address and the hash; a proxy may have sent a page of its own."
        )


def _copy(origin: str, out: Any) -> None:
    request = urllib.request.Request(origin, headers={"User-Agent": "ramify"})  # noqa: S310 -- the scheme was checked
    try:
        answer = urllib.request.urlopen(request, timeout=60)  # noqa: S310 -- likewise
    except urllib.error.HTTPError as error:
        error.close()
        raise ConnectionError(f"{origin} answered {error.code} {error.reason}. Check the address.") from error
    except urllib.error.URLError as error:
        raise ConnectionError(f"{origin} cannot be reached: {error.reason}. Check the address and the net.") from error
    with answer:
        size = int(answer.headers.get("Content-Length") or 0) or None
        bar, done = Progbar(size, unit_name="byte"), 0
        while block := answer.read(_BLOCK):
            out.write(block)
            done += len(block)
            bar.update(done)
    if size is not None and done != size:
        raise ConnectionError(f"{origin} broke off after {done} of {size} bytes. Try again.")


def _unpack(archive: Path, place: Path, archive_format: Any) -> None:
    if archive_format is None:
        return
    formats = ("tar", "zip") if archive_format == "auto" else archive_format
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    if not set(formats) <= {"tar", "zip"}:
        raise ArgumentError(
            f"archive_format must be 'auto', 'tar', 'zip', a list of these or None: {archive_format!r}."
        )
    unpack(archive, place, formats)
