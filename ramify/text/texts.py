"""Strings as inputs of layers: torch has no tensors of them, so they come in arrays and lists, and stay on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from ramify.errors import ArgumentError


class Texts:
    """Strings in the order and shape of an array.

    Args:
        items: all strings, row by row.
        shape: sizes, as of an array.
    """

    __slots__ = ("items", "shape")

    def __init__(self, items: list[str], shape: tuple[int, ...]) -> None:
        self.items = items
        self.shape = shape

    def __repr__(self) -> str:
        return f"<Texts shape={self.shape}>"


def is_text(value: Any) -> bool:
    """Whether a value is a string, or an array or nested lists of strings.

    >>> is_text("a"), is_text([["a"]]), is_text(np.array(["a"])), is_text([1]), is_text([])
    (True, True, True, False, False)
    """
    if isinstance(value, (str, bytes, Texts)):
        return True
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and is_text(value[0])
    if type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "UST" or (value.dtype == object and value.size > 0 and is_text(value.flat[0]))
    return False


def as_texts(value: Any, who: str, encoding: str = "utf-8") -> Texts:
    """Strings out of a string, an array, or nested lists of strings or bytes.

    Raises:
        ArgumentError: something in it is no string, or rows are of different length.
    """
    if isinstance(value, Texts):
        return value
    try:
        array = np.asarray(value, dtype=object) if isinstance(value, (list, tuple)) else np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{who}: the strings stand in rows of different lengths ({error}). Pad them.") from None
    items = array.ravel().tolist()
    try:
        decoded = [item.decode(encoding) if isinstance(item, bytes) else item for item in items]
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{who}: the data is not {encoding} ({error}). Pass `encoding` or decode it.") from None
    wrong = next((item for item in decoded if not isinstance(item, str)), None)
    if wrong is not None:
        raise ArgumentError(
            f"{who} takes strings, but received {wrong!r:.60} ({type(wrong).__name__}). Pass strings in an array or "
            "in lists of equal length."
        )
    return Texts(decoded, array.shape)
