"""Operations of the architectures that everybody uses: as many as torch's own counter counts while they run.

Nothing has data: weights and images are on torch's meta device, so that the largest of them take seconds.
"""

from __future__ import annotations

import json

import keras
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import ramify
from ramify.registry import loading
from ramify.visualize.build import picture_of

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's own
SOME = ["ConvNeXtTiny", "MobileNetV2"]
ALL = sorted(
    name
    for name, found in vars(keras.applications).items()
    if callable(found) and name[:1].isupper() and "weights" in found.__code__.co_varnames
)


def counted(model, batch):
    images = torch.zeros(batch, *model.inputs[0].shape[1:], device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(images, training=False)
    return counter.get_total_flops()


def made(name):
    with pytest.MonkeyPatch.context() as patch:
        if name.startswith("NASNet"):  # which Keras refuses to build under torch
            patch.setattr("keras.src.backend.backend", lambda: "jax")
        sized = {"input_shape": (224, 224, 3)} if name.startswith("MobileNetV3") else {}  # which has no size of its own
        return getattr(keras.applications, name)(weights=None, **sized)


def check(name):
    with keras.device("meta"), torch.device("meta"):
        theirs = made(name)
        with loading(blank=True):  # weights without values
            ours = ramify.saving.deserialize_keras_object(json.loads(theirs.to_json())).to("meta")
        flops = counted(ours, 2)
        assert picture_of(ours, batch_size=2).flops == flops == counted(theirs, 2)
        assert picture_of(ours, expand_nested=True, batch_size=1).flops == flops // 2
    assert flops > 10**8


@pytest.mark.parametrize("name", SOME)
def test_architectures(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ALL if name not in SOME])
def test_every_architecture(name):
    check(name)


def test_there_are_about_forty():
    assert len(ALL) >= 38
