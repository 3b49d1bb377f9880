"""Run something in a child process that is watched: what it touches, how much memory it takes, how it ends."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import time
from pathlib import Path

WATCHED = (
    "import",
    "marshal.loads",
    "pickle.find_class",
    "socket.connect",
    "os.mkdir",
    "subprocess.Popen",
    "os.system",
)
MORE_SPACE = 2 * 2**30
SPARE = 64 * 2**20


def watched(action, seconds=60):
    """The outcome of ``action()`` in a forked child with 2 GiB of further address space.

    Returns a dict: ``error`` (name of the exception's class, or ``None``), ``base`` (names of its bases), ``grown``
    (bytes of memory at the peak beyond the start), ``seconds`` (of the processor), ``events`` (audited events with
    their first argument), ``signal`` (what killed the child, or 0).
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            result = _run(action, seconds)
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(result, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    found = pickle.loads(data) if data else {}
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, **found}


def refused(path, action, folder):
    """Assert that reading a hostile file ends in a typed error, at once, in little memory, and leaves no trace."""
    before = sorted(folder.rglob("*"))
    found = watched(action)
    assert found["signal"] == 0
    assert "FileFormatError" in found["base"], found
    size = path.stat().st_size if path.is_file() else 0
    assert found["grown"] <= 2 * size + SPARE, found
    assert found["seconds"] <= 1, found
    assert not [event for event in found["events"] if event[0] != "import"], found
    assert sorted(folder.rglob("*")) == before


def _run(action, seconds):
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MORE_SPACE, -1))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    events = []

    def hook(event, args):
        if event in WATCHED or (event == "open" and _writes(args)):
            events.append((event, str(args[0]) if args else ""))

    sys.addaudithook(hook)
    Path("/proc/self/clear_refs").write_text("5")
    before, start = _memory("VmRSS"), time.process_time()
    events.clear()
    error = None
    try:
        action()
    except BaseException as caught:  # noqa: BLE001 - whatever it is, it is told
        error = caught
    taken = time.process_time() - start
    listed = list(events)
    return {
        "error": type(error).__name__ if error else None,
        "message": str(error)[:300],
        "base": [one.__name__ for one in type(error).__mro__] if error else [],
        "grown": _memory("VmHWM") - before,
        "seconds": taken,
        "events": listed,
    }


def _writes(args):
    mode, flags = args[1], args[2]
    return any(letter in str(mode or "") for letter in "wax+") or bool(flags & (os.O_WRONLY | os.O_RDWR))


def _memory(name):
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(name))
    return int(line.split()[1]) * 1024
