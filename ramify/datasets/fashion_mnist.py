"""Fashion-MNIST: 70,000 pieces of clothing, 28 x 28 (Xiao, Rasul and Vollgraf, 2017)."""

from __future__ import annotations

from ramify.datasets.mnist import Sides
from ramify.datasets.reading import read_idx
from ramify.datasets.sources import fetch


def load_data() -> Sides:
    """Download Fashion-MNIST where it is not in the cache.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, of the shapes of MNIST. The classes are T-shirt, trouser, pullover,
        dress, coat, sandal, shirt, sneaker, bag and ankle boot.

    Raises:
        ConnectionError: a file cannot be reached.
    """

    def part(name: str) -> object:
        return read_idx(fetch(name, cache_subdir="datasets/fashion-mnist"))

    train, test = (
        tuple(part(f"{side}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")) for side in ("train", "t10k")
    )
    return train, test  # type: ignore[return-value]  # two arrays each
