"""What an enclosing call passes down to the calls within it."""

from __future__ import annotations

import threading


class CallState(threading.local):
    """What an enclosing call passes down to the calls within it, per thread."""

    def __init__(self) -> None:
        self.training: bool | None = None
        self.depth = 0
        self.call_id = 0
        self.scope: tuple[str, ...] = ()


state = CallState()


def training_mode(recorded: bool) -> bool:
    """The mode for a call that a graph recorded with one: an enclosing call that was given a mode has the last word.

    So ``Dropout(0.5)(x, training=True)`` drops where the model is just called, and not in ``predict``, as in Keras.
    """
    return recorded if state.training is None else state.training
