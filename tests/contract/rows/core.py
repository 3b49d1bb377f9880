"""Layers at the heart of most models, and activations that are layers."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from ramify.registry import register_keras_serializable
from tests.contract.row import Row, indices, normal

SOME = ((2, 3), (2, 5, 3))


@register_keras_serializable("contract")
def double(x: Any) -> Any:
    """For `Lambda`: a function that a file can name."""
    return x * 2


@register_keras_serializable("contract")
class Affine(torch.nn.Linear):
    """For `TorchModuleWrapper`: a module that a file can name."""

    def get_config(self) -> dict[str, Any]:
        return {"in_features": self.in_features, "out_features": self.out_features}


ROWS = [
    Row("Dense", {"units": 4}, (*SOME, (2, 4, 5, 3))),
    Row(
        "EinsumDense",
        {"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d"},
        ((2, 5, 3),),
        options={"bias_axes": st.sampled_from([None, "d"]), "output_shape": st.sampled_from([(None, 2), (None, 4)])},
        keeps={"equation": "fits one rank; the family's tests have many"},
    ),
    Row(
        "Embedding",
        {"input_dim": 7, "output_dim": 4},
        ((3, 2), (2, 5), (2, 3, 5)),
        make=indices(7),
        known=(),
        options={"input_dim": st.integers(7, 9), "output_dim": st.integers(1, 5), "mask_zero": st.booleans()},
    ),
    *(
        Row(
            "ReversibleEmbedding",
            {"input_dim": 7, "output_dim": 4, **args},
            shapes,
            make=make,
            known=known,
            call_args=call,
            options={
                "tie_weights": st.booleans(),
                "mask_zero": st.booleans(),
                "reverse_dtype": st.sampled_from([None, "float32"]),
                "logit_soft_cap": st.none() | st.floats(1, 9),
            },
            keeps=dict.fromkeys(("input_dim", "output_dim"), "sizes of the inputs"),
            exceptions={"rank": "that test calls layers without further arguments"} if call else {},
        )
        for shapes, make, known, call, args in (
            (((3, 2), (2, 5)), indices(7), (), {}, {}),
            (((3, 4), (2, 5, 4)), normal, (-1,), {"reverse": True}, {}),
        )
    ),
    Row("Activation", {"activation": "gelu"}, SOME, known=()),
    Row("Identity", {}, ((2, 3), (2, 4, 5, 3)), known=()),
    Row(
        "Lambda",
        {"function": double},
        SOME,
        known=(),
        keeps=dict.fromkeys(("function", "output_shape", "mask", "arguments"), "functions: the family's tests"),
        exceptions={"config": "a function is written by the name it is registered under, which Keras does not know"},
    ),
    Row("Masking", {"mask_value": 0.5}, ((2, 5, 3),), known=(), options={"mask_value": st.floats(-1, 1)}),
    Row(
        "TorchModuleWrapper",
        lambda _: {"module": Affine(3, 4)},
        SOME,
        keeps=dict.fromkeys(("module", "output_shape"), "a module made beforehand"),
        exceptions={
            "config": "Keras writes a pickle",
            "symbolic in Keras": "Keras cannot tell the shape of a module's output",
            "dtypes": "a module has the dtypes that it was made with",
            "rank": "the module checks its inputs itself",
        },
    ),
    Row("ELU", {"alpha": 0.5}, SOME, known=(), options={"alpha": st.floats(0, 2)}),
    Row("LeakyReLU", {}, SOME, known=(), options={"negative_slope": st.floats(0, 2)}),
    Row("PReLU", {}, SOME, known=(-1, -2), keeps={"shared_axes": "the next row has them"}),
    Row(
        "PReLU", {"shared_axes": [1, 2]}, ((2, 5, 4, 3),), options={"shared_axes": st.sampled_from([[1], [2], [1, 2]])}
    ),
    Row(
        "ReLU",
        {},
        SOME,
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
        SOME,
        known=(),
        options={"axis": st.sampled_from([-1, 1])},
        exceptions={"masks": "its mask has the rank of the input, not that of a mask of time steps"},
    ),
]
