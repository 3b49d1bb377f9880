"""The table of drawn calls: the rows of `rows/`, and what is not drawn, with the reason."""

from __future__ import annotations

from tests.ops.drawn.rows import core, images, linalg, nn, numpy, randoms

ROWS = [row for part in (numpy, core, linalg, nn, images, randoms) for row in part.draw]

KEPT: dict[str, dict[str, str]] = {
    "*": {
        "sparse": "sparse tensors are not part of this library",
        "ragged": "ragged tensors are not part of this library",
    },
    "empty": dict.fromkeys(("shape", "dtype"), "its values mean nothing: tests/ops/numpy has it"),
    "empty_like": dict.fromkeys(("x", "dtype"), "likewise"),
    "dot_product_attention": {"flash_attention": "chooses a kernel, not a result"},
    "moments": {"synchronized": "needs several processes"},
    "SeedGenerator": dict.fromkeys(("seed", "name"), "not a function: tests/random has it"),
}
"""Op -> parameter -> why no row draws it."""
