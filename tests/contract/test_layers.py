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

import ramify
from ramify.errors import RamifyError
from ramify.graph import SymbolicTensor
from ramify.layers.calling import mask_of, set_mask
from tests.contract.compare import assert_close, dtype_name, marked, plain, same_config, same_values, shareable
from tests.contract.draws import FIXED, arguments
from tests.contract.row import Row, flat, fresh
from tests.contract.table import ABSTRACT, FOREIGN, ROWS

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


# ---- configs, files, copies ----


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
    marked(tensors, others)
    for mine, symbol in zip(flat(tensors), flat(symbols), strict=True):
        if (mask := mask_of(mine)) is not None:
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
