"""What every test takes for granted: one thread, fixed seeds, Keras on its torch backend."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest
import torch

import ramify  # noqa: F401 - before pytest imports a module of it alone, for its doctests

torch.set_num_threads(1)
# Warnings that torch gives once in a process would fail one test or another, as the order has it: give them every time.
torch.set_warn_always(True)

# A slow machine is no fault of the code; in CI the same examples are drawn every time.
hypothesis.settings.register_profile("ramify", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("ramify")

collect_ignore = ["tests/layers/preprocessing/record_keras.py"]  # a script that needs TensorFlow


@pytest.fixture(autouse=True)
def _seeds() -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the global generator is what tests draw from
