"""The version."""

__version__ = "0.1.0"


def version() -> str:
    """The version, such as ``"0.1.0"``."""
    return __version__
