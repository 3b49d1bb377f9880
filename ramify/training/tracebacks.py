"""Tracebacks that show the caller's code: the library's own frames are left out, unless `config` says otherwise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import torch

from ramify import settings

_HIDDEN = (str(Path(__file__).parents[1]), str(Path(torch.__file__).parent))

P = ParamSpec("P")
R = TypeVar("R")


def filtered(function: Callable[P, R]) -> Callable[P, R]:
    """Let exceptions leave a function without the frames of the library and of torch.

    The frame that raised stays, and so do all of the user's: layers, callbacks, data. The whole traceback is kept as
    ``full_traceback`` on the exception. Nothing is done where `config.disable_traceback_filtering` was called.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            if not settings.is_traceback_filtering_enabled():
                raise
            error.full_traceback = error.__traceback__  # type: ignore[attr-defined]  # exceptions take any attribute
            raise error.with_traceback(_shortened(error.__traceback__))  # noqa: B904 -- the same exception

    return wrapped


def _shortened(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without inner frames, but with its last one."""
    kept: list[Any] = []
    while traceback is not None:
        if traceback.tb_next is None or not traceback.tb_frame.f_code.co_filename.startswith(_HIDDEN):
            kept.append(traceback)
        traceback = traceback.tb_next
    chain = None
    for one in reversed(kept):
        chain = TracebackType(chain, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return chain
