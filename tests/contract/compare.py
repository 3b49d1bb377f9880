"""How a layer is held against Keras's: values, gradients, weights afterwards, losses, configs."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import torch

from ramify.layers.calling import set_mask
from tests.contract.row import flat
from tests.contract.rows import images

IMAGES = {row.name for row in images.ROWS}

EPS = float(np.finfo(np.float32).eps)


def array(value):
    tensor = value.detach() if isinstance(value, torch.Tensor) else torch.as_tensor(keras.ops.convert_to_numpy(value))
    return tensor.to(torch.float64).numpy() if tensor.is_floating_point() else tensor.numpy()


def assert_close(got, want, tolerance, what=""):
    """Equal but for rounding, which is measured by the largest number among all that were made together."""
    assert len(got) == len(want), what
    arrays = [(a if a is None else array(a), b if b is None else array(b)) for a, b in zip(got, want, strict=True)]
    finite = [np.abs(b[np.isfinite(b)]) for _, b in arrays if b is not None]
    scale = max((float(b.max(initial=0)) for b in finite), default=0) or 1.0
    for i, (a, b) in enumerate(arrays):
        if a is None or b is None:  # no gradient is a gradient of zeros
            assert not np.any(a if b is None else b), f"{what} {i}"
        else:
            least = max(tolerance * scale, EPS)  # zeros are known as well as the numbers of order one that made them
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=least, err_msg=f"{what} {i}")


def dtype_name(value):
    return str(value.dtype).removeprefix("torch.")


def gradients(outputs, inputs, weights):
    """Of a sum of the outputs with fixed factors, with respect to floating inputs and weights."""
    rng = np.random.default_rng(3)
    factors = [torch.as_tensor(rng.normal(size=y.shape)) for y in outputs]
    total = sum((y * f.to(y.dtype)).sum() for y, f in zip(outputs, factors, strict=True) if y.requires_grad)
    wanted = [x for x in flat(inputs) if x.requires_grad] + weights
    if not wanted or not isinstance(total, torch.Tensor):  # whole numbers have no gradients
        return [None for _ in wanted]
    return torch.autograd.grad(total, wanted, allow_unused=True)


def shareable(row, shapes):
    """Whether what Keras drew can be given to our layer, too."""
    return row.name in IMAGES and "training" not in row.exceptions and len(shapes) == 4


def marked(mine, their=None):
    """Tensors, here and in Keras, with a mask where they have time steps."""
    for ours, theirs in zip(flat(mine), flat(mine if their is None else their), strict=True):
        if ours.ndim > 2 or (ours.ndim == 2 and not ours.is_floating_point()):
            mask = torch.ones(ours.shape[:2], dtype=torch.bool)
            mask[0, -1] = False
            set_mask(ours, mask)
            theirs._keras_mask = mask.clone()
            set_mask(theirs, mask)


def same_values(row, shapes, changes, training, *, masked=False, called=None):
    """Outputs, gradients, weights afterwards and losses are Keras's; `called` has further arguments of the call."""
    if not training and "inference" in row.exceptions:
        return row.call(row.layer(**changes), row.tensors(shapes))
    ours, theirs = row.twins(shapes, keras, **changes)
    gradient = row.name not in IMAGES  # some of Keras's write into the images
    a, b = row.tensors(shapes, gradient=gradient), row.tensors(shapes, gradient=gradient)
    if masked:
        marked(a, b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got, want = row.both(ours, theirs, (a, b), training=training, **(called or {}))
    assert_close(got, want, row.tolerance[0], f"output {changes}")
    assert [dtype_name(t) for t in got] == [dtype_name(t) for t in want]
    grads = gradients(got, a, ours.trainable_weights)
    assert all(g is None or g.isfinite().all() for g in grads)
    if "gradients" not in row.exceptions and "keras" not in row.exceptions:
        weights = [w.value for w in theirs.trainable_weights]
        assert_close(grads, gradients(want, b, weights), row.tolerance[0], f"gradient {changes}")
    assert_close(ours.weights, theirs.weights, row.tolerance[0], f"weight {changes}")
    losses = [sorted(float(loss.detach()) for loss in layer.losses) for layer in (ours, theirs)]
    np.testing.assert_allclose(*losses, rtol=10 * row.tolerance[0], err_msg=f"loss {changes}")
    return got


def same_config(ours, theirs, row):
    if "config" in row.exceptions:
        return True
    assert plain(ours.get_config()) == plain(theirs.get_config())
    return True


def plain(config):
    """Without what Keras writes for quantization; tuples and lists are one in JSON."""
    if isinstance(config, dict):
        return {k: plain(v) for k, v in config.items() if k not in ("quantization_config", "gptq_unpacked_column_size")}
    if isinstance(config, float):
        return float(np.float32(config))  # as Keras writes the factors of regularizers
    return [plain(item) for item in config] if isinstance(config, (list, tuple)) else config
