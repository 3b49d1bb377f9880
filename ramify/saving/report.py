"""What came of loading weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

from ramify.errors import FileFormatError
from ramify.layers.layer import Layer

_SHOWN = 30


@dataclass(frozen=True)
class LoadReport:
    """Which weights were loaded, and which were not.

    Attributes:
        file: the file.
        loaded: the weights that have the file's values now, as ``"dense/kernel"``.
        left: the weights that are as they were, each with the reason.
        unused: what the file has and the model did not take.

    Example:

    >>> print(LoadReport("a.weights.h5", ("dense/kernel",), ("'dense/bias' is missing in the file",)))
    1 weight(s) loaded from a.weights.h5
    left as it was: 'dense/bias' is missing in the file
    """

    file: str
    loaded: tuple[str, ...]
    left: tuple[str, ...] = ()
    unused: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} weight(s) loaded from {self.file}"]
        lines += [f"left as it was: {one}" for one in self.left]
        lines += [f"not used: {one}" for one in self.unused]
        return "\n".join(lines)


def listed(problems: list[str]) -> str:
    """Problems one below the other, at most thirty."""
    more = len(problems) - _SHOWN
    return "\n  ".join(problems[:_SHOWN]) + (f"\n  ... and {more} more" if more > 0 else "")


def refuse(problems: list[str], name: str, model: Layer) -> None:
    """Tell everything that does not fit at once.

    Raises:
        FileFormatError: always.
    """
    raise FileFormatError(
        f"{name} does not fit {model.describe()}; nothing was loaded:\n  {listed(problems)}\n"
        "Load into a model of the same architecture, or pass `skip_mismatch=True` to `load_weights`."
    )


def warn(problems: list[str], name: str, model: Layer) -> None:
    """Tell everything that was left as it was."""
    message = f"Not everything of {name} was loaded into {model.describe()}; left as it was:\n  {listed(problems)}"
    warnings.warn(message, stacklevel=5)
