"""Switches of the process that any part may look at; `ramify.config` is their public face."""

from __future__ import annotations

import logging
import os

from ramify.errors import ArgumentError

_LOGGER = logging.getLogger("ramify")


def _from_environment(name: str) -> int | None:
    text = os.environ.get(f"RAMIFY_{name}") or os.environ.get(f"KERAS_{name}")
    return int(text) if text else None


class _Switches:
    """What is set now."""

    interactive_logging = True
    traceback_filtering = True
    flash_attention = True
    max_epochs = _from_environment("MAX_EPOCHS")
    max_steps_per_epoch = _from_environment("MAX_STEPS_PER_EPOCH")


_now = _Switches()


def enable_interactive_logging() -> None:
    """Let progress bars and messages go to the standard output, as they do at first."""
    _now.interactive_logging = True


def disable_interactive_logging() -> None:
    """Send messages, and a line for each epoch instead of progress bars, to the logger ``"ramify"`` (level INFO).

    >>> disable_interactive_logging()
    >>> is_interactive_logging_enabled()
    False
    >>> enable_interactive_logging()
    """
    _now.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages go to the standard output rather than to a logger."""
    return _now.interactive_logging


def enable_traceback_filtering() -> None:
    """Leave the library's own frames, and torch's, out of the tracebacks of errors, as is done at first.

    It is done for what leaves `fit`, `evaluate` and `predict`; the exception keeps the whole one as ``full_traceback``.
    """
    _now.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Show tracebacks whole.

    >>> disable_traceback_filtering()
    >>> is_traceback_filtering_enabled()
    False
    >>> enable_traceback_filtering()
    """
    _now.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether the library's own frames are left out of tracebacks."""
    return _now.traceback_filtering


def enable_flash_attention() -> None:
    """Let attention run in torch's flash kernel wherever torch finds that best, as is done at first."""
    _now.flash_attention = True


def disable_flash_attention() -> None:
    """Rule torch's flash attention kernel out, for all attention that does not ask for it by `flash_attention=True`.

    >>> disable_flash_attention()
    >>> is_flash_attention_enabled()
    False
    >>> enable_flash_attention()
    """
    _now.flash_attention = False


def is_flash_attention_enabled() -> bool:
    """Whether attention may run in torch's flash kernel."""
    return _now.flash_attention


def max_epochs() -> int | None:
    """The most epochs that any `fit` does; ``None`` where there is no limit.

    At first what ``RAMIFY_MAX_EPOCHS`` or ``KERAS_MAX_EPOCHS`` in the environment says.
    """
    return _now.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every `fit`, to try a script quickly.

    Args:
        max_epochs: number of the last epoch; ``None`` for no limit.

    Raises:
        ArgumentError: no whole number of at least 1.
    """
    _now.max_epochs = _limit(max_epochs, "max_epochs")


def max_steps_per_epoch() -> int | None:
    """The most batches that an epoch of `fit`, `evaluate` or `predict` takes; ``None`` where there is no limit.

    At first what ``RAMIFY_MAX_STEPS_PER_EPOCH`` or ``KERAS_MAX_STEPS_PER_EPOCH`` in the environment says.
    """
    return _now.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the batches of every epoch, to try a script quickly.

    Args:
        max_steps_per_epoch: batches; ``None`` for no limit.

    Raises:
        ArgumentError: no whole number of at least 1.
    """
    _now.max_steps_per_epoch = _limit(max_steps_per_epoch, "max_steps_per_epoch")


def _limit(value: int | None, name: str) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ArgumentError(f"{name} must be a whole number of at least 1 or None, but is {value!r}.")
    return value


def at_most(value: int | None, limit: int | None) -> int | None:
    """The smaller of two numbers, where ``None`` is none at all.

    >>> at_most(5, 3), at_most(5, None), at_most(None, 3)
    (3, 5, 3)
    """
    return limit if value is None else value if limit is None else min(value, limit)


def say(text: str) -> None:
    """Tell the user something: on the standard output, or through the logger where interactive logging is off."""
    if _now.interactive_logging:
        print(text, flush=True)  # noqa: T201 -- this is the one place that talks
    else:
        _LOGGER.info("%s", text.strip())
