"""The explorer's page: its parts, which lie beside this file, put into one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from ramify.visualize.display import PALETTES
from ramify.visualize.explorer.data import Metric, as_json, explorer_data
from ramify.visualize.families import FAMILIES
from ramify.visualize.picture import Picture

_SCRIPTS = "model layout heat cards view choose search keys panel map link main".split()


def explorer_page(
    picture: Picture,
    metrics: Sequence[Metric] = (),
    values: Mapping[int, Mapping[str, float]] | None = None,
    marks: Mapping[int, str] | None = None,
) -> str:
    """A page in which a picture can be explored. It loads nothing, and its policy forbids it to.

    Args:
        picture: what to show, its containers with what is in them.
        metrics: numbers to colour cards by, beside parameters, FLOPs and memory.
        values: item number -> metric -> value.
        marks: item number -> ``added``, ``removed`` or ``changed``.
    """
    data: dict[str, Any] = explorer_data(picture, metrics, values, marks)
    script, style = _script(), _style()
    policy = f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'"
    return Template(_read("page.html")).substitute(
        policy=policy,
        title=escape(picture.name),
        told=escape(data["told"]),
        style=style,
        script=script,
        data=as_json(data),
    )


def framed(page: str, height: int = 640) -> str:
    """A page within another: it can run its own script there, and reach nothing around it."""
    return (
        f'<iframe sandbox="allow-scripts allow-downloads" style="width:100%;height:{height}px;border:0" '
        f'title="Explorer of the model" srcdoc="{escape(page)}"></iframe>'
    )


def _read(name: str) -> str:
    return (files("ramify.visualize.explorer") / name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    """The scripts as one, without comments and indentation; no string in them goes over a line."""
    lines = (line.strip() for name in _SCRIPTS for line in _read(f"{name}.js").splitlines())
    return (
        '(() => {"use strict";\n' + "\n".join(line for line in lines if line and not line.startswith("//")) + "\n})();"
    )


@cache
def _style() -> str:
    """The style sheet, and the colours that drawings have, as variables."""
    lines = (line.strip() for line in _read("explorer.css").splitlines())
    sheet = "\n".join(line for line in lines if line)
    families = "".join(f".f-{key}{{--family:{family.color}}}" for key, family in FAMILIES.items())
    return Template(sheet).substitute(light=_colors("light"), dark=_colors("dark")) + families


def _colors(name: str) -> str:
    palette = PALETTES[name]
    words = {
        "canvas": palette["canvas"].fill, "plate": palette["card"].fill, "line": palette["card"].stroke,
        "frame": palette["group"].fill, "frame-line": palette["group"].stroke, "head": palette["head"].fill,
        "pill": palette["pill"].fill, "pill-line": palette["pill"].stroke, "edge": palette["edge"].stroke,
        "ink": palette["t"].fill, "grey": palette["g"].fill, "badge": palette["badge"].fill,
        "badge-ink": palette["k"].fill, "tie": palette["shared"].stroke, "frozen": palette["frozen"].fill,
        "frozen-line": palette["frozen"].stroke,
    }  # fmt: skip
    return "".join(f"--{word}:{color};" for word, color in words.items())


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
