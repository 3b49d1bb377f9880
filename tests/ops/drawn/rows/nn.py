"""Functions of neural networks."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from tests.ops.drawn.draw import BOOL, EXACT, FLOATS, FORMAT, F, I, T, Table

draw = Table()
NEAR = {"tolerance": 1e-4}
X = T(kinds=FLOATS)

# ---- activations ----
draw(
    "relu relu6 sigmoid softplus softsign silu swish selu hard_sigmoid hard_silu hard_swish log_sigmoid hard_tanh "
    "tanh_shrink sparse_plus sparse_sigmoid",
    X,
)
draw("leaky_relu", X, negative_slope=st.floats(0, 1))
draw("celu", X, alpha=st.floats(0.1, 2))
draw("elu", X, alpha=st.floats(0.1, 2))
draw("gelu", X, approximate=BOOL)
draw("hard_shrink soft_shrink", X, threshold=st.floats(0, 2))
draw("squareplus", X, b=st.floats(0.1, 5))
draw("threshold", X, threshold=st.floats(-1, 1), default_value=st.floats(-9, 9))
draw("glu", T((4, 6, 2), (4, 2), kinds=FLOATS), axis=st.integers(-3, 2))
ALONG = st.integers(-3, 2)
draw("softmax log_softmax", X, axis=ALONG | st.sampled_from([(0, 1), (1, 2), None]))


def sparsemax(x: torch.Tensor, axis: int = -1) -> torch.Tensor:
    """The nearest point of the simplex (Martins and Astudillo, 2016), by halving the threshold's interval."""
    high = x.amax(axis, keepdim=True)
    low = high - 1
    for _ in range(60):
        middle = (low + high) / 2
        above = (x - middle).clamp_min(0).sum(axis, keepdim=True) > 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return (x - low).clamp_min(0)


draw("sparsemax", T(kinds=EXACT), axis=ALONG,
     how={"measure": sparsemax, "why": "Keras's on torch is not that of the paper", "gradient": False})  # fmt: skip

# ---- encodings ----
draw("one_hot", I((4,), (4, 3)), num_classes=st.integers(3, 6), axis=st.sampled_from([-1, 0, 1]),
     dtype=st.sampled_from([None, "int32", "bool", "float16"]))  # fmt: skip
draw("multi_hot", I((4, 3), (5,), (2, 3, 4)), num_classes=st.integers(5, 7), axis=st.just(-1),
     dtype=st.sampled_from([None, "int32", "float16"]))  # fmt: skip
draw("polar", F((4, 3), low=0), F((4, 3)))


@st.composite
def blocks(draw: Any, *, deep: bool) -> Any:
    size, layout = draw(st.integers(1, 3)), draw(st.sampled_from(["channels_last", "channels_first"]))
    side, channels = (3, 2 * size**2) if deep else (2 * size, 3)
    shape = (2, side, side + (0 if deep else size), channels)
    x = draw(F(shape))
    return (x if layout == "channels_last" else x.movedim(-1, 1),), {"block_size": size, "data_format": layout}


draw.whole("depth_to_space", lambda: blocks(deep=True), "x block_size data_format")
draw.whole("space_to_depth", lambda: blocks(deep=False), "x block_size data_format")
ONE, STEPS = st.integers(1, 2), st.integers(1, 2) | st.tuples(st.integers(1, 2), st.integers(1, 2))
WINDOW = {"dilation": STEPS, "padding": st.integers(0, 1), "stride": STEPS}
draw("unfold", F((2, 3, 6, 7)), kernel_size=st.integers(1, 3) | st.just((2, 3)), **WINDOW)


@st.composite
def folds(draw: Any) -> Any:
    options = {"output_size": (6, 7), "kernel_size": draw(st.sampled_from([1, 2, (2, 3)]))}
    options |= {name: draw(values) for name, values in WINDOW.items()}
    x = torch.nn.functional.unfold(draw(F((2, 3, 6, 7))), *list(options.values())[1:])
    return (x,), options


draw.whole("fold", folds, "x output_size kernel_size dilation padding stride")

# ---- normalization ----
EPSILON = st.floats(1e-5, 0.1)
draw(
    "moments",
    T((4, 3, 5), kinds=[*EXACT, "bfloat16"]),
    axes=st.sampled_from([0, (0,), [0, 1], (1, 2), -1]),
    keepdims=BOOL,
)
draw("normalize", F(), axis=ALONG, order=st.sampled_from([1, 2, 3]), epsilon=st.none() | EPSILON)
draw("normalize", F((4, 3, 5)), axis=st.sampled_from([(0, 1), (-1, 0)]), order=st.just(2),
     how={"why": "for other orders over two axes Keras on torch takes norms of matrices"})  # fmt: skip


