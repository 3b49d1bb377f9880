"""Every public layer class keeps one contract; `rows/` has a row for each, `row.py` says what a row can say."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import warnings
import xml.etree.ElementTree as ET

import keras
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ramify
from ramify.errors import RamifyError
from ramify.graph import SymbolicTensor
from ramify.layers.calling import mask_of, set_mask
from tests.contract.draws import FIXED, arguments
from tests.contract.row import Row, flat, fresh
from tests.contract.rows import images
from tests.contract.table import ABSTRACT, FOREIGN, ROWS

EXAMPLES = 8
IMAGES = {row.name for row in images.ROWS}

FIRST = [pytest.param(row, id=f"{row.name}-{i}") for i, row in enumerate(ROWS)]
IN_GRAPHS = [row for row in FIRST if "graph" not in row.values[0].exceptions]
CASES = [
    pytest.param(row, shapes, id=f"{row.name}-{str(shapes).replace(' ', '')}")
    for row in ROWS
    if "graph" not in row.exceptions
    for shapes in row.shapes
]
every_case = pytest.mark.parametrize(("row", "shapes"), CASES)
every_row = pytest.mark.parametrize("row", IN_GRAPHS)
even_of_strings = pytest.mark.parametrize("row", FIRST)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* does not support .*mask:UserWarning"),
    pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`:UserWarning"),  # Keras's
]


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
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale, err_msg=f"{what} {i}")


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


# ---- the table ----


def test_no_exported_layer_class_is_missing():
    exported = (getattr(ramify.layers, name) for name in ramify.layers.__all__)
    classes = {one for one in exported if inspect.isclass(one) and issubclass(one, ramify.Layer)}
    covered = {getattr(ramify.layers, name) for name in [*ABSTRACT, *FOREIGN, *(row.name for row in ROWS)]}
    missing = sorted(one.__name__ for one in classes - covered)
    assert not missing, f"give each of these a row in tests/contract/rows/: {missing}"


def test_every_option_is_drawn_or_says_why_not():
    names = {row.name for row in ROWS}
    for name in names:
        rows = [row for row in ROWS if row.name == name]
        drawn = {option for row in rows for option in row.drawn}
        kept = {option for row in rows for option in row.keeps}
        wholly = any("options" in row.exceptions for row in rows) and not drawn
        inside = {"layer", "cell", "cells"}
        silent = set() if wholly else {*arguments(getattr(ramify.layers, name))} - drawn - kept - {*FIXED} - inside
        assert not silent, f"{name}: draw these in `options`, or say in `keeps` why not: {sorted(silent)}"


def test_rows_say_why_they_differ():
    for row in ROWS:
        assert row.tolerance[0] <= 1e-5 or row.tolerance[1], f"{row}: a tolerance needs a reason"
        assert row.tolerance[0] <= 1e-4, f"{row}: no kernel differs by more than 1e-4"


@pytest.mark.parametrize("name", [name for name in ABSTRACT if name != "InputLayer"])
def test_abstract_classes_say_so(name):
    layer = getattr(ramify.layers, name)(*([ramify.layers.Dense(1)] if name == "Wrapper" else []))
    with pytest.raises(RamifyError, match=name):
        layer([torch.ones(2, 3), torch.ones(2, 3)] if name == "Merge" else torch.ones(2, 3))


# ---- shapes and dtypes ----


@every_case
def test_symbolic_shapes_are_the_real_ones(row: Row, shapes):
    layer = row.layer()
    for sized in (True, False):
        symbols = row.call(layer, row.symbols(shapes, sized=sized))
        theirs = symbols
        if "symbolic in Keras" not in row.exceptions and (sized or "unknown sizes in Keras" not in row.exceptions):
            theirs = row.call(row.layer(keras), row.symbols(shapes, keras, sized=sized))
        for training in (False, True):
            real = row.call(layer, row.tensors(shapes), training=training)
            assert len(real) == len(symbols) == len(theirs)
            for symbol, want, tensor in zip(symbols, theirs, real, strict=True):
                assert len(symbol.shape) == tensor.ndim
                assert all(a in (None, b) for a, b in zip(symbol.shape, tensor.shape, strict=True))
                known = [b is None or a == b for a, b in zip(symbol.shape, want.shape, strict=True)]
                assert all(known), f"{symbol.shape} where Keras knows {want.shape}"
                if sized:
                    assert None not in symbol.shape[1:]


@pytest.fixture
def policy(request):
    """The global dtype policy, here and in Keras: layers inside layers have it, too."""
    ramify.config.set_dtype_policy(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    ramify.config.set_dtype_policy("float32")
    keras.config.set_dtype_policy("float32")


@every_row
@pytest.mark.parametrize("policy", ["float32", "bfloat16", "mixed_bfloat16"], indirect=True)
def test_dtypes(row: Row, policy):
    if "dtypes" in row.exceptions:
        return
    shapes = row.shapes[0]
    layer, theirs = row.layer(), row.layer(keras)
    symbols = row.call(layer, row.symbols(shapes))
    real = row.call(layer, row.tensors(shapes))
    assert [dtype_name(s) for s in symbols] == [dtype_name(t) for t in real]
    assert all(t.isfinite().all() for t in real)
    try:
        want = row.call(theirs, row.tensors(shapes))
    except (NotImplementedError, TypeError):  # no orthogonal matrices, 3D means and spectra in bfloat16; here there are
        assert policy != "float32"
        return
    assert [dtype_name(t) for t in real] == [dtype_name(t) for t in want]
    assert [dtype_name(w) for w in layer.weights] == [dtype_name(w) for w in theirs.weights]


# ---- parity ----


@every_case
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_parity_with_keras(row: Row, shapes, training):
    if training and row.random and not shareable(row, shapes):
        pytest.skip("training mode draws numbers")
    same_values(row, shapes, {}, training)


def shareable(row, shapes):
    """Whether what Keras drew can be given to our layer, too."""
    return row.name in IMAGES and "training" not in row.exceptions and len(shapes) == 4


def same_values(row, shapes, changes, training):
    """Outputs, gradients, weights afterwards and losses are Keras's."""
    if not training and "inference" in row.exceptions:
        return row.call(row.layer(**changes), row.tensors(shapes))
    ours, theirs = row.twins(shapes, keras, **changes)
    gradient = row.name not in IMAGES  # some of Keras's write into the images
    a, b = row.tensors(shapes, gradient=gradient), row.tensors(shapes, gradient=gradient)
    got, want = row.both(ours, theirs, (a, b), training=training)
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


