"""How long pictures take, in processor time of one thread: ``python benchmarks/pictures.py``."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from ramify.visualize import plot_model
from ramify.visualize.build import picture_of
from ramify.visualize.scene import scene_of
from tests.visualize.architectures import ARCHITECTURES, chain, transformer
from tests.visualize.geometry import geometry_of


def median_ms(run: Callable[[], Any], rounds: int = 7) -> float:
    """The median time of a call, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    print(f"{'layout of':>16} {'cards':>6} {'ms':>8}")
    for name, make in {**ARCHITECTURES, "chain of 1000": lambda: chain(1000)}.items():
        picture = picture_of(make(), costs=False)
        print(f"{name:>16} {len(picture.cards):>6} {median_ms(lambda p=picture: geometry_of(p)):>8.1f}")
    deep, tall = chain(10_000), transformer(96, 16, 32, 2, 10)
    opened = plot_model(deep, to_file=None)
    print(f"10,000 layers, folded and drawn: {median_ms(lambda: plot_model(deep, to_file=None).svg, 3):.0f} ms")
    print(f"10,000 layers, as a scene:       {median_ms(lambda: scene_of(opened.picture), 3):.0f} ms")
    size = plot_model(tall, to_file=None, show_shapes=True).display_list
    print(f"96 transformer blocks: {size.width} x {size.height} pixels")


if __name__ == "__main__":
    main()
