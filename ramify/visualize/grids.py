"""Numbers as images: what the layers of a model return, and the kernels of convolutions, as grids of tiles."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ramify import dtypes
from ramify.errors import ArgumentError
from ramify.graph.structure import flatten, map_leaves
from ramify.visualize.collect import outputs_of

_GAP = 2
_PAPER = 112  # grey: neither end of any range of colours
# Colours between which values lie: from the lowest over zero to the highest. Blue and orange differ to every eye.
_LOW, _ZERO, _HIGH = np.array([[33, 102, 172], [247, 247, 247], [179, 88, 6]], float)
_DARK, _BRIGHT = np.array([[12, 14, 30], [255, 236, 170]], float)
_MIDDLE = np.array([196, 64, 80], float)
_LARGEST = 16_000
_SCALES = ("tile", "all")


class ImageGrid:
    """An image of tiles: an array of pixels that can be saved and shows itself in notebooks.

    Attributes:
        pixels: uint8 array of shape (height, width, 3).
        title: what it shows.
    """

    def __init__(self, pixels: np.ndarray, title: str = "") -> None:
        self.pixels = np.ascontiguousarray(pixels, dtype=np.uint8)
        self.title = title

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The pixels."""
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def png(self) -> bytes:
        """The image as a PNG file."""
        return png_bytes(self.pixels)

    def svg(self) -> str:
        """The image as an SVG document, its pixels kept sharp at every size."""
        height, width, _ = self.pixels.shape
        data = base64.b64encode(self.png()).decode()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img"><title>{escape(self.title)}</title>'
            f'<image width="{width}" height="{height}" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{data}"/></svg>\n'
        )

    def save(self, path: str | Path) -> Path:
        """Write the image to a file that ends in ``.png`` or ``.svg``.

        Raises:
            ArgumentError: another ending.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in (".png", ".svg"):
            raise ArgumentError(f"Grids are saved as .png or .svg, but the file is '{path.name}'. Change its ending.")
        path.write_bytes(self.png() if ending == ".png" else self.svg().encode())
        return path

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        height, width, _ = self.pixels.shape
        return f"<ImageGrid {self.title!r}: {width} by {height} pixels>"


class Activations(Mapping[str, Any]):
    """What each call of a model returned for a batch: name -> array.

    A layer in a nested model is named by its path (``encoder.dense``); the second call of a layer is ``dense #2``, and
    the second of several results ``lstm[1]``.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], layers: Mapping[str, Any]) -> None:
        self._arrays, self._layers = dict(arrays), dict(layers)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            raise KeyError(f"no call is named {name!r}; the calls are {', '.join(list(self._arrays)[:20])}")
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def grid(self, name: str, sample: int = 0, scale: str = "tile", zoom: int | None = None) -> ImageGrid:
        """One call's output for one sample as an image: a tile per channel of images, else one tile.

        Args:
            name: the call.
            sample: which sample of the batch.
            scale: ``"tile"`` to give each tile the full range of colours, ``"all"`` to let tiles be compared.
            zoom: pixels per value; found out when not given.
        """
        values = self[name][sample]
        first = getattr(self._layers[name], "data_format", None) == "channels_first"
        return grid(_tiles(values, first), scale, zoom, f"{name}, sample {sample}")

    def save(self, folder: str | Path, sample: int = 0, scale: str = "tile") -> list[Path]:
        """Write a PNG per call into a folder, numbered in the order of the calls; returns their paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, name in enumerate(self):
            word = "".join(char if char.isalnum() or char in "._-" else "_" for char in name)
            paths.append(self.grid(name, sample, scale).save(folder / f"{number:03d}_{word}.png"))
        return paths

    def _repr_html_(self) -> str:
        shown = []
        for name in list(self)[:40]:
            image = base64.b64encode(self.grid(name).png()).decode()
            words = f"{escape(name)} {escape(str(self[name].shape[1:]))}"
            shown.append(
                f'<figure style="display:inline-block;margin:6px"><img alt="{words}" '
                f'style="image-rendering:pixelated;max-width:320px" src="data:image/png;base64,{image}">'
                f"<figcaption>{words}</figcaption></figure>"
            )
        more = f"<p>and {len(self) - 40} more</p>" if len(self) > 40 else ""
        return "".join(shown) + more

    def __repr__(self) -> str:
        lines = [f"{name}: {value.shape} {value.dtype}" for name, value in self.items()]
        return "\n".join(["Activations:", *(f"  {line}" for line in lines)])


def activations(model: Any, x: Any, layers: Any = None) -> Activations:
    """What the layers of a model return for a batch.

    Args:
        model: a model that is a graph; of another, the layers are listened to.
        x: a batch, nested as the model takes it.
        layers: names of the calls wanted, or layers; all when not given.

    Returns:
        The arrays, by name, which show themselves as images: `Activations`.

    Raises:
        ArgumentError: a name that no call has.

    Example:

    >>> import numpy as np, ramify
    >>> x = ramify.Input(shape=(8, 8, 1), name="x")
    >>> model = ramify.Model(x, ramify.layers.Conv2D(4, 3, name="edges")(x))
    >>> found = activations(model, np.zeros((2, 8, 8, 1), "float32"))
    >>> found["edges"].shape, found.grid("edges", zoom=2)
    ((2, 6, 6, 4), <ImageGrid 'edges, sample 0': 26 by 26 pixels>)
    """
    found = outputs_of(model, map_leaves(torch.as_tensor, x))
    wanted = None if layers is None else set(flatten(layers if isinstance(layers, (list, tuple)) else [layers]))
    arrays, targets = {}, {}
    for name, layer, value in found:
        if wanted is None or name in wanted or layer in wanted:
            arrays[name], targets[name] = _array(value), layer
    missing = [] if wanted is None else [one for one in wanted if isinstance(one, str) and one not in arrays]
    if missing:
        raise ArgumentError(
            f"No call of '{model.name}' is named {', '.join(map(repr, missing))}. "
            f"The calls are {', '.join(name for name, _, _ in found[:20])}{', ...' if len(found) > 20 else ''}."
        )
    return Activations(arrays, targets)


def filters(layer: Any, scale: str = "all", zoom: int | None = None) -> ImageGrid:
    """The kernels of a layer as an image.

    Kernels of an image convolution become tiles, a row of inputs' channels for each filter; those on three channels
    are shown in their colours. Other kernels become one tile of all their values.

    Args:
        layer: a built layer with a kernel.
        scale: ``"tile"`` to give each tile the full range of colours, ``"all"`` to let tiles be compared.
        zoom: pixels per value; found out when not given.

    Raises:
        ArgumentError: a layer without a kernel.

    Example:

    >>> import ramify
    >>> layer = ramify.layers.Conv2D(8, 3, name="edges")
    >>> layer.build((None, 8, 8, 3))
    >>> filters(layer, zoom=4)
    <ImageGrid 'edges, 8 kernels of 3×3': 40 by 40 pixels>
    """
    weight = next((w for w in getattr(layer, "weights", ()) if "kernel" in w.name or "embeddings" in w.name), None)
    if weight is None:
        raise ArgumentError(f"'{getattr(layer, 'name', layer)}' has no kernel to show. Give a built layer with one.")
    kernel = _array(weight)
    if kernel.ndim == 4:
        high, wide, inputs, count = kernel.shape
        title = f"{layer.name}, {count} kernels of {high}×{wide}"
        if inputs == 3:
            return _in_colour(kernel.transpose(3, 0, 1, 2), scale, zoom, title)
        return grid(kernel.transpose(3, 2, 0, 1).reshape(-1, high, wide), scale, zoom, title, inputs)
    tiles = kernel.reshape(1, -1, kernel.shape[-1])
    return grid(tiles, scale, zoom, f"{layer.name}, kernel {kernel.shape}")


def grid(
    tiles: np.ndarray, scale: str = "tile", zoom: int | None = None, title: str = "", columns: int | None = None
) -> ImageGrid:
    """Tiles side by side in one image.

    Args:
        tiles: array of shape (count, height, width).
        scale: ``"tile"`` to give each tile the full range of colours, ``"all"`` one range to all.
        zoom: pixels per value; found out when not given.
        title: what it shows.
        columns: tiles in a row; about as many as there are rows when not given.

    Raises:
        ArgumentError: another `scale`.

    Example:

    >>> import numpy as np
    >>> grid(np.arange(36.0).reshape(4, 3, 3), zoom=1).pixels.shape
    (8, 8, 3)
    """
    if scale not in _SCALES:
        raise ArgumentError(f"scale={scale!r} is unknown. Use 'tile' or 'all'.")
    tiles = np.nan_to_num(np.asarray(tiles, float))
    return _arranged(_coloured(tiles, scale), zoom, title, columns)


def _arranged(tiles: np.ndarray, zoom: int | None, title: str, columns: int | None = None) -> ImageGrid:
    count, high, wide, _ = tiles.shape
    columns = columns or max(1, round((count * high / wide) ** 0.5))
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    fits = max(1, min(16, 480 // max(columns * wide, rows * high, 1)))
    zoom = max(1, min(zoom or fits, _LARGEST // max(columns * (wide + _GAP), rows * (high + _GAP), 1)))
    tiles = tiles.repeat(zoom, axis=1).repeat(zoom, axis=2)
    high, wide = high * zoom, wide * zoom
    pixels = np.full((rows * (high + _GAP) - _GAP, columns * (wide + _GAP) - _GAP, 3), _PAPER, np.uint8)
    for number, tile in enumerate(tiles):
        y, x = number // columns * (high + _GAP), number % columns * (wide + _GAP)
        pixels[y : y + high, x : x + wide] = tile
    return ImageGrid(pixels, title)


def _coloured(tiles: np.ndarray, scale: str) -> np.ndarray:
    """Values as colours: dark to bright, or blue over white to orange where some are below zero."""
    axes = (1, 2) if scale == "tile" else None
    if tiles.min(initial=0.0) < 0:
        most = np.abs(tiles).max(axis=axes, keepdims=True, initial=0.0)
        share = np.divide(tiles, most, out=np.zeros_like(tiles), where=most > 0)[..., None]
        return np.where(share < 0, _ZERO + (_LOW - _ZERO) * -share, _ZERO + (_HIGH - _ZERO) * share).round()
    most = tiles.max(axis=axes, keepdims=True, initial=0.0)
    share = np.divide(tiles, most, out=np.zeros_like(tiles), where=most > 0)[..., None]
    lower, upper = _DARK + (_MIDDLE - _DARK) * share * 2, _MIDDLE + (_BRIGHT - _MIDDLE) * (share * 2 - 1)
    return np.where(share < 0.5, lower, upper).round()


def _in_colour(kernels: np.ndarray, scale: str, zoom: int | None, title: str) -> ImageGrid:
    if scale not in _SCALES:
        raise ArgumentError(f"scale={scale!r} is unknown. Use 'tile' or 'all'.")
    axes = (1, 2, 3) if scale == "tile" else None
    low, high = kernels.min(axis=axes, keepdims=True), kernels.max(axis=axes, keepdims=True)
    share = np.divide(kernels - low, high - low, out=np.full_like(kernels, 0.5), where=high > low)
    return _arranged((share * 255).round(), zoom, title)


def _tiles(values: np.ndarray, channels_first: bool) -> np.ndarray:
    """One sample's output as tiles: channels of images, the middle slice of volumes, else rows of values."""
    if values.ndim >= 3:
        if not channels_first:
            values = np.moveaxis(values, -1, 0)
        while values.ndim > 3:
            values = values[:, values.shape[1] // 2]
        return values
    if values.ndim == 2:
        return values[None]
    flat = values.reshape(-1)
    wide = max(1, int(np.ceil(flat.size**0.5)))
    padded = np.zeros(-(-max(flat.size, 1) // wide) * wide)
    padded[: flat.size] = flat
    return padded.reshape(1, -1, wide)


def _array(value: torch.Tensor) -> np.ndarray:
    return dtypes.to_numpy(value)


def png_bytes(pixels: np.ndarray) -> bytes:
    """A PNG file of uint8 pixels of shape (height, width, 3), as ISO/IEC 15948 defines it.

    >>> png_bytes(np.zeros((2, 2, 3), np.uint8))[1:4]
    b'PNG'
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + width * 3), np.uint8)  # a filter byte of 0 before each row: as it is
    rows[:, 1:] = pixels.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9))
        + chunk(b"IEND", b"")
    )
