"""What is done while `ramify` is imported."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Within the block no garbage is looked for, and what was made in it counts as old afterwards.

    Modules, classes and functions last as long as the process. The collector does not know: it went through all of them
    again and again while they were made, which took as long as making them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():  # else `unfreeze` would undo what the user froze
                gc.freeze()
                gc.unfreeze()  # gives all to the oldest generation, which is looked through seldom
            gc.enable()
