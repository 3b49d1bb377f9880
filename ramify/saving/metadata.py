"""What stands in ``metadata.json`` of a ``.keras`` file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from ramify.saving.checksums import KEY
from ramify.version import __version__

KERAS_VERSION = "3.15.1"  # whose format this is


def metadata(sums: Mapping[str, str], state: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata: what Keras wants to see, and under a name of our own what it does not look at.

    Args:
        sums: path of a weight -> SHA-256.
        state: further state, see `ramify.saving.extras`.
    """
    return {
        "keras_version": KERAS_VERSION,
        "date_saved": dt.datetime.now().astimezone().strftime("%Y-%m-%d@%H:%M:%S"),
        KEY: {"version": __version__, "sha256": dict(sums), **state},
    }


def own(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A part of what stands under our name, or nothing."""
    held = data.get(KEY)
    found = held.get(name) if isinstance(held, dict) else None
    return found if isinstance(found, dict) else {}


def saved_sums(data: Mapping[str, Any]) -> dict[str, str]:
    """The checksums of the weights, by path."""
    return own(data, "sha256")
