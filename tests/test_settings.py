"""Switches of the process: limits of epochs and steps, and tracebacks that show the user's code."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest
from torch.nn.attention import SDPBackend

import ramify
from ramify import config
from ramify.errors import ArgumentError

X, Y = np.ones((20, 3), "float32"), np.ones((20, 1), "float32")
HERE = str(Path(ramify.__file__).parent)


@pytest.fixture(autouse=True)
def _as_before():
    yield
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)
    config.enable_traceback_filtering()


def model():
    x = ramify.Input((3,))
    made = ramify.Model(x, ramify.layers.Dense(1)(x))
    made.compile("sgd", "mse")
    return made


def test_epochs_are_limited():
    config.set_max_epochs(2)
    assert config.max_epochs() == 2
    assert model().fit(X, Y, epochs=5, verbose=0).epoch == [0, 1]
    assert model().fit(X, Y, epochs=1, verbose=0).epoch == [0]
    config.set_max_epochs(None)
    assert len(model().fit(X, Y, epochs=5, verbose=0).epoch) == 5


@pytest.mark.parametrize("given", [{}, {"steps_per_epoch": 3}, {"steps_per_epoch": 1}])
def test_steps_are_limited(given):
    config.set_max_steps_per_epoch(2)
    seen = []
    hook = ramify.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch),
        on_test_batch_end=lambda batch, logs: seen.append("v"),
    )
    model().fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[hook], **given)
    steps = min(2, given.get("steps_per_epoch", 5))
    assert seen == [*range(steps), "v", "v"] * 2
    assert hook.params["steps"] == steps
    assert model().predict(X, batch_size=4, verbose=0).shape == (8, 1)
    seen.clear()
    model().evaluate(X, Y, batch_size=4, verbose=0, callbacks=[hook])
    assert seen == ["v", "v"]


def test_limits_are_checked_and_come_from_the_environment():
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ArgumentError, match="at least 1"):
            config.set_max_epochs(wrong)
        with pytest.raises(ArgumentError, match="at least 1"):
            config.set_max_steps_per_epoch(wrong)
    code = "from ramify import settings; print(settings.max_epochs(), settings.max_steps_per_epoch())"
    env = {
        **os.environ,
        "KERAS_MAX_EPOCHS": "3",
        "RAMIFY_MAX_STEPS_PER_EPOCH": "7",
        "PYTHONPATH": str(Path(HERE).parent),
    }
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["3", "7"]


def frames(error):
    return [frame.filename for frame in traceback.extract_tb(error.__traceback__)]


class Broken(ramify.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise RuntimeError("mine")


def test_tracebacks_show_the_users_code():
    with pytest.raises(RuntimeError, match="mine") as raised:
        model().fit(X, Y, verbose=0, callbacks=[Broken()])
    shown = frames(raised.value)
    assert shown[-1] == __file__
    assert sum(name.startswith(HERE) for name in shown) == 1  # where the others were left out
    whole = traceback.extract_tb(raised.value.full_traceback)
    assert sum(frame.filename.startswith(HERE) for frame in whole) > 3

    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()
    with pytest.raises(RuntimeError, match="mine") as raised:
        model().fit(X, Y, verbose=0, callbacks=[Broken()])
    assert sum(name.startswith(HERE) for name in frames(raised.value)) > 3


def test_causes_and_the_place_of_the_error_stay():
    with pytest.raises(ArgumentError) as raised:
        model().fit(X, Y[:3], verbose=0)
    assert frames(raised.value)[-1].startswith(HERE)  # who raised is not hidden

    class Chained(ramify.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            try:
                {}["a"]
            except KeyError as error:
                raise RuntimeError("mine") from error

    with pytest.raises(RuntimeError, match="mine") as raised:
        model().fit(X, Y, verbose=0, callbacks=[Chained()])
    assert isinstance(raised.value.__cause__, KeyError)


def test_flash_attention_can_be_ruled_out(monkeypatch):
    chosen = []
    real = ramify.ops.nn.attention.sdpa_kernel

    def watched(kernels):
        chosen.append(kernels)
        return real(kernels)

    monkeypatch.setattr(ramify.ops.nn.attention, "sdpa_kernel", watched)
    q = np.ones((1, 2, 4, 8), "float32")
    free = ramify.ops.dot_product_attention(q, q, q)
    assert config.is_flash_attention_enabled()
    assert not chosen
    config.disable_flash_attention()
    try:
        ruled_out = ramify.ops.dot_product_attention(q, q, q)
    finally:
        config.enable_flash_attention()
    assert SDPBackend.FLASH_ATTENTION not in chosen[0]
    np.testing.assert_allclose(free, ruled_out, rtol=1e-6)
    assert not config.is_nnx_enabled()
