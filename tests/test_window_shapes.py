"""The rules for shapes say what torch's own kernels say, or nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ramify.window_shapes import WINDOWS

numbers = st.integers(1, 4)


def meta(*shape):
    return torch.empty(shape, device="meta")


def agree(function, args, kwargs):
    found = WINDOWS[function](*args, **kwargs)
    try:
        true = function(*args, **kwargs)
    except (RuntimeError, ValueError):
        assert found is None
    else:
        assert found is None or (found.shape, found.dtype) == (true.shape, true.dtype)
    return found


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_convolutions(data):
    rank = data.draw(st.integers(1, 3))
    groups, inner, outer = data.draw(numbers), data.draw(numbers), data.draw(numbers)
    kernel = [data.draw(numbers) for _ in range(rank)]
    x = meta(2, groups * inner, *(data.draw(st.integers(1, 9)) for _ in range(rank)))
    options = {name: data.draw(st.one_of(numbers, st.tuples(*[numbers] * rank))) for name in ("stride", "dilation")}
    options["padding"] = data.draw(st.one_of(st.integers(0, 3), st.sampled_from(["same", "valid"])))
    wrong = data.draw(st.sampled_from([0, 0, 0, 1]))
    filters = meta(groups * outer + wrong, inner, *kernel)
    agree((F.conv1d, F.conv2d, F.conv3d)[rank - 1], (x, filters), {**options, "groups": groups})


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_pooling(data):
    kernel, stride = data.draw(numbers), data.draw(st.one_of(st.none(), numbers))
    x = meta(2, 3, data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)))
    options = {
        "padding": data.draw(st.integers(0, 2)),
        "dilation": data.draw(numbers),
        "ceil_mode": data.draw(st.booleans()),
    }
    agree(torch.max_pool2d, (x, kernel, stride), options)


def test_plain_cases_are_answered():
    assert agree(F.conv2d, (meta(2, 3, 8, 8), meta(4, 3, 3, 3), meta(4), 2, 1), {}).shape == (2, 4, 4, 4)
    assert agree(torch.max_pool2d, (meta(2, 3, 8, 8), 2), {}).shape == (2, 3, 4, 4)
    assert agree(F.embedding, (torch.zeros(2, 5, dtype=torch.int32, device="meta"), meta(7, 3)), {}).shape == (2, 5, 3)


@pytest.mark.parametrize("bias", [meta(3), meta(4, 1)])
def test_a_bias_that_does_not_fit_is_left_to_torch(bias):
    assert WINDOWS[F.conv2d](meta(2, 3, 8, 8), meta(4, 3, 3, 3), bias) is None


def test_building_a_convolutional_model_imports_no_compiler():
    code = (
        "import sys, ramify; from ramify import layers; x = i = ramify.Input((32, 32, 3)); x = layers.Conv2D(4, 3)(x);"
        "x = layers.MaxPooling2D(2)(layers.BatchNormalization()(x)); x = layers.GlobalAveragePooling2D()(x);"
        "t = ramify.Input((9,), dtype='int32'); e = layers.Flatten()(layers.Embedding(5, 4)(t));"
        "ramify.Model([i, t], layers.Dense(2)(layers.Concatenate()([x, e]))); sys.exit('sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
