"""The functions that a saved graph may name: pure ones of tensors, listed here and nowhere else.

A file names a function, and this table says which one is meant. Nothing is imported or looked up by a name out of a
file, so no file can make a call of anything that is not written below.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from ramify import registry
from ramify.models import keras_operations

_OPERATOR = """
abs add and_ eq floordiv ge getitem gt invert le lt matmul mod mul ne neg or_ pos pow sub truediv xor
""".split()

# Functions and methods of one name in torch mean the same.
_BOTH = """
abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr all allclose amax amin aminmax angle any arccos
arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort asin asinh atan atan2 atanh baddbmm bincount
bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm broadcast_to ceil cholesky
chunk clamp clamp_max clamp_min clip clone conj copysign corrcoef cos cosh count_nonzero cov cross cummax cummin cumprod
cumsum deg2rad det diag diag_embed diagflat diagonal diff digamma div divide dot dsplit eq erf erfc erfinv exp exp2
expm1 fix flatten flip fliplr flipud float_power floor floor_divide fmax fmin fmod frac frexp gather gcd ge greater
greater_equal gt heaviside histc hsplit hypot i0 igamma igammac imag index_add index_copy index_fill index_select inner
inverse isclose isfinite isin isinf isnan isneginf isposinf isreal kron kthvalue lcm ldexp le lerp less less_equal
lgamma log log10 log1p log2 log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not logical_or
logical_xor logit logsumexp lt masked_fill masked_scatter masked_select matmul matrix_exp matrix_power max maximum mean
median min minimum mm mode moveaxis movedim msort mul multiply mv mvlgamma nan_to_num nanmean nanmedian nanquantile
nansum narrow ne neg negative nextafter nonzero norm not_equal numel outer permute pinverse polygamma positive pow prod
qr quantile rad2deg ravel real reciprocal relu remainder renorm repeat_interleave reshape roll rot90 round rsqrt
scatter scatter_add select selu sgn sigmoid sign signbit sin sinc sinh slogdet softmax sort split split_with_sizes sqrt
square squeeze std sub subtract sum svd swapaxes swapdims t take take_along_dim tan tanh tensor_split tile topk trace
transpose tril triu true_divide trunc unbind unflatten unfold unique unsqueeze unsqueeze_copy vander var vdot
view_as_complex view_as_real vsplit where xlogy
""".split()

_TORCH = """
atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors bucketize cartesian_prod cat cdist celu chain_matmul
column_stack combinations complex concat concatenate conv1d conv2d conv3d conv_transpose1d conv_transpose2d
conv_transpose3d cosine_similarity cumulative_trapezoid dropout dstack einsum empty_like full_like gelu group_norm
hstack layer_norm meshgrid ones_like pairwise_distance pixel_shuffle pixel_unshuffle polar prelu rand_like randn_like
row_stack rsub searchsorted stack std_mean tensordot trapezoid trapz tril_indices triu_indices var_mean vstack
zeros_like
""".split()

_METHOD = """
bfloat16 bool byte char contiguous detach dim double element_size expand expand_as float half int is_complex
is_floating_point is_signed long new_empty new_full new_ones new_tensor new_zeros repeat reshape_as short size
sum_to_size swapaxes to type_as view view_as
""".split()

_DUNDER = """
add and div eq floordiv ge getitem gt invert le lt matmul mod mul ne neg or pow radd rand rdiv rfloordiv rmatmul rmod
rmul ror rpow rsub rtruediv rxor sub truediv xor
""".split()

_FUNCTIONAL = """
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
affine_grid alpha_dropout avg_pool1d avg_pool2d avg_pool3d batch_norm bilinear binary_cross_entropy
binary_cross_entropy_with_logits celu conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
cosine_similarity cross_entropy dropout dropout1d dropout2d dropout3d elu embedding feature_alpha_dropout fold gelu glu
grid_sample group_norm hardshrink hardsigmoid hardswish hardtanh huber_loss instance_norm interpolate kl_div l1_loss
layer_norm leaky_relu linear local_response_norm log_softmax logsigmoid lp_pool1d lp_pool2d max_pool1d max_pool2d
max_pool3d mish mse_loss multi_head_attention_forward nll_loss normalize one_hot pad pairwise_distance pixel_shuffle
pixel_unshuffle prelu relu relu6 rms_norm rrelu scaled_dot_product_attention selu sigmoid silu smooth_l1_loss softmax
softmin softplus softshrink softsign tanh tanhshrink threshold unfold upsample
""".split()

_LINALG = """
cholesky cond cross det diagonal eigh eigvalsh inv lstsq matmul matrix_exp matrix_norm matrix_power matrix_rank
multi_dot norm pinv qr slogdet solve solve_triangular svd svdvals vander vecdot vector_norm
""".split()

_FFT = "fft fft2 fftn fftshift ifft ifft2 ifftn ifftshift irfft irfft2 irfftn rfft rfft2 rfftn".split()
_SPECIAL = "entr erfcx expit gammainc gammaincc i0e i1 i1e log_ndtr logit ndtr ndtri xlog1py zeta".split()

_ATTRIBUTES = {f"torch.Tensor.{name}": name for name in ("T", "mT", "H", "mH", "real", "imag", "ndim")}


def _table() -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    homes = (
        ("operator", operator, _OPERATOR),
        ("torch", torch, _BOTH + _TORCH),
        ("torch.nn.functional", F, _FUNCTIONAL),
        ("torch.Tensor", torch.Tensor, _BOTH + _METHOD + [f"__{name}__" for name in _DUNDER]),
        ("torch.linalg", torch.linalg, _LINALG),
        ("torch.fft", torch.fft, _FFT),
        ("torch.special", torch.special, _SPECIAL),
    )
    for prefix, home, names in homes:
        for name in names:
            function = getattr(home, name, None)  # some names are methods only, or of some versions of torch
            if callable(function):
                found[f"{prefix}.{name}"] = function
    return found


_FUNCTION: dict[str, Callable[..., Any]] = _table()
_NAME: dict[Any, str] = {}
for _name, _function in _FUNCTION.items():
    _NAME.setdefault(_function, _name)


def name_of(function: Any) -> str | None:
    """The name under which a function is saved, or ``None`` for one that is not in the table.

    >>> name_of(torch.cat)
    'torch.cat'
    """
    try:
        known = _NAME.get(function)
    except TypeError:
        return None
    if known is None:
        own = keras_operations.own_name(function)
        known = own and f"ramify.ops.{own}"
    return known


def attribute_name(name: Any) -> str | None:
    """The name under which reading an attribute of a tensor is saved."""
    return f"torch.Tensor.{name}" if f"torch.Tensor.{name}" in _ATTRIBUTES else None


def function_of(name: Any) -> Callable[..., Any] | None:
    """The function of a name, or ``None``."""
    if not isinstance(name, str):
        return None
    if name.startswith("ramify.ops."):
        found = registry.builtin(name.removeprefix("ramify.ops."), "keras.ops")
        return None if found is None else inspect.unwrap(found)
    return _FUNCTION.get(name)


def attribute_of(name: Any) -> str | None:
    """The attribute that `attribute_name` was given, or ``None``."""
    return _ATTRIBUTES.get(name) if isinstance(name, str) else None
