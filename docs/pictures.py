"""Draws the pictures of this folder: ``python docs/pictures.py``, from the root of the repository."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import ramify  # noqa: E402 - the repository's own, whatever else is installed
from ramify.visualize import plot_model  # noqa: E402
from tests.visualize.architectures import dense_block, gan, resnet50, siamese, transformer  # noqa: E402

PICTURES = {
    "resnet50": (resnet50, {}),
    "transformer": (transformer, {"show_layer_activations": True}),
    "siamese": (siamese, {"expand_nested": True}),
    "gan": (gan, {"expand_nested": True, "rankdir": "LR"}),
    "dense_block": (dense_block, {}),
}


def main() -> None:
    """Write every picture, and say how large it is."""
    folder = HERE / "pictures"
    folder.mkdir(exist_ok=True)
    for name, (make, options) in PICTURES.items():
        drawing = plot_model(make(), folder / f"{name}.svg", show_shapes=True, **options)
        size = drawing.display_list
        print(f"{drawing.path}: {size.width} x {size.height}, {drawing.path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    print(f"ramify {ramify.__version__}")
    main()