@st.composite
def affine(draw: Any, *names: str, axes: Any, moments: bool = False) -> Any:
    """An input, and factors of the sizes of its normalized axes."""
    x, axis = draw(T((4, 3, 5), kinds=["float32", "bfloat16"])), draw(axes)
    own = tuple(x.shape[a] for a in (axis if isinstance(axis, (tuple, list)) else [axis]))
    vector = F(own, low=0.5).map(lambda v: v.to(x.dtype))
    args = (x, draw(vector), draw(vector)) if moments else (x,)
    given = {name: draw(st.none() | vector) for name in names}
    return args, {**given, "axis": axis, "epsilon": draw(EPSILON)}


draw.whole("batch_normalization", lambda: affine("offset", "scale", axes=st.integers(-3, 2), moments=True),
           "x mean variance axis offset scale epsilon", **NEAR)  # fmt: skip
draw.whole("layer_normalization", lambda: affine("gamma", "beta", axes=st.sampled_from([-1, 2, (1, 2)])),
           "x gamma beta axis epsilon", **NEAR)  # fmt: skip
draw.whole("rms_normalization", lambda: affine("scale", axes=st.sampled_from([-1, 2])), "x scale axis epsilon", **NEAR)

# ---- losses ----
PROBABILITIES = F((4, 3, 5), (4, 5), low=-2, high=2).map(lambda x: x.softmax(-1))


@st.composite
def classes(draw: Any, *, sparse: bool = False, binary: bool = False) -> Any:
    output, axis = draw(PROBABILITIES), draw(st.sampled_from([-1, -1, 1]))
    options = {"from_logits": draw(BOOL)} | ({} if binary else {"axis": -1 if sparse else axis})
    if sparse:
        return (draw(I(tuple(output.shape[:-1]))), output), options
    return (output.flip(0), output), options


draw.whole("categorical_crossentropy", classes, "target output from_logits axis", **NEAR)
draw.whole("sparse_categorical_crossentropy", lambda: classes(sparse=True), "target output from_logits axis", **NEAR)
draw.whole("binary_crossentropy", lambda: classes(binary=True), "target output from_logits", **NEAR)
draw("psnr", F((4, 3)), F((4, 3)), max_val=st.floats(0.5, 9))
LENGTHS = T((4,), kinds=["int32"], low=1, high=3), T((4,), kinds=["int32"], low=7, high=9)
draw("ctc_loss", T((4, 3), kinds=["int32"], low=1, high=3), F((4, 9, 5)), *LENGTHS, mask_index=st.sampled_from([0, 4]),
     how={**NEAR, "gradient": False})  # fmt: skip
DECODED = {"merge_repeated": BOOL, "mask_index": st.sampled_from([0, 4])}
draw(
    "ctc_decode",
    F((4, 9, 5)),
    LENGTHS[1],
    strategy=st.just("greedy"),
    beam_width=st.just(100),
    top_paths=st.just(1),
    **DECODED,
)
draw("ctc_decode", F((4, 6, 5)), T((4,), kinds=["int32"], low=3, high=6), strategy=st.just("beam_search"),
     beam_width=st.sampled_from([20, 100]), top_paths=st.integers(1, 3), merge_repeated=st.just(False),
     mask_index=st.sampled_from([0, 4]), how={**NEAR, "fixed": True, "gradient": False})  # fmt: skip


# ---- attention ----
@st.composite
def attended(draw: Any) -> Any:
    heads, shared = draw(st.sampled_from([(4, 4), (4, 2), (2, 1)]))
    steps = draw(st.sampled_from([5, 7]))
    kind = draw(st.sampled_from(["float32", "float32", "bfloat16"]))
    q, k, v = (draw(T((2, n, h, 8), kinds=[kind])) for n, h in ((5, heads), (steps, shared), (steps, shared)))
    scores = (draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, heads])), 5, steps)
    mask = T(scores, kinds=["bool"]).map(lambda m: m | torch.eye(5, steps, dtype=torch.bool))
    return (q, k, v), {
        "bias": draw(st.none() | T(scores, kinds=[kind])),
        "mask": draw(st.none() | mask),
        "scale": draw(st.none() | st.floats(0.1, 1)),
        "is_causal": draw(BOOL) and steps == 5,
        "attn_logits_soft_cap": draw(st.none() | st.floats(1, 9)),
    }


