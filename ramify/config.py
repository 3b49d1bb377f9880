"""Defaults of the process: dtypes, the small number, the order of image axes; how it talks, and how much it does."""

from ramify.dtype_policies import dtype_policy, set_dtype_policy
from ramify.dtypes import epsilon, floatx, set_epsilon, set_floatx
from ramify.errors import ArgumentError
from ramify.image_format import image_data_format, set_image_data_format
from ramify.registry import allow_code
from ramify.settings import (
    disable_flash_attention,
    disable_interactive_logging,
    disable_traceback_filtering,
    enable_flash_attention,
    enable_interactive_logging,
    enable_traceback_filtering,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_max_epochs,
    set_max_steps_per_epoch,
)


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


def is_nnx_enabled() -> bool:
    """Whether layers are modules of Flax NNX: never, that is for Keras on JAX."""
    return False


def enable_unsafe_deserialization() -> None:
    """Let files and configs run Python code that they bring along, from now on, in all threads and at every entry.

    As in Keras, this overrides ``safe_mode=True``, the default of `saving.load_model` and others. Never do this in a
    process that reads what others made: ``safe_mode=False`` does it for one call.
    """
    allow_code()


__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]
