"""Hashes that are the same on every machine and in every library: FarmHash, SipHash, and how columns are crossed.

The functions work on many strings of one length at once, in arrays of unsigned 64-bit words, which wrap around.

Sources: G. Pike, *FarmHash* (2014), `Fingerprint64`; J.-P. Aumasson and D. J. Bernstein, *SipHash: a fast short-input
PRF* (2012), SipHash-2-4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]
Text = str | bytes

_K0 = np.uint64(0xC3A5C85C97CB3127)
_K1 = np.uint64(0xB492B66FBE98F273)
_K2 = np.uint64(0x9AE16A3B2F90404F)
_CROSS = np.uint64(0xC6A4A7935BD1E995)
CROSS_START = 0xDECAFCAFFE


def hash_texts(texts: Sequence[Text], salt: Sequence[int] | None = None) -> Words:
    """The 64-bit hash of each string.

    Args:
        texts: strings (hashed as UTF-8) or bytes.
        salt: two 64-bit integers, the key of SipHash; without it the hash is FarmHash's fingerprint.

    >>> int(hash_texts(["A"])[0] % 3)
    1
    """
    data = [text.encode() if isinstance(text, str) else bytes(text) for text in texts]
    lengths = np.fromiter(map(len, data), dtype=np.int64, count=len(data))
    result = np.empty(len(data), dtype=np.uint64)
    for length in np.unique(lengths):
        (where,) = np.nonzero(lengths == length)
        joined = b"".join(data[i] for i in where)
        rows = np.frombuffer(joined, dtype=np.uint8).reshape(len(where), int(length))
        result[where] = farmhash(rows) if salt is None else siphash(rows, salt)
    return result


def crossed(columns: Sequence[Words]) -> Words:
    """One hash for each row of several columns of 64-bit words."""
    result = np.full(columns[0].shape, CROSS_START, dtype=np.uint64)
    for column in columns:
        mixed = (result ^ _CROSS) ^ (_shift_mix(column * _CROSS) * _CROSS)
        result = _shift_mix(_shift_mix(mixed * _CROSS) * _CROSS)
    return result


# ---- words ----


def _word(rows: Bytes, start: int, size: int = 8) -> Words:
    """Little-endian words out of some columns of the rows."""
    start = start + rows.shape[1] if start < 0 else start
    part = np.ascontiguousarray(rows[:, start : start + size])
    words: Words = part.view(f"<u{size}")[:, 0].astype(np.uint64)
    return words


def _rotate(words: Words, bits: int) -> Words:
    """Rotate to the right."""
    return (words >> np.uint64(bits)) | (words << np.uint64(64 - bits))


def _shift_mix(words: Words) -> Words:
    return words ^ (words >> np.uint64(47))


# ---- FarmHash ----


def farmhash(rows: Bytes) -> Words:
    """FarmHash's `Fingerprint64` of strings of one length.

    Args:
        rows: ``(strings, length)`` bytes.

    Returns:
        ``(strings,)`` hashes.
    """
    length = rows.shape[1]
    for limit, function in _BY_LENGTH:
        if length <= limit:
            return function(rows)
    return _farm_long(rows)


def _mix16(u: Words, v: Words, factor: Words | np.uint64) -> Words:
    a = _shift_mix((u ^ v) * factor)
    return _shift_mix((v ^ a) * factor) * factor


def _factor(rows: Bytes) -> np.uint64:
    with np.errstate(over="ignore"):
        return _K2 + np.uint64(2 * rows.shape[1])


def _farm_16(rows: Bytes) -> Words:
    length = rows.shape[1]
    if length >= 8:
        factor = _factor(rows)
        a, b = _word(rows, 0) + _K2, _word(rows, -8)
        c = _rotate(b, 37) * factor + a
        d = (_rotate(a, 25) + b) * factor
        return _mix16(c, d, factor)
    if length >= 4:
        first = _word(rows, 0, 4) << np.uint64(3)
        return _mix16(first + np.uint64(length), _word(rows, -4, 4), _factor(rows))
    if length:
        y = _word(rows, 0, 1) + (_word(rows, length >> 1, 1) << np.uint64(8))
        z = (_word(rows, -1, 1) << np.uint64(2)) + np.uint64(length)
        return _shift_mix(y * _K2 ^ z * _K0) * _K2
    return np.full(len(rows), _K2)


def _farm_32(rows: Bytes) -> Words:
    factor = _factor(rows)
    a, b = _word(rows, 0) * _K1, _word(rows, 8)
    c, d = _word(rows, -8) * factor, _word(rows, -16) * _K2
    return _mix16(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, factor)


def _farm_64(rows: Bytes) -> Words:
    factor = _factor(rows)
    a, b = _word(rows, 0) * _K2, _word(rows, 8)
    c, d = _word(rows, -8) * factor, _word(rows, -16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _mix16(y, a + _rotate(b + _K2, 18) + c, factor)
    e, f = _word(rows, 16) * factor, _word(rows, 24)
    g = (y + _word(rows, -32)) * factor
    h = (z + _word(rows, -24)) * factor
    return _mix16(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


_BY_LENGTH: tuple[tuple[int, Callable[[Bytes], Words]], ...] = ((16, _farm_16), (32, _farm_32), (64, _farm_64))


def _weak32(rows: Bytes, at: int, a: Words, b: Words) -> tuple[Words, Words]:
    w, x, y, z = (_word(rows, at + 8 * i) for i in range(4))
    a = a + w
    b = _rotate(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotate(a, 44) + c


def _farm_long(rows: Bytes) -> Words:
    length = rows.shape[1]
    n = len(rows)
    seed = np.full(n, 81, dtype=np.uint64)
    y = seed * _K1 + np.uint64(113)
    z = _shift_mix(y * _K2 + np.uint64(113)) * _K2
    v = w = (np.zeros(n, np.uint64), np.zeros(n, np.uint64))
    x = seed * _K2 + _word(rows, 0)
    last = (length - 1) // 64 * 64
    for at in range(0, last, 64):
        x, y, z, v, w = _farm_round(rows, at, (x, y, z), (v, w), _K1, 1)
    factor = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w0 = w[0] + np.uint64((length - 1) & 63)
    v0 = v[0] + w0
    w0 = w0 + v0
    x, y, z, v, w = _farm_round(rows, length - 64, (x, y, z), ((v0, v[1]), (w0, w[1])), factor, 9)
    first = _mix16(v[0], w[0], factor) + _shift_mix(y) * _K0 + z
    return _mix16(first, _mix16(v[1], w[1], factor) + x, factor)


def _farm_round(
    rows: Bytes,
    at: int,
    xyz: tuple[Words, Words, Words],
    vw: tuple[tuple[Words, Words], tuple[Words, Words]],
    factor: Words | np.uint64,
    weight: int,
) -> tuple[Words, Words, Words, tuple[Words, Words], tuple[Words, Words]]:
    """Take in 64 bytes; the last of the rounds weighs the words of the state by nine."""
    (x, y, z), (v, w), times = xyz, vw, np.uint64(weight)
    x = _rotate(x + y + v[0] + _word(rows, at + 8), 37) * factor
    y = _rotate(y + v[1] + _word(rows, at + 48), 42) * factor
    x = x ^ (w[1] * times)
    y = y + v[0] * times + _word(rows, at + 40)
    z = _rotate(z + w[0], 33) * factor
    v = _weak32(rows, at, v[1] * factor, x + w[0])
    w = _weak32(rows, at + 32, z + w[1], y + _word(rows, at + 16))
    return z, y, x, v, w


# ---- SipHash ----


def siphash(rows: Bytes, key: Sequence[int]) -> Words:
    """SipHash-2-4 of strings of one length.

    Args:
        rows: ``(strings, length)`` bytes.
        key: two 64-bit integers.

    Returns:
        ``(strings,)`` hashes.
    """
    n, length = rows.shape
    k0, k1 = (np.full(n, int(part) % 2**64, dtype=np.uint64) for part in key)
    initial = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [k ^ np.uint64(word) for k, word in zip((k0, k1, k0, k1), initial, strict=True)]
    padded = np.zeros((n, (length // 8 + 1) * 8), dtype=np.uint8)
    padded[:, :length] = rows
    padded[:, -1] = length & 0xFF
    for at in range(0, padded.shape[1], 8):
        word = _word(padded, at)
        v[3] = v[3] ^ word
        _sip_rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _left(words: Words, bits: int) -> Words:
    return _rotate(words, 64 - bits)


def _sip_rounds(v: list[Words], count: int) -> None:
    a, b, c, d = v
    for _ in range(count):
        a, c = a + b, c + d
        b, d = _left(b, 13) ^ a, _left(d, 16) ^ c
        a = _left(a, 32)
        c, a = c + b, a + d
        b, d = _left(b, 17) ^ c, _left(d, 21) ^ a
        c = _left(c, 32)
    v[:] = a, b, c, d
