"""Layers in half precision: on equal weights and inputs, values and gradients are Keras's.

bfloat16 keeps 8 bits of a number, float16 keeps 11. A result that is rounded on another way, or whose sum is taken in
another order, may stand a unit of the last place away, and so may the other result: two units, ``2 * 2 ** -7`` and
``2 * 2 ** -10``, of the largest of the numbers that were made together. Where they differ by more, ours must be the
nearer one to what float32 makes of the same numbers.
"""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
import torch

import ramify
from tests.contract.compare import IMAGES, array, dtype_name, gradients, shareable
from tests.contract.draws import arguments
from tests.contract.row import Row, flat, fresh, nested
from tests.contract.table import ROWS

UNITS = 2
LAST_PLACE = {"bfloat16": 2**-7, "mixed_bfloat16": 2**-7, "mixed_float16": 2**-10}
PARTS = ("outputs", "gradients", "weights")
COMPARED = [
    pytest.param(row, id=f"{row.name}-{i}")
    for i, row in enumerate(ROWS)
    if not {"graph", "keras", "dtypes", "half"} & {*row.exceptions}
]
pytestmark = pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`:UserWarning")  # Keras's


@pytest.fixture(params=LAST_PLACE)
def policy(request):
    """The global dtype policy, here and in Keras."""
    set_policy(request.param)
    yield request.param
    set_policy("float32")


def set_policy(name):
    ramify.config.set_dtype_policy(name)
    keras.config.set_dtype_policy(name)


def layer_of(row, library, shapes, weights=None):
    """A built layer with the weights; Keras makes no orthogonal matrices in bfloat16."""
    inside = callable(row.args)
    plain = {"recurrent_initializer": "glorot_uniform"}
    changes = {} if inside else {k: v for k, v in plain.items() if k in arguments(getattr(ramify.layers, row.name))}
    layer = row.layer(library, **changes)
    row.call(layer, row.tensors(shapes))
    if weights is not None:
        layer.set_weights(weights)
    fresh(layer)
    return layer


def starting_weights(layer):
    """The layer's own, moved, so that nothing is zero by accident; numbers that half precision has, too."""
    rng = np.random.default_rng(0)
    values = [array(weight.value) for weight in layer.weights]
    moved = [v + rng.uniform(0.1, 0.5, v.shape) if v.dtype.kind == "f" else v for v in values]
    return [torch.as_tensor(v).bfloat16().float().numpy() if v.dtype.kind == "f" else v for v in moved]


def inputs_of(row, shapes, policy):
    """Numbers that half precision has; images already in it, as `transform_images` is called past the cast."""
    gradient = row.name not in IMAGES

    def one(x):
        if not isinstance(x, torch.Tensor) or not x.is_floating_point():
            return x
        kind = getattr(torch, policy.removeprefix("mixed_"))
        narrow = x.detach().to(torch.bfloat16).to(kind)
        return narrow.float().requires_grad_() if gradient else narrow

    return nested(one, row.tensors(shapes))


def results(row, layer, inputs, training, drawn=None):
    """Outputs, gradients, weights afterwards; an image layer is given what Keras drew."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if drawn is None:
            outputs = row.call(layer, inputs, training=training)
        else:
            outputs = flat(layer.transform_images(inputs, drawn, training=True))
    weights = [weight.value for weight in layer.trainable_weights]
    grads = [] if "gradients" in row.exceptions else gradients(outputs, inputs, weights)
    return outputs, numbers(grads), numbers(weight.value for weight in layer.weights)


def numbers(values):
    """Float64 arrays; no gradient is a gradient of zeros."""
    return [np.zeros(()) if v is None else array(v).astype("float64") for v in values]


def widened(value):
    """What was drawn in half precision, in float32."""
    if isinstance(value, dict):
        return {name: widened(one) for name, one in value.items()}
    return value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def distance(one, other):
    """The largest difference, as a part of the largest number."""
    scale = max((float(np.abs(b).max(initial=0)) for b in other), default=0) or 1.0
    return max((float(np.abs(a - b).max(initial=0)) for a, b in zip(one, other, strict=True)), default=0) / scale


def in_float32(row, shapes, weights, training, drawn):
    """What float32 makes of the same weights, inputs and draws."""
    set_policy("float32")
    inputs = inputs_of(row, shapes, "bfloat16")
    inputs = nested(widened, inputs) if row.name in IMAGES else inputs
    outputs, *rest = results(row, layer_of(row, ramify, shapes, weights), inputs, training, widened(drawn))
    return numbers(outputs), *rest


@pytest.mark.parametrize("row", COMPARED)
def test_half_precision_as_keras(row: Row, policy):
    shapes = row.shapes[0]
    try:
        theirs = layer_of(row, keras, shapes)
    except (NotImplementedError, TypeError):
        pytest.skip("torch has no such kernel, and Keras no other way")
    weights = starting_weights(theirs)
    trains = not row.random or shareable(row, shapes)
    infers = "inference" not in row.exceptions and (policy == "mixed_bfloat16" or not trains)
    for training in [True] * trains + [False] * infers:
        compare(row, shapes, weights, training, policy)
        set_policy(policy)


def compare(row, shapes, weights, training, policy):
    made, drawn = [], None
    for library in (keras, ramify):
        layer, inputs = layer_of(row, library, shapes, weights), inputs_of(row, shapes, policy)
        if training and row.random and drawn is None:
            drawn = layer.get_random_transformation(inputs, training=True)
        made.append(results(row, layer, inputs, training, drawn))
    (their_outputs, *theirs), (our_outputs, *ours) = made
    assert [dtype_name(y) for y in our_outputs] == [dtype_name(y) for y in their_outputs]
    pairs = zip((numbers(our_outputs), *ours), (numbers(their_outputs), *theirs), strict=True)
    allowed = UNITS * LAST_PLACE[policy]
    truths = None
    for part, (got, want) in enumerate(pairs):
        if (apart := distance(got, want)) > allowed:
            truths = truths or in_float32(row, shapes, weights, training, drawn)
            off, others = (distance(one, truths[part]) for one in (got, want))
            what = f"{PARTS[part]}, {training=}: {apart:.1e} from Keras's, {off:.1e} and {others:.1e} from float32's"
            assert off <= min(others, 2 * allowed), what