@pytest.mark.parametrize("row", [row for row in IN_GRAPHS if row.values[0].drawn])
@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(100, marks=pytest.mark.slow)])
def test_drawn_options(row: Row, examples):
    shapes = row.shapes[0]

    @settings(
        max_examples=examples,
        phases=[Phase.generate],  # shrinking a model takes minutes; the message has all that was drawn
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changes=st.fixed_dictionaries({}, optional=row.drawn))
    def compare(changes):
        try:
            row.call(row.layer(keras, **changes), row.tensors(shapes))
        except ValueError:
            with pytest.raises(RamifyError):
                row.call(row.layer(**changes), row.tensors(shapes))
            return
        got = same_values(row, shapes, changes, training=False)
        if not row.is_random(changes) or shareable(row, shapes):
            same_values(row, shapes, changes, training=True)
        symbols = row.call(row.layer(**changes), row.symbols(shapes))
        assert [s.shape[1:] for s in symbols] == [tuple(t.shape[1:]) for t in got]
        assert same_config(row.layer(**changes), row.layer(keras, **changes), row)

    compare()


# ---- configs, files, copies ----


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


def assert_equal_outputs(row, one, other, shapes):
    a, b = row.call(one, row.tensors(shapes)), row.call(other, row.tensors(shapes))
    for x, y in zip(a, b, strict=True):
        assert torch.equal(x, y)


@even_of_strings
def test_config(row: Row):
    shapes = row.shapes[0]
    layer = row.layer()
    row.call(layer, row.tensors(shapes))
    assert same_config(row.layer(), row.layer(keras), row)
    config = layer.get_config()
    if row.name != "TorchModuleWrapper":
        json.dumps(ramify.layers.serialize(layer))
    twin = type(layer).from_config(config)
    row.call(twin, row.tensors(shapes))
    assert plain(twin.get_config()) == plain(config)
    twin.set_weights(layer.get_weights())
    fresh(layer, twin)
    assert_equal_outputs(row, layer, twin, shapes)


@even_of_strings
def test_copies(row: Row):
    shapes = row.shapes[0]
    layer = row.layer()
    row.call(layer, row.tensors(shapes))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        fresh(layer, twin)
        assert plain(twin.get_config()) == plain(layer.get_config())
        assert [getattr(w, "path", "") for w in twin.weights] == [getattr(w, "path", "") for w in layer.weights]
        assert not {w.data_ptr() for w in twin.weights} & {w.data_ptr() for w in layer.weights}
        assert_equal_outputs(row, layer, twin, shapes)


@every_row
def test_file(row: Row, tmp_path):
    shapes = row.shapes[0]
    model = row.model(shapes)
    model.save(tmp_path / "model.keras")
    twin = ramify.models.load_model(tmp_path / "model.keras")
    inputs = flat(row.tensors(shapes))
    for a, b in zip(flat(model(inputs, training=False)), flat(twin(inputs, training=False)), strict=True):
        assert torch.equal(a, b)


