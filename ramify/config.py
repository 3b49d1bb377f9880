"""Defaults of the process: dtypes, the small number, the order of image axes."""

from ramify.dtype_policies import dtype_policy, set_dtype_policy
from ramify.dtypes import epsilon, floatx, set_epsilon, set_floatx
from ramify.errors import ArgumentError
from ramify.image_format import image_data_format, set_image_data_format


def backend() -> str:
    """The engine's name: always ``"torch"``."""
    return "torch"


def set_backend(backend: str) -> None:
    """Accept the one engine there is.

    Raises:
        ArgumentError: another one.
    """
    if backend != "torch":
        raise ArgumentError(f"There is no backend {backend!r}: Ramify runs on PyTorch alone. Use 'torch', or Keras.")


__all__ = [
    "backend",
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
