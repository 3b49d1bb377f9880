"""JAX, or what stands in for it where it is not installed."""

from __future__ import annotations

import sys

import pytest

from tests.layers.foreign import stand_in


@pytest.fixture(params=["jax", "stand-in"])
def jax(request, monkeypatch):
    """Each test runs with the real package, where it is installed, and with the stand-in."""
    if request.param == "jax":
        return pytest.importorskip("jax")
    made = stand_in.module()
    monkeypatch.setitem(sys.modules, "jax", made)
    return made


@pytest.fixture
def without(monkeypatch):
    """Let a package be one that is not installed."""
    return lambda name: monkeypatch.setitem(sys.modules, name, None)
