"""Where batches come from: arrays, generators, loaders, data sets."""

from ramify.training.data.adapter import DataAdapter
from ramify.training.data.batch import (
    Placement,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
    with_class_weight,
)
from ramify.training.data.choose import adapter_for, take_apart
from ramify.training.data.py_dataset import PyDataset

__all__ = [
    "DataAdapter",
    "Placement",
    "PyDataset",
    "adapter_for",
    "pack_x_y_sample_weight",
    "take_apart",
    "unpack_x_y_sample_weight",
    "with_class_weight",
]