@every_row
def test_pictures(row: Row, tmp_path):
    model = row.model(row.shapes[0])
    lines = []
    model.summary(print_fn=lines.append)
    shown = "Affine" if row.name == "TorchModuleWrapper" else row.name[:9]  # a module stands under its own name
    assert shown in "\n".join(lines)
    ramify.visualize.plot_model(model, tmp_path / "model.svg", show_shapes=True, show_layer_names=True)
    picture = (tmp_path / "model.svg").read_text(encoding="utf-8")
    ET.fromstring(picture)
    assert ">it<" in picture


# ---- training ----


@pytest.mark.filterwarnings("ignore:The model has no weights to train")
@pytest.mark.parametrize("frozen", [False, True], ids=["trained", "frozen"])
@every_row
def test_a_training_step_moves_what_is_trainable_and_nothing_else(row: Row, frozen):
    shapes = row.shapes[0]
    model = row.model(shapes)
    if not model.weights:
        pytest.skip("no weights")
    layer = model.get_layer("it")
    layer.trainable = not frozen
    outputs = flat(model(flat(row.tensors(shapes))))
    fresh(layer)
    before = [w.detach().clone() for w in layer.weights]
    model.compile(optimizer=ramify.optimizers.SGD(0.1), loss=["mse"] * len(outputs) if len(outputs) > 1 else "mse")
    rng = np.random.default_rng(0)
    targets = [rng.normal(size=tuple(y.shape)).astype("float32") for y in outputs]
    model.train_on_batch(flat(row.data(shapes)), targets if len(targets) > 1 else targets[0])
    for weight, old in zip(layer.weights, before, strict=True):
        moves = not frozen and (weight.requires_grad or getattr(weight, "name", "") in row.moves)
        moves = moves or (frozen and "frozen" in row.exceptions and weight.name in ("kernel", "vector_u"))
        assert torch.equal(weight, old) != moves, getattr(weight, "path", "weight")
    assert bool(layer.trainable_weights) != frozen or not any(w.requires_grad for w in layer.weights)


# ---- masks ----


@every_case
def test_masks(row: Row, shapes):
    ours, theirs = row.twins(shapes, keras)
    assert ours.supports_masking == theirs.supports_masking
    if "masks" in row.exceptions:
        return
    tensors, others, symbols = row.tensors(shapes), row.tensors(shapes), row.symbols(shapes)
    for mine, their, symbol in zip(flat(tensors), flat(others), flat(symbols), strict=True):
        if mine.ndim < 3 and not (mine.ndim == 2 and not mine.is_floating_point()):
            continue
        mask = torch.ones(mine.shape[:2], dtype=torch.bool)
        mask[0, -1] = False
        set_mask(mine, mask)
        set_mask(their, mask)
        their._keras_mask = mask.clone()
        set_mask(symbol, ramify.Input(batch_shape=(None, *mask.shape[1:]), dtype="bool"))
    fresh(ours, theirs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = row.call(theirs, others)
    got = row.call(ours, tensors)
    assert_close(got, want, row.tolerance[0], "output")
    for a, b, symbol in zip(got, want, row.call(row.layer(), symbols), strict=True):
        mask, wanted = mask_of(a), getattr(b, "_keras_mask", mask_of(b))
        assert (mask is None) == (wanted is None)
        if mask is not None:
            assert torch.equal(mask, wanted)
        if "symbolic masks" not in row.exceptions:
            assert isinstance(mask_of(symbol), SymbolicTensor) == (mask is not None)


# ---- errors ----


def of_rank(rank, like):
    return (*like[:1], *((5, 6, 7, 4)[: rank - 2]), like[-1]) if rank > 1 else like[:1]


@pytest.mark.parametrize("row", [p for p in IN_GRAPHS if not isinstance(p.values[0].shapes[0], list)])
def test_ranks_that_keras_refuses_are_refused_with_a_reason(row: Row):
    if "rank" in row.exceptions:
        return
    for rank in range(2, 7):
        shape = of_rank(rank, row.shapes[0])
        try:
            row.layer(keras)(torch.as_tensor(row.make(shape)))
        except ValueError:
            with pytest.raises(RamifyError, match=r"'(it|inside)'"):
                row.layer()(torch.as_tensor(row.make(shape)))
            with pytest.raises(RamifyError, match=r"'(it|inside)'"):
                row.layer()(ramify.Input(batch_shape=(None, *shape[1:]), dtype=str(row.make(shape).dtype)))
        except Exception:  # noqa: BLE001 - an accident inside Keras is no refusal
            continue
        else:
            row.layer()(torch.as_tensor(row.make(shape)))
