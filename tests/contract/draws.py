"""What hypothesis may draw for the arguments of a constructor, by their names; a row adds what only its layer knows.

`DRAWN` and `ENDINGS` serve every layer that has an argument of the name; `FIXED` says why others keep their default.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from hypothesis import strategies as st

BOOL = st.booleans()
SMALL = st.integers(1, 3)
RATE = st.floats(0, 0.9)
ACTIVATION = st.sampled_from(
    [None, "relu", "gelu", "tanh", "softmax", "swish", "sigmoid", "softplus", "elu", "selu", "mish", "leaky_relu"]
)
REGULARIZER = st.sampled_from([None, "l1", "l2"])
INITIALIZER = st.sampled_from(
    ["zeros", "ones", "glorot_uniform", "he_normal", "lecun_normal", "random_uniform", "truncated_normal", "orthogonal"]
)

ENDINGS = {
    "_initializer": INITIALIZER,
    "_regularizer": REGULARIZER,
    "_constraint": st.sampled_from([None, "non_neg", "max_norm", "unit_norm", "min_max_norm"]),
}

DRAWN: dict[str, Any] = {
    "activation": ACTIVATION,
    "activity_regularizer": st.sampled_from([None, "l2"]),
    "center": BOOL,
    "data_format": st.sampled_from(["channels_last", "channels_first"]),
    "depth_multiplier": SMALL,
    "dropout": st.sampled_from([0.0, 0.4]),
    "epsilon": st.floats(1e-4, 1e-1),
    "fill_mode": st.sampled_from(["reflect", "wrap", "constant", "nearest"]),
    "fill_value": st.floats(0, 1),
    "filters": st.sampled_from([2, 4]),
    "go_backwards": BOOL,
    "interpolation": st.sampled_from(["nearest", "bilinear"]),
    "keepdims": BOOL,
    "padding": st.sampled_from(["valid", "same"]),
    "rate": RATE,
    "recurrent_activation": st.sampled_from(["sigmoid", "hard_sigmoid", "tanh"]),
    "recurrent_dropout": st.sampled_from([0.0, 0.4]),
    "reset_after": BOOL,
    "return_sequences": BOOL,
    "return_state": BOOL,
    "scale": BOOL,
    "seed": st.none() | st.integers(0, 9),
    "unit_forget_bias": BOOL,
    "units": SMALL,
    "unroll": BOOL,
    "use_bias": BOOL,
    "use_scale": BOOL,
    "zero_output_for_mask": BOOL,
}

SPATIAL = {
    "kernel_size": SMALL,
    "strides": SMALL,
    "dilation_rate": st.integers(1, 2),
    "pool_size": SMALL,
    "output_size": st.integers(1, 5),
    "size": SMALL,
}
"""One number, or a number for each axis of space."""

FIXED = {
    "value_range": "fits the data; tests/layers/preprocessing/image has others",
    "name": "every row is called 'it'",
    "dtype": "`test_dtypes` goes through the policies",
    "sparse": "sparse tensors are not part of this library",
    "ragged": "ragged tensors are not part of this library",
    "synchronized": "needs several processes; tests/layers/normalization has them",
    "stateful": "needs a known batch: rows of their own",
    "use_cudnn": "chooses a kernel, not a result",
    "weights": "arrays that the file holds; the family's tests have them",
    "lora_rank": "a rank that is set later, by `enable_lora`",
    "lora_alpha": "as `lora_rank`",
    "quantization_config": "quantization is not part of this library",
    "gptq_unpacked_column_size": "as `quantization_config`",
    "backward_layer": "a layer: the family's tests have it",
    "input_shape": "what it does, `Sequential` shows",
    "flash_attention": "chooses a kernel, not a result",
}


def sizes(rank: int, values: Any = SMALL) -> Any:
    """One number, or a number for each spatial axis."""
    return values | st.tuples(*[values] * rank)


def arguments(layer: type) -> list[str]:
    """The names that the constructor of a class takes itself."""
    parameters = list(inspect.signature(layer.__init__).parameters.values())[1:]
    return [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def options(layer: type) -> dict[str, Any]:
    """Argument -> strategy, for the arguments whose names say enough."""
    rank = int(found[1]) if (found := re.search(r"(\d)D", layer.__name__)) else 2
    return {name: made for name in arguments(layer) if (made := _strategy(name, rank)) is not None}


def _strategy(name: str, rank: int) -> Any:
    if name in SPATIAL:
        return sizes(rank, SPATIAL[name])
    if name in DRAWN:
        return DRAWN[name]
    return next((made for ending, made in ENDINGS.items() if name.endswith(ending)), None)
