"""Keras's older names for what brings data into shape; the same functions as in `ramify.utils`."""

from ramify.preprocessing import image, sequence
from ramify.utils import image_dataset_from_directory, text_dataset_from_directory, timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
