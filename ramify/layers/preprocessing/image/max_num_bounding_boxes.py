"""`MaxNumBoundingBoxes`: the same number of boxes for every image."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError
from ramify.layers.preprocessing.image.base import ImageLayer
from ramify.registry import serializable

Tensor = torch.Tensor


@serializable("keras.layers")
class MaxNumBoundingBoxes(ImageLayer):
    """Cut or fill up the bounding boxes of each image to one number; images pass as they are.

    Args:
        max_number: how many boxes each image gets.
        fill_value: what boxes and labels are filled up with.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Shapes:
        ``"bounding_boxes"`` with ``"boxes"`` of shape ``(batch, any, 4)`` and ``"labels"`` of shape ``(batch, any)`` ->
        ``(batch, max_number, 4)`` and ``(batch, max_number)``.

    Raises:
        ArgumentError: a number of boxes that is not positive.

    Example:

    >>> boxes = {"boxes": torch.ones(2, 1, 4), "labels": torch.ones(2, 1)}
    >>> MaxNumBoundingBoxes(3)({"images": torch.zeros(2, 8, 8, 3), "bounding_boxes": boxes})["bounding_boxes"]["labels"]
    tensor([[ 1., -1., -1.],
            [ 1., -1., -1.]])
    """

    always = True
    keeps_dtype = True

    def __init__(self, max_number: int, fill_value: float = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(max_number, int) or max_number < 1:
            raise ArgumentError(f"MaxNumBoundingBoxes takes a positive max_number, but got {max_number!r}.")
        self.max_number = max_number
        self.fill_value = fill_value

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes and their labels, as many for each image."""
        del transformation, training
        boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
        missing = max(self.max_number - boxes.shape[1], 0)
        boxes = F.pad(boxes[:, : self.max_number], (0, 0, 0, missing), value=self.fill_value)
        labels = F.pad(labels[:, : self.max_number], (0, missing), value=self.fill_value)
        return {**bounding_boxes, "boxes": boxes, "labels": labels}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; what fills up only where it is not the usual, as Keras knows it not."""
        config = super().get_config()
        if self.fill_value == -1:
            del config["fill_value"]
        return config
