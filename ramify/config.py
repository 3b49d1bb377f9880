"""Defaults of the process: dtypes, the small number, the order of image axes."""

from ramify.dtype_policies import dtype_policy, set_dtype_policy
from ramify.dtypes import epsilon, floatx, set_epsilon, set_floatx
from ramify.image_format import image_data_format, set_image_data_format

__all__ = [
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
