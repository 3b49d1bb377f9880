"""Fixtures of the tests with hostile files."""

from __future__ import annotations

import pytest

from ramify.saving import save_model
from tests.saving.hostile import build


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.keras"
    save_model(build(), path)
    return path


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """A folder that must not come to be."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "marker"
    yield place
    assert not place.exists()
