"""Every quick rule says what the function itself says, or nothing."""

import operator
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from ramify.graph.quick import QUICK

T = torch.empty
CASES = [
    *[(f, (T(2, 3),), {}) for f in (torch.relu, torch.Tensor.tanh, F.gelu, torch.selu, F.dropout, torch.exp)],
    *[(torch.add, pair, {}) for pair in ((T(2, 3), T(2, 3)), (T(2, 3), T(3)), (T(2, 1), T(1, 3)), (T(2, 3), 2))],
    (torch.Tensor.__rsub__, (T(2, 3), 1.5), {}),
    (torch.maximum, (T(4, 1, 3), T(2, 3)), {}),
    (torch.mul, (T(()), T(2, 3)), {}),
    (torch.cat, ([T(2, 3), T(2, 4)], 1), {}),
    (torch.concat, ([T(2, 3), T(5, 3)],), {}),
    (torch.cat, ([T(2, 3), T(2, 4)],), {"dim": -1}),
    (torch.stack, ([T(2, 3), T(2, 3)],), {}),
    (torch.stack, ([T(2, 3)] * 4, -1), {}),
    (torch.stack, ([T(2, 3)] * 4, -3), {}),
    (torch.stack, ([T(2, 3)] * 4, 2), {}),
    (torch.mean, (T(2, 3, 4), 1), {}),
    (torch.sum, (T(2, 3, 4), (0, -1)), {"keepdim": True}),
    (torch.Tensor.mean, (T(2, 3, 4),), {"dim": (1, 2)}),
    (F.linear, (T(2, 5, 3), T(4, 3), T(4)), {}),
    (F.linear, (T(3), T(4, 3)), {}),
    (torch.addmm, (T(4), T(2, 3), T(3, 4)), {}),
    (F.batch_norm, (T(2, 3, 4), T(3), T(3)), {}),
    (torch.layer_norm, (T(2, 3, 4), (3, 4)), {}),
    (torch.group_norm, (T(2, 6, 4), 3), {}),
    (F.softmax, (T(2, 3), -1), {}),
    (torch.log_softmax, (T(2, 3), 1), {}),
    (F.scaled_dot_product_attention, (T(2, 3, 4, 5), T(2, 3, 6, 5), T(2, 3, 6, 7)), {}),
    (F.grid_sample, (T(2, 3, 4, 5), T(2, 6, 7, 2)), {"align_corners": False}),
    (F.interpolate, (T(2, 3, 4, 5), (6, 7)), {}),
]


@pytest.mark.parametrize(("function", "args", "kwargs"), CASES, ids=range(len(CASES)))
def test_a_rule_says_what_the_function_does(function, args, kwargs):
    quick = QUICK[function](*args, **kwargs)
    real = function(*args, **kwargs)
    assert quick.shape == real.shape
    assert quick.dtype is real.dtype
    assert quick.device.type == "meta"


LEFT_ALONE = [
    (torch.add, (T(2, 3), T(2, 4)), {}),
    (torch.add, (T(2, 3), torch.ones(3, dtype=torch.int32)), {}),
    (torch.add, (T(2, 3), T(2, 3)), {"alpha": 2}),
    (torch.relu, (torch.ones(2, dtype=torch.int32),), {}),
    (torch.cat, ([T(2, 3), T(3, 4)], 1), {}),
    (torch.cat, ([T(2, 3), T(2, 3)], 2), {}),
    (torch.stack, ([T(2, 3), T(2, 4)],), {}),
    (torch.stack, ([T(2, 3)], 3), {}),
    (torch.stack, ([T(2, 3)], -4), {}),
    (torch.mean, (T(2, 3),), {}),
    (torch.mean, (T(2, 3), 2), {}),
    (torch.sum, (torch.ones(2, 3, dtype=torch.bool), 1), {}),
    (torch.sum, (T(2, 3), 1), {"dtype": torch.float64}),
    (F.linear, (T(2, 5), T(4, 3)), {}),
    (torch.addmm, (T(4), T(2, 5), T(3, 4)), {}),
    (F.batch_norm, (T(2, 3, 4), T(5), T(5)), {}),
    (torch.layer_norm, (T(2, 3, 4), (5,)), {}),
    (torch.group_norm, (T(2, 6, 4), 4), {}),
    (F.softmax, (T(2, 3), 5), {}),
    (F.scaled_dot_product_attention, (T(2, 3, 4, 5), T(2, 3, 6, 8), T(2, 3, 6, 7)), {}),
    (F.grid_sample, (T(2, 3, 4, 5), T(3, 6, 7, 2)), {}),
    (F.interpolate, (T(2, 3, 4, 5), None, 2.0), {}),
]


@pytest.mark.parametrize(("function", "args", "kwargs"), LEFT_ALONE, ids=range(len(LEFT_ALONE)))
def test_everything_out_of_the_ordinary_is_left_to_the_kernels(function, args, kwargs):
    assert QUICK[function](*args, **kwargs) is None


def test_building_ordinary_layers_does_not_import_the_compiler():
    code = (
        "import sys, ramify; la = ramify.layers; a = ramify.Input((8, 8, 3)); s = ramify.Input((5, 4));"
        "x = la.BatchNormalization()(la.Conv2D(4, 3, activation='relu')(a)); x = la.concatenate([x, x]);"
        "x = la.GlobalAveragePooling2D()(la.MaxPooling2D()(x)); y = la.MultiHeadAttention(2, 4)(s, s);"
        "y = la.LSTM(3)(la.LayerNormalization()(y + s));"
        "ramify.Model([a, s], la.add([la.Dense(2)(x), la.Dense(2)(y)]));"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_operators_reach_the_rules():
    assert QUICK[torch.Tensor.__add__](T(2), 1).shape == operator.add(T(2), 1).shape
