"""The contract table: a row for every public layer class. `test_layers.py` pushes each row through one contract."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
from hypothesis import strategies as st

from ramify.registry import register_keras_serializable
from tests.contract.row import Row, indices

BOOL = st.booleans()
FORMAT = st.sampled_from(["channels_last", "channels_first"])
PADDING = st.sampled_from(["valid", "same"])
ACTIVATION = st.sampled_from([None, "relu", "gelu", "tanh", "softmax", "swish"])
SMALL = st.integers(1, 3)
RATE = st.floats(0, 0.9)

ABSTRACT = {
    "Layer": "the base class: a subclass defines `call`",
    "Merge": "the base of the merging layers: a subclass defines `merge`",
    "Wrapper": "the base of layers around a layer: a subclass defines `call`",
    "InputLayer": "computes nothing; every model of the contract has one",
}


def sizes(rank: int, values: Any = SMALL) -> Any:
    """One number, or a number for each spatial axis."""
    return values | st.tuples(*[values] * rank)


def spatial(rank: int, size: int = 6, channels: int = 4) -> tuple[int, ...]:
    """The shape of a batch of images (sequences, volumes), all sizes different."""
    return (2, *(size + i for i in range(rank)), channels)


@register_keras_serializable("contract")
def double(x: Any) -> Any:
    """For `Lambda`: a function that a file can name."""
    return x * 2


@register_keras_serializable("contract")
class Affine(torch.nn.Linear):
    """For `TorchModuleWrapper`: a module that a file can name."""

    def get_config(self) -> dict[str, Any]:
        return {"in_features": self.in_features, "out_features": self.out_features}


def inner(name: str, *args: Any, **kwargs: Any) -> Any:
    """Arguments with a Dense-like layer inside, made by the library under test."""
    key = "cell" if name.endswith("Cell") else "layer"
    return lambda library: {key: getattr(library.layers, name)(*args, name="inside", **kwargs)}


def cells(library: ModuleType) -> dict[str, Any]:
    """Two cells, one above the other."""
    return {"cells": [library.layers.LSTMCell(4, name="low"), library.layers.GRUCell(3, name="high")]}


CORE = [
    Row(
        "Dense",
        {"units": 4},
        ((2, 3), (2, 5, 3), (2, 4, 5, 3)),
        options={"units": st.integers(1, 5), "activation": ACTIVATION, "use_bias": BOOL},
    ),
    Row(
        "EinsumDense",
        {"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d"},
        ((2, 5, 3),),
        options={"activation": ACTIVATION, "bias_axes": st.sampled_from([None, "d"])},
    ),
    Row(
        "Embedding",
        {"input_dim": 7, "output_dim": 4},
        ((3, 2), (2, 5), (2, 3, 5)),
        make=indices(7),
        known=(),
        options={"output_dim": st.integers(1, 5), "mask_zero": BOOL},
    ),
    Row("Activation", {"activation": "gelu"}, ((2, 3), (2, 5, 3)), known=(), options={"activation": ACTIVATION}),
    Row("Identity", {}, ((2, 3), (2, 4, 5, 3)), known=()),
    Row(
        "Lambda",
        {"function": double},
        ((2, 3), (2, 5, 3)),
        known=(),
        exceptions={"config": "a function is written by the name it is registered under, which Keras does not know"},
    ),
    Row("Masking", {"mask_value": 0.5}, ((2, 5, 3),), known=(), options={"mask_value": st.floats(-1, 1)}),
    Row(
        "TorchModuleWrapper",
        lambda _: {"module": Affine(3, 4)},
        ((2, 3), (2, 5, 3)),
        exceptions={
            "config": "Keras writes a pickle",
            "symbolic in Keras": "Keras cannot tell the shape of a module's output",
            "dtypes": "a module has the dtypes that it was made with",
            "rank": "the module checks its inputs itself",
        },
    ),
]

ACTIVATIONS = [
    Row("ELU", {"alpha": 0.5}, ((2, 3), (2, 5, 3)), known=(), options={"alpha": st.floats(0, 2)}),
    Row("LeakyReLU", {}, ((2, 3), (2, 5, 3)), known=(), options={"negative_slope": st.floats(0, 2)}),
    Row(
        "PReLU",
        {},
        ((2, 3), (2, 5, 3)),
        known=(-1, -2),
        options={"alpha_initializer": st.sampled_from(["ones", "zeros"])},
    ),
    Row(
        "PReLU", {"shared_axes": [1, 2]}, ((2, 5, 4, 3),), options={"shared_axes": st.sampled_from([[1], [2], [1, 2]])}
    ),
    Row(
        "ReLU",
        {},
        ((2, 3), (2, 5, 3)),
        known=(),
        options={
            "max_value": st.none() | st.floats(0.5, 6),
            "negative_slope": st.floats(0, 1),
            "threshold": st.floats(0, 1),
        },
    ),
    Row(
        "Softmax",
        {},
        ((2, 3), (2, 5, 3)),
        known=(),
        options={"axis": st.sampled_from([-1, 1])},
        exceptions={"masks": "its mask has the rank of the input, not that of a mask of time steps"},
    ),
]


def conv(name: str, rank: int, **more: Any) -> Row:
    """A convolution: three alternative sizes of everything come from the options."""
    options = {
        **({} if name.startswith("Depthwise") else {"filters": st.sampled_from([2, 4])}),
        "kernel_size": sizes(rank),
        "padding": PADDING,
        "use_bias": BOOL,
        "activation": ACTIVATION,
        "data_format": FORMAT,
        **more.pop("options", {}),
    }
    args = {**({} if name.startswith("Depthwise") else {"filters": 4}), "kernel_size": 3, **more.pop("args", {})}
    return Row(name, args, (spatial(rank),), known=(-1,), options=options, **more)


STEPS = {"strides": SMALL, "dilation_rate": st.integers(1, 2)}
CONVOLUTIONAL = [
    conv(
        "Conv1D",
        1,
        options={**STEPS, "groups": st.sampled_from([1, 2]), "padding": st.sampled_from(["valid", "same", "causal"])},
    ),
    conv("Conv2D", 2, options={**STEPS, "groups": st.sampled_from([1, 2])}),
    conv("Conv3D", 3, options={**STEPS, "groups": st.sampled_from([1, 2])}),
    conv("Conv1DTranspose", 1, options={"strides": SMALL}),
    conv("Conv2DTranspose", 2, options={"strides": SMALL}),
    conv("Conv3DTranspose", 3, options={"strides": SMALL}),
    conv("DepthwiseConv1D", 1, options={**STEPS, "depth_multiplier": SMALL}),
    conv("DepthwiseConv2D", 2, options={**STEPS, "depth_multiplier": SMALL}),
    conv("SeparableConv1D", 1, options={**STEPS, "depth_multiplier": SMALL}),
    conv("SeparableConv2D", 2, options={**STEPS, "depth_multiplier": SMALL}),
]

POOLING = [
    row
    for rank in (1, 2, 3)
    for row in (
        *(
            Row(
                f"{kind}Pooling{rank}D",
                {"pool_size": 2},
                (spatial(rank),),
                known=(),
                options={
                    "pool_size": sizes(rank),
                    "strides": st.none() | sizes(rank),
                    "padding": PADDING if kind == "Max" else st.just("valid"),  # Keras on torch averages padding
                    "data_format": FORMAT,
                },
            )
            for kind in ("Average", "Max")
        ),
        *(
            Row(
                f"Global{kind}Pooling{rank}D",
                {},
                (spatial(rank),),
                known=(),
                options={"keepdims": BOOL, "data_format": FORMAT},
            )
            for kind in ("Average", "Max")
        ),
        *(
            Row(
                f"Adaptive{kind}Pooling{rank}D",
                {"output_size": 3},
                (spatial(rank),),
                known=(),
                options={"output_size": sizes(rank, st.integers(1, 5)), "data_format": FORMAT},
            )
            for kind in ("Average", "Max")
        ),
    )
]

SCALED = {"center": BOOL, "scale": BOOL, "epsilon": st.floats(1e-4, 1e-1)}
SPECTRAL = {
    "frozen": "as in Keras, training mode divides the kernel by its norm even where the layer is frozen",
    "symbolic masks": "the layer inside marks real outputs with its mask, the wrapper does not support masks",
}
NORMALIZATION = [
    Row(
        "BatchNormalization",
        {"momentum": 0.8},
        ((6, 3), (4, 5, 3)),
        moves=frozenset({"moving_mean", "moving_variance"}),
        options={**SCALED, "momentum": st.floats(0, 1)},
    ),
    Row(
        "BatchNormalization",
        {},
        ((4, 2, 5, 3),),
        moves=frozenset({"moving_mean", "moving_variance"}),
        exceptions={"masks": "its mask has a rank less than the input"},
    ),
    Row("LayerNormalization", {}, ((2, 3), (2, 5, 3), (2, 4, 5, 3)), options=SCALED),
    Row("LayerNormalization", {"axis": [1, 2]}, ((2, 5, 3),), known=(1, 2), options=SCALED),
    Row(
        "GroupNormalization",
        {"groups": 2},
        ((2, 4), (2, 5, 4), (2, 3, 5, 4)),
        options={**SCALED, "groups": st.sampled_from([-1, 1, 2, 4])},
    ),
    Row("RMSNormalization", {}, ((2, 3), (2, 5, 3)), options={"epsilon": st.floats(1e-6, 1e-1)}),
    Row("UnitNormalization", {}, ((2, 3), (2, 5, 3)), known=(), options={"axis": st.sampled_from([-1, 1])}),
    Row(
        "SpectralNormalization",
        inner("Dense", 4),
        ((2, 3), (2, 5, 3)),
        moves=frozenset({"vector_u"}),
        options={"power_iterations": SMALL},
        exceptions=SPECTRAL,
    ),
    Row(
        "SpectralNormalization",
        inner("Conv2D", 4, 3),
        (spatial(2),),
        moves=frozenset({"vector_u"}),
        exceptions=SPECTRAL,
    ),
]

REGULARIZATION = [
    Row(
        "ActivityRegularization",
        {"l1": 0.1, "l2": 0.2},
        ((2, 3), (2, 5, 3)),
        known=(),
        options={"l1": RATE, "l2": RATE},
    ),
    Row("Dropout", {"rate": 0.4}, ((2, 3), (2, 5, 3)), known=(), random=True, options={"rate": RATE}),
    Row("AlphaDropout", {"rate": 0.4}, ((2, 3), (2, 5, 3)), known=(), random=True, options={"rate": RATE}),
    Row("GaussianDropout", {"rate": 0.4}, ((2, 3), (2, 5, 3)), known=(), random=True, options={"rate": RATE}),
    Row("GaussianNoise", {"stddev": 0.4}, ((2, 3), (2, 5, 3)), known=(), random=True, options={"stddev": RATE}),
    *(
        Row(f"SpatialDropout{n}D", {"rate": 0.4}, (spatial(n),), known=(), random=True, options={"rate": RATE})
        for n in (1, 2, 3)
    ),
]

RESHAPING = [
    Row("Flatten", {}, ((2, 3), (2, 5, 3), (2, 4, 5, 3)), known=(), options={"data_format": FORMAT}),
    Row("Permute", {"dims": (2, 1)}, ((2, 5, 3),), known=(), options={"dims": st.permutations([1, 2]).map(tuple)}),
    Row("RepeatVector", {"n": 3}, ((2, 4),), known=(), options={"n": SMALL}),
    Row(
        "Reshape",
        {"target_shape": (3, -1)},
        ((2, 6), (2, 4, 3)),
        known=(),
        options={"target_shape": st.sampled_from([(6,), (-1,), (2, 3), (-1, 2), (1, 6, 1)])},
    ),
    *(
        Row(
            f"{name}{n}D",
            args,
            (spatial(n),),
            known=(),
            options={**options, **({} if n == 1 else {"data_format": FORMAT})},
        )
        for n in (1, 2, 3)
        for name, args, options in (
            ("Cropping", {"cropping": 1}, {"cropping": st.integers(0, 2)}),
            ("ZeroPadding", {"padding": 2}, {"padding": st.integers(0, 3)}),
            ("UpSampling", {"size": 2}, {"size": SMALL}),
        )
    ),
    Row(
        "UpSampling2D",
        {"interpolation": "bilinear"},
        (spatial(2),),
        known=(),
        options={"size": sizes(2), "interpolation": st.sampled_from(["bilinear", "bicubic", "nearest"])},
    ),
]

PAIRS = ([(2, 3), (2, 3)], [(2, 5, 3), (2, 5, 3)])
MERGING = [
    *(
        Row(name, {}, (*PAIRS, [(2, 3), (2, 3), (2, 3)]), known=())
        for name in "Add Average Maximum Minimum Multiply".split()
    ),
    Row("Subtract", {}, PAIRS, known=()),
    Row(
        "Concatenate",
        {},
        ([(2, 3), (2, 4)], [(2, 5, 3), (2, 5, 4)], [(2, 3), (2, 4), (2, 3)]),
        options={"axis": st.sampled_from([-1, 1])},
    ),
    Row("Dot", {"axes": -1}, ([(2, 3), (2, 3)], [(2, 5, 3), (2, 4, 3)]), options={"normalize": BOOL}),
]

QUERY_VALUE = [(2, 5, 4), (2, 6, 4)]
QUERY_VALUE_KEY = [(2, 5, 4), (2, 6, 4), (2, 6, 4)]
ATTENTION = [
    Row(
        "Attention",
        {"use_scale": True},
        (QUERY_VALUE, QUERY_VALUE_KEY),
        options={"use_scale": BOOL, "score_mode": st.sampled_from(["dot", "concat"])},
    ),
    Row("AdditiveAttention", {}, (QUERY_VALUE, QUERY_VALUE_KEY), options={"use_scale": BOOL}),
    Row(
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3},
        (QUERY_VALUE, QUERY_VALUE_KEY),
        spread=True,
        options={
            "num_heads": SMALL,
            "key_dim": SMALL,
            "value_dim": st.none() | SMALL,
            "use_bias": BOOL,
            "output_shape": st.none() | SMALL,
        },
    ),
    Row(
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        (QUERY_VALUE, QUERY_VALUE_KEY),
        spread=True,
        options={
            "head_dim": SMALL,
            "num_query_heads": st.sampled_from([2, 4]),
            "num_key_value_heads": st.sampled_from([1, 2]),
            "use_bias": BOOL,
        },
    ),
]

UNIT = {"units": SMALL, "activation": st.sampled_from(["tanh", "relu", None]), "use_bias": BOOL}
OVER_TIME = {"return_sequences": BOOL, "return_state": BOOL, "go_backwards": BOOL}
GATED = {"recurrent_activation": st.sampled_from(["sigmoid", "hard_sigmoid"])}
RECURRENT = [
    Row("SimpleRNN", {"units": 4}, ((2, 5, 3),), options={**UNIT, **OVER_TIME}),
    Row("GRU", {"units": 4}, ((2, 5, 3),), options={**UNIT, **OVER_TIME, **GATED, "reset_after": BOOL}),
    Row("LSTM", {"units": 4}, ((2, 5, 3),), options={**UNIT, **OVER_TIME, **GATED, "unit_forget_bias": BOOL}),
    Row("LSTM", {"units": 4, "return_sequences": True, "return_state": True}, ((2, 5, 3),)),
    Row(
        "LSTM",
        {"units": 4, "stateful": True},
        ((2, 5, 3),),
        batch=True,
        exceptions={"gradients": "Keras overwrites the states that its own backward pass needs, and fails"},
    ),
    Row("RNN", inner("GRUCell", 4), ((2, 5, 3),), options=OVER_TIME),
    Row(
        "SimpleRNNCell",
        {"units": 4},
        ([(2, 3), (2, 4)],),
        spread=True,
        options={k: v for k, v in UNIT.items() if k != "units"},
    ),
    Row(
        "GRUCell",
        {"units": 4},
        ([(2, 3), (2, 4)],),
        spread=True,
        options={**GATED, "use_bias": BOOL, "reset_after": BOOL},
    ),
    Row("LSTMCell", {"units": 4}, ([(2, 3), [(2, 4), (2, 4)]],), spread=True, options={**GATED, "use_bias": BOOL}),
    Row("StackedRNNCells", cells, ([(2, 3), [[(2, 4), (2, 4)], (2, 3)]],), spread=True),
    Row(
        "Bidirectional",
        inner("LSTM", 4),
        ((2, 5, 3),),
        options={"merge_mode": st.sampled_from(["concat", "sum", "mul", "ave", None])},
    ),
    Row("Bidirectional", inner("GRU", 4, return_sequences=True), ((2, 5, 3),)),
    Row("TimeDistributed", inner("Dense", 4), ((2, 5, 3), (2, 5, 4, 3))),
    Row("TimeDistributed", inner("Conv2D", 4, 3), ((2, 3, 6, 7, 4),)),
    *(
        Row(
            f"ConvLSTM{n}D",
            {"filters": 2, "kernel_size": 3},
            ((2, 3, *(4 + i for i in range(n)), 3),),
            options={"kernel_size": SMALL, "padding": PADDING, "use_bias": BOOL, "data_format": FORMAT, **OVER_TIME},
            exceptions={"unknown sizes in Keras": "Keras's ConvLSTM needs all spatial sizes"},
        )
        for n in (1, 2, 3)
    ),
]

ROWS = [
    *CORE,
    *ACTIVATIONS,
    *CONVOLUTIONAL,
    *POOLING,
    *NORMALIZATION,
    *REGULARIZATION,
    *RESHAPING,
    *MERGING,
    *ATTENTION,
    *RECURRENT,
]
