"""Images as files and as arrays. Needs Pillow: ``pip install ramify[images]``."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ramify import image_format
from ramify.errors import ArgumentError
from ramify.ops.image.resize import resize

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_DEEP = ("I", "I;16", "I;16L", "I;16B", "F")


def pillow() -> Any:
    """Pillow's `Image` module.

    Raises:
        ImportError: it is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Image files need Pillow: pip install pillow, or ramify[images].") from error
    return Image


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | int | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Read an image.

    Args:
        path: file, path or binary stream.
        color_mode: ``"grayscale"``, ``"rgb"`` or ``"rgba"``.
        target_size: height and width to have; those of the file when ``None``.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"hamming"``, ``"box"`` or ``"lanczos"``.
        keep_aspect_ratio: cut away at the sides what would change the proportions.

    Returns:
        A Pillow image.

    Raises:
        ArgumentError: another mode or interpolation, or something that is no file.
        ImportError: Pillow is not installed.
    """
    if color_mode not in _MODES:
        raise ArgumentError(f"color_mode must be 'grayscale', 'rgb' or 'rgba', but is {color_mode!r}.")
    image_module = pillow()
    if isinstance(path, (str, os.PathLike)):
        path = io.BytesIO(Path(path).read_bytes())
    elif not hasattr(path, "read"):
        raise ArgumentError(f"load_img reads a path or a binary stream, not a {type(path).__name__}.")
    with image_module.open(path) as opened:
        image = opened if color_mode == "grayscale" and opened.mode in _DEEP else opened.convert(_MODES[color_mode])
        image.load()
    if target_size is None:
        return image
    height, width = (target_size, target_size) if isinstance(target_size, int) else target_size
    if interpolation not in _FILTERS:
        raise ArgumentError(f"interpolation must be one of {', '.join(_FILTERS)}, but is {interpolation!r}.")
    if image.size == (width, height):
        return image
    how = getattr(image_module.Resampling, interpolation.upper())
    if not keep_aspect_ratio:
        return image.resize((width, height), how)
    left, top, inner_width, inner_height = _middle(image.size[1], image.size[0], height, width)
    return image.resize((width, height), how, (left, top, left + inner_width, top + inner_height))


def _middle(height: int, width: int, target_height: int, target_width: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of the largest part in the middle that has the target's proportions."""
    inner_height = min(height, max(1, width * target_height // target_width))
    inner_width = min(width, max(1, height * target_width // target_height))
    return (width - inner_width) // 2, (height - inner_height) // 2, inner_width, inner_height


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as an image.

    Args:
        path: path or binary stream.
        x: array of shape ``(height, width, channels)``, or as `data_format` says.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when ``None``.
        file_format: such as ``"png"``; by the path's ending when ``None``.
        scale: whether values are stretched to 0 to 255.
        kwargs: what Pillow's `save` takes besides.
    """
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and str(file_format or Path(str(path)).suffix).lower().lstrip(".") in ("jpg", "jpeg"):
        image = image.convert("RGB")  # which has no place for transparency
    image.save(path, format=file_format, **kwargs)


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array as a Pillow image.

    Args:
        x: array or tensor of shape ``(height, width, channels)``, or as `data_format` says; 1, 3 or 4 channels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when ``None``.
        scale: whether values are stretched so that the least becomes 0 and the largest 255.
        dtype: dtype that the array gets first; float32 when ``None``.

    Raises:
        ArgumentError: another rank or number of channels.
    """
    data_format = image_format.checked_data_format(data_format, "An image")
    image_module = pillow()
    array = np.array(x.detach().cpu() if isinstance(x, torch.Tensor) else x, dtype=dtype or "float32")
    if array.ndim != 3:
        raise ArgumentError(f"array_to_img takes one image, an array of rank 3, but received the shape {array.shape}.")
    if data_format == "channels_first":
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in (1, 3, 4):
        raise ArgumentError(
            f"An image has 1, 3 or 4 channels, but the array has {array.shape[2]} (shape {array.shape})."
        )
    if scale:
        array = array - array.min()
        array = array / array.max() * 255 if array.max() else array
    if array.shape[2] == 1:
        deep = array.max() > 255
        return image_module.fromarray(array[..., 0].astype("int32" if deep else "uint8"))
    with np.errstate(invalid="ignore"):
        return image_module.fromarray(array.astype("int64").astype("uint8"))


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A Pillow image as an array.

    Args:
        img: a Pillow image, or an array of rank 2 or 3.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when ``None``.
        dtype: of the array; float32 when ``None``.

    Returns:
        Array of shape ``(height, width, channels)``, or as `data_format` says.

    Raises:
        ArgumentError: another rank.
    """
    array: np.ndarray = np.asarray(img, dtype=dtype or "float32")
    first = image_format.checked_data_format(data_format, "An image") == "channels_first"
    if array.ndim == 2:
        return array[None] if first else array[..., None]
    if array.ndim != 3:
        raise ArgumentError(f"An image has rank 2 or 3, but received the shape {array.shape}.")
    return array.transpose(2, 0, 1) if first else array


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last", **kwargs: Any
) -> Any:
    """Images in another size without distorting them: the largest part in the middle is cut out first.

    Args:
        x: images, with or without a batch axis.
        size: height and width to have.
        interpolation: as `ramify.ops.image.resize` takes it.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        kwargs: ``backend_module``, accepted for Keras's sake.

    Returns:
        An array for an array, a tensor for a tensor.

    Raises:
        ArgumentError: another size or rank.

    >>> smart_resize(np.ones((5, 9, 3)), (4, 4)).shape
    (4, 4, 3)
    """
    if kwargs.keys() - {"backend_module"}:
        raise ArgumentError(f"smart_resize has no argument {', '.join(map(repr, kwargs))}.")
    if len(size) != 2:
        raise ArgumentError(f"size is (height, width), but is {size!r}.")
    tensor = x if isinstance(x, torch.Tensor) else torch.as_tensor(np.asarray(x))
    if tensor.ndim not in (3, 4):
        raise ArgumentError(
            f"smart_resize takes one image or a batch (rank 3 or 4), not the shape {tuple(tensor.shape)}."
        )
    if not tensor.is_floating_point():
        tensor = tensor.float()
    rows = tensor.ndim - (3 if data_format == "channels_last" else 2)
    left, top, width, height = _middle(tensor.shape[rows], tensor.shape[rows + 1], *size)
    cut = tensor.narrow(rows, top, height).narrow(rows + 1, left, width)
    made = resize(cut, tuple(size), interpolation, data_format=data_format)
    return made if isinstance(x, torch.Tensor) else made.numpy()
