"""Rectangles in images: their formats, how far they overlap, what becomes of them when the image is moved or cut."""

from ramify.utils.bounding_boxes.deltas import decode_deltas_to_boxes, encode_box_to_deltas
from ramify.utils.bounding_boxes.formats import convert_format
from ramify.utils.bounding_boxes.overlap import compute_ciou, compute_iou
from ramify.utils.bounding_boxes.transforms import affine_transform, clip_to_image_size, crop, pad

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]
