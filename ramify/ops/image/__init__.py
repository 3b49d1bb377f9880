"""Operations on images: colour, size, place, patches, filters."""

from ramify.ops.image.borders import crop_images, pad_images
from ramify.ops.image.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from ramify.ops.image.coordinates import map_coordinates
from ramify.ops.image.filters import gaussian_blur, sobel_edges, ssim
from ramify.ops.image.patches import extract_patches, extract_patches_3d
from ramify.ops.image.resize import resize, scale_and_translate
from ramify.ops.image.transform import affine_transform, elastic_transform, perspective_transform

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches", "extract_patches_3d", "gaussian_blur",
    "hsv_to_rgb", "map_coordinates", "pad_images", "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv",
    "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip
