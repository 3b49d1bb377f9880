"""The command line: ``ramify run script.py`` and what else there is."""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from ramify.cli.answer import install
from ramify.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Args:
        arguments: words after the program's name; `sys.argv` when not given.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="ramify", description="Neural networks that branch.")
    parser.add_argument("--version", action="version", version=f"ramify {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    run = commands.add_parser(
        "run",
        help="run a Keras script with ramify in place of keras and tensorflow.keras",
        description="Runs an unchanged script; `import keras` and `from tensorflow.keras ...` are answered by ramify.",
        usage="ramify run [-m] script [arguments ...]",
    )
    run.add_argument("-m", dest="module", action="store_true", help="the script is the name of a module")
    run.add_argument("script", help="a Python file, or a module's name with -m")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script finds in sys.argv")
    given = parser.parse_args(words)
    return run_script(given.script, given.arguments, module=given.module)


def run_script(script: str, arguments: Sequence[str] = (), *, module: bool = False) -> int:
    """Run a script as `python script` would, with `keras` and `tensorflow.keras` answered by this library.

    Args:
        script: path of a file, or name of a module.
        arguments: what it finds in `sys.argv` after its own name.
        module: whether `script` is the name of a module.

    Returns:
        0; what the script raises is not caught.
    """
    if not module and not Path(script).is_file():
        sys.stderr.write(f"ramify: there is no file '{script}'. Give a Python script's path, or -m and a module.\n")
        return 2
    install()
    sys.argv = [script, *arguments]
    if module:
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(script, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(script).resolve().parent))
        runpy.run_path(script, run_name="__main__")
    return 0
