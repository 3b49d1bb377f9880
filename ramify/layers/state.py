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
