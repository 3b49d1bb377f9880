"""Checks the pages: every ```python block runs, examples print what they say, relative links lead somewhere.

usage: python docs/check.py README.md docs/*.md

The blocks of a page run in order in one namespace, in an empty folder. A block that opens with ```python no-run is
shown and not run.
"""

from __future__ import annotations

import doctest
import os
import re
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```(python[^\n]*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run(code: str, where: str, names: dict[str, Any]) -> str:
    """Runs one block; says what went wrong, or nothing."""
    if ">>>" in code:
        said: list[str] = []
        test = doctest.DocTestParser().get_doctest(code, names, where, where, 0)
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False)
        names.update(test.globs)
        return "".join(said)
    try:
        exec(compile(code, where, "exec"), names)
    except Exception:  # noqa: BLE001 - whatever a block raises is what is reported
        return f"{where}\n{traceback.format_exc()}"
    return ""


def check_blocks(page: Path, text: str) -> list[str]:
    """Runs the blocks of a page; what went wrong."""
    names: dict[str, Any] = {"__name__": "__page__"}
    problems = []
    for block in BLOCK.finditer(text):
        if "no-run" in block[1].split():
            continue
        line = text.count("\n", 0, block.start()) + 1
        # Blank lines in front, so that a traceback's line numbers are the page's own.
        code = block[2] if ">>>" in block[2] else "\n" * line + block[2]
        problems.append(run(code, f"{page}:{line}", names))
    return [problem for problem in problems if problem]


def check_links(page: Path, text: str) -> list[str]:
    """Follows the relative links of a page; those that lead nowhere."""
    links = [one or two for one, two in LINK.findall(FENCED.sub("", text))]
    paths = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    return [f"{page}: no file at the link {path}" for path in paths if not (page.parent / path).exists()]


def main(pages: list[str]) -> int:
    """Checks the pages; the exit status."""
    problems = []
    start = Path.cwd()
    for page in (start / name for name in pages):
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                problems += check_blocks(page, text) + check_links(page, text)
            finally:
                os.chdir(start)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(pages)} pages, {len(problems)} problems")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