draw.whole("dot_product_attention", attended, "query key value bias mask scale is_causal attn_logits_soft_cap",
           hides=("", "the batch"), **NEAR)  # fmt: skip


# ---- images, sequences, volumes ----
@st.composite
def spaces(draw: Any, channels: int, ranks: Any = (1, 2, 3)) -> Any:
    """A batch in either layout: the tensor, its rank, and the layout."""
    rank, layout = draw(st.sampled_from(ranks)), draw(FORMAT)
    x = draw(F((7, *(5 + i for i in range(rank)), channels), (7, *(7 - i for i in range(rank)), channels)))
    return (x.movedim(-1, 1).contiguous() if layout == "channels_first" else x), rank, layout


def sizes(draw: Any, rank: int, low: int, high: int) -> Any:
    """One number, or one for each axis."""
    one = st.integers(low, high)
    return draw(one | st.tuples(*[one] * rank))


def window(draw: Any, rank: int, layout: str | None, *, causal: bool = False) -> dict[str, Any]:
    """Strides, dilation, padding, layout."""
    paddings = ["valid", "same", *(["causal"] if causal and rank == 1 and layout != "channels_first" else [])]
    padding, varied = draw(st.sampled_from(paddings)), draw(st.sampled_from(["strides", "dilation_rate"]))
    options = {"strides": 1, "dilation_rate": 1, varied: sizes(draw, rank, 1, 3)}
    if padding == "causal" and isinstance(options["dilation_rate"], tuple):  # Keras on torch puts no steps before then
        options["dilation_rate"] = options["dilation_rate"][0]
    return {**options, "padding": padding, "data_format": layout}


@st.composite
def convolution(draw: Any) -> Any:
    (x, rank, layout), groups = draw(spaces(4)), draw(st.sampled_from([1, 2, 4]))
    size = draw(st.tuples(*[st.integers(1, 3)] * rank))
    return (x, draw(F((*size, 4 // groups, 4)))), window(draw, rank, layout, causal=True)


@st.composite
def depthwise(draw: Any, *, separable: bool = False) -> Any:
    x, rank, layout = draw(spaces(3, (1, 2)))
    size, many = draw(st.tuples(*[st.integers(1, 3)] * rank)), draw(st.integers(1, 2))
    kernels = (draw(F((*size, 3, many))), *((draw(F((*(1,) * rank, 3 * many, 4))),) if separable else ()))
    return (x, *kernels), window(draw, rank, layout)


@st.composite
def transposed(draw: Any) -> Any:
    x, rank, layout = draw(spaces(3))
    options = window(draw, rank, layout)
    size = draw(st.tuples(*[st.integers(1, 4)] * rank))
    return (x, draw(F((*size, 4, 3)))), {**options, "output_padding": draw(st.none() | st.integers(0, 2))}


@st.composite
def pools(draw: Any, *, adaptive: bool = False, padded: bool = True) -> Any:
    x, rank, layout = draw(spaces(3))
    if adaptive:
        return (x,), {"output_size": sizes(draw, rank, 1, 4), "data_format": layout}
    size, steps = sizes(draw, rank, 1, 3), sizes(draw, rank, 1, 3)
    padding = draw(st.sampled_from(["valid", "same"])) if padded else "valid"
    return (x,), {
        "pool_size": size,
        "strides": draw(st.none() | st.just(steps)),
        "padding": padding,
        "data_format": layout,
    }


OPTIONS = "strides padding data_format dilation_rate"
NEAR |= {"hides": ("", "the batch")}  # test_nn_parity.py hides the sizes of space
draw.whole("conv", convolution, f"inputs kernel {OPTIONS}", **NEAR)
draw.whole("depthwise_conv", depthwise, f"inputs kernel {OPTIONS}", **NEAR)
draw.whole(
    "separable_conv", lambda: depthwise(separable=True), f"inputs depthwise_kernel pointwise_kernel {OPTIONS}", **NEAR
)
draw.whole("conv_transpose", transposed, f"inputs kernel output_padding {OPTIONS}", **NEAR)
draw.whole("max_pool", pools, "inputs pool_size strides padding data_format")
draw.whole("average_pool", lambda: pools(padded=False), "inputs pool_size strides padding data_format",
           why="Keras on torch averages its padding in: test_nn_others.py holds padded ones")  # fmt: skip
draw.whole("adaptive_max_pool adaptive_average_pool", lambda: pools(adaptive=True), "inputs output_size data_format")
