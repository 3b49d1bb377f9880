"""What all layers on images share: batches and single images, dicts with labels, draws, layouts."""

from __future__ import annotations

from typing import Any

import torch

from ramify.errors import ArgumentError, InputError
from ramify.image_format import checked_data_format
from ramify.layers.layer import Layer
from ramify.layers.preprocessing.image.draws import Draws
from ramify.seeds import Stream

Tensor = torch.Tensor


class ImageLayer(Layer):
    """Base of the layers that change images, and with them their labels and masks.

    A subclass draws in `get_random_transformation` everything that is random, once per call, and applies it in
    `transform_images`, which always gets a batch. Unless it says ``always = True``, it is idle outside of training.
    Called by itself, outside of any model, it is in training mode (`eval()` ends that), so that it augments data in an
    input pipeline as it stands.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``seed``, where the layer draws: a sequence of its own, or ``None`` for torch's global generator; and
            what every layer takes.

    Shapes:
        images of shape ``(batch, height, width, channels)`` or ``(height, width, channels)``, or a dict with
        ``"images"`` and possibly ``"labels"``, ``"segmentation_masks"`` and ``"bounding_boxes"`` -> the same.
    """

    always = False
    keeps_dtype = False
    seed: Any = None

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        seed = kwargs.pop("seed", None)  # no argument of its own: many layers draw nothing
        super().__init__(**kwargs)
        self.data_format = checked_data_format(data_format, type(self).__name__)
        self.seed, self._stream = seed, Stream(seed, type(self).__name__)
        self.__dict__["training"] = True  # until `eval()`, or an enclosing call says otherwise

    def call(self, data: Any, training: bool = True) -> Any:
        """The changed images; labels and masks with them where there are any."""
        single = self._images_of(data).ndim == 3
        if single:
            data = _each(lambda t: t.unsqueeze(0), data)
        outputs = self._changed(data, training)
        return _each(lambda t: t.squeeze(0), outputs) if single else outputs

    def _changed(self, data: Any, training: bool) -> Any:
        if not isinstance(data, dict):
            images = self.as_numbers(data)
            if not (training or self.always):
                return images
            drawn = self.get_random_transformation(images, training=training)
            return self.transform_images(images, drawn, training=training)
        data = {**data, "images": self.as_numbers(data["images"])}
        if not (training or self.always):
            return data
        drawn = self.get_random_transformation(data, training=training)
        outputs = {**data, "images": self.transform_images(data["images"], drawn, training=training)}
        if data.get("labels") is not None:
            outputs["labels"] = self.transform_labels(data["labels"], drawn, training=training)
        if data.get("segmentation_masks") is not None:
            outputs["segmentation_masks"] = self.transform_segmentation_masks(
                data["segmentation_masks"], drawn, training=training
            )
        if data.get("bounding_boxes") is not None:
            outputs["bounding_boxes"] = self.transform_bounding_boxes(data["bounding_boxes"], drawn, training=training)
        return outputs

    def _images_of(self, data: Any) -> Tensor:
        images = data.get("images") if isinstance(data, dict) else data
        if not isinstance(images, Tensor) or images.ndim not in (3, 4):
            found = f"shape {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
            raise InputError(
                f"{self.describe()} takes images of 3 axes, batches of them of 4, or a dict with such 'images', but "
                f"received {found}. Reshape them."
            )
        return images

    # ---- what subclasses define ----

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What is random, drawn for a batch; `None` where nothing is.

        Args:
            data: images of shape ``(batch, ...)``, or a dict that has them.
            training: whether the call is one of training.
            seed: draw with this seed in place of the layer's.
        """
        return self.drawn(self.draws(data, seed)) if training else None

    def drawn(self, draws: Draws) -> Any:
        """The random numbers of one call in training."""
        del draws

    def transform_images(self, images: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Apply what was drawn to a batch of images."""
        del training
        return images if transformation is None else self.changed(images, transformation)

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, changed by what was drawn."""
        del transformation
        return images

    def transform_labels(self, labels: Tensor, transformation: Any, training: bool = True) -> Tensor:
        """Labels as they belong to the changed images."""
        del transformation, training
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """Masks as they belong to the changed images: where pixels move, they move too."""
        del training
        return segmentation_masks if transformation is None else self.changed_masks(segmentation_masks, transformation)

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        """The masks, moved as what was drawn moves the images."""
        del transformation
        return masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """Boxes as they belong to the changed images."""
        del transformation, training
        return bounding_boxes

    # ---- what they use ----

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, from the end."""
        return -1 if self.data_format == "channels_last" else -3

    @property
    def space_axes(self) -> tuple[int, int]:
        """The axes of height and width, from the end."""
        return (-3, -2) if self.data_format == "channels_last" else (-2, -1)

    def size_of(self, images: Tensor) -> tuple[int, int]:
        """Height and width of images."""
        height, width = self.space_axes
        return images.shape[height], images.shape[width]

    def planes(self, images: Tensor) -> Tensor:
        """A batch with the channels before height and width; a view."""
        return images.permute(0, 3, 1, 2) if self.data_format == "channels_last" else images

    def surface(self, planes: Tensor) -> Tensor:
        """The inverse of `planes`."""
        return planes.permute(0, 2, 3, 1) if self.data_format == "channels_last" else planes

    def as_numbers(self, images: Tensor) -> Tensor:
        """Images in the dtype the layer computes in, unless it keeps whole numbers."""
        return images if self.keeps_dtype or images.is_floating_point() else images.to(self.compute_torch_dtype)

    def draws(self, data: Any, seed: Any = None) -> Draws:
        """Where to draw for a batch: from the layer's own stream, or with the seed that a single draw was given."""
        images: Tensor = data["images"] if isinstance(data, dict) else data
        return Draws(images, self._stream if seed is None else Stream(seed, type(self).__name__))

    def draw_from(self, other: ImageLayer) -> None:
        """Draw from another layer's stream."""
        self._stream = other._stream


def value_range_of(value: Any, who: str) -> tuple[float, float]:
    """The lowest and the highest value that a pixel can have.

    Raises:
        ArgumentError: no pair of ascending numbers.
    """
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(pair) != 2 or not all(isinstance(n, (int, float)) for n in pair) or pair[0] >= pair[1]:
        raise ArgumentError(f"{who}: value_range is a pair (lowest, highest), such as (0, 255), but got {value!r}.")
    return pair


def rescaled(images: Tensor, source: tuple[float, float], target: tuple[float, float]) -> Tensor:
    """Values of one range spread over another; the same tensor where the ranges are equal."""
    if tuple(source) == tuple(target):
        return images
    scale = (target[1] - target[0]) / (source[1] - source[0])
    return (images - source[0]) * scale + target[0]


def _each(function: Any, data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _each(function, value) for key, value in data.items()}
    return function(data) if isinstance(data, Tensor) else data
