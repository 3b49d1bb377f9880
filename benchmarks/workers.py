"""The processes that measure, one for each library, and the environments that they run in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RAMIFY, HAND, COMPILED = "ramify", "by hand", "compiled"  # the last is the hand-written model under torch.compile
OWN = (RAMIFY, HAND, COMPILED)
PINS = {
    "torch": [],  # runs in the environment of this script
    "jax": ["keras==3.15.1", "jax==0.10.2", "jaxlib==0.10.2"],
    "tensorflow": [
        "keras==3.15.1",
        "tensorflow-cpu==2.21.0; sys_platform != 'darwin'",
        "tensorflow==2.21.0; sys_platform == 'darwin'",
    ],
}


class WorkerError(Exception):
    """A library could not do what was asked."""


@dataclass
class Worker:
    """A process that measures one library."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, backend: str, threads: int) -> Worker:
        """Starts one; `backend` is Keras's, and says which Python runs it."""
        env = os.environ | {
            "KERAS_BACKEND": backend,
            "OMP_NUM_THREADS": str(threads),
            "PYTHONPATH": str(HERE.parent),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [str(python_for(backend)), str(HERE / "worker.py"), str(threads)]
        pipe = subprocess.PIPE
        return cls(subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True))

    def ask(self, **command: Any) -> Any:
        """One command, one answer."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
            reply = json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        except BrokenPipeError as error:
            raise WorkerError("the process ended") from error
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply["value"]

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def python_for(backend: str) -> Path:
    """The interpreter for a Keras backend; makes its environment where it is missing."""
    if not PINS[backend]:
        return Path(sys.executable)
    folder = HERE / ".venvs" / backend
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = folder / ".installed"
    if not stamp.exists():
        print(f"installing {' '.join(PINS[backend])}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINS[backend]], check=True)
        stamp.touch()
    return python


def library(name: str) -> str:
    """What the worker imports for a library's name in the table."""
    return name if name in OWN else "keras"
