"""The operations of Keras by file and class, and the functions of `ramify.ops` that they are.

``Concatenate=concatenate(axis)`` says that the class `Concatenate` stands for the function `concatenate`, and that its
constructor takes `axis`, while the rest of the function's arguments are what it is called with.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from ramify import registry

_TABLE = {
    "numpy": """
Rot90=rot90(k axes), Absolute=absolute, Abs=abs, Fabs=fabs, Add=add, All=all(axis keepdims), AllClose=allclose(rtol
atol equal_nan), Angle=angle, Any=any(axis keepdims), Amax=amax(axis keepdims), Amin=amin(axis keepdims),
Append=append(axis), Arccos=arccos, Arccosh=arccosh, Arcsin=arcsin, Arcsinh=arcsinh, Arctan=arctan, Arctan2=arctan2,
Arctanh=arctanh, Argmax=argmax(axis keepdims), Argmin=argmin(axis keepdims), Argsort=argsort(axis),
Array=array(dtype), View=view(dtype), Average=average(axis), Heaviside=heaviside, Bincount=bincount(weights minlength
sparse), BitwiseAnd=bitwise_and, BitwiseInvert=bitwise_invert, BitwiseNot=bitwise_not, BitwiseOr=bitwise_or,
BitwiseXor=bitwise_xor, BitwiseLeftShift=bitwise_left_shift, LeftShift=left_shift,
BitwiseRightShift=bitwise_right_shift, RightShift=right_shift, BroadcastTo=broadcast_to(shape), Cbrt=cbrt, Ceil=ceil,
Clip=clip(x_min x_max), Concatenate=concatenate(axis), Conjugate=conjugate, Conj=conj, Copy=copy, Cos=cos, Cosh=cosh,
CountNonzero=count_nonzero(axis), Cross=cross(axisa axisb axisc axis), Cumprod=cumprod(axis dtype), Cumsum=cumsum(axis
dtype), Deg2rad=deg2rad, Rad2deg=rad2deg, Diag=diag(k), Diagflat=diagflat(k), Diagonal=diagonal(offset axis1 axis2),
Diff=diff(n axis), Digitize=digitize, Dot=dot, Dstack=dstack, Einsum=einsum(subscripts), EmptyLike=empty_like(dtype),
Equal=equal, Exp=exp, Exp2=exp2, ExpandDims=expand_dims(axis), Expm1=expm1, Flip=flip(axis), Fliplr=fliplr,
Flipud=flipud, Floor=floor, Full=full(shape dtype), FullLike=full_like(dtype), Gcd=gcd, Geomspace=geomspace(num
endpoint dtype axis), Greater=greater, GreaterEqual=greater_equal, Hstack=hstack, Hsplit=hsplit(indices_or_sections),
Hypot=hypot, Imag=imag, I0=i0, Isclose=isclose(equal_nan), Isfinite=isfinite, IsIn=isin(assume_unique invert),
Isinf=isinf, Isnan=isnan, Isneginf=isneginf, Isposinf=isposinf, Isreal=isreal, Kron=kron, Lcm=lcm, Ldexp=ldexp,
Less=less, LessEqual=less_equal, Linspace=linspace(num endpoint retstep dtype axis), Log=log, Log10=log10,
Log1p=log1p, Log2=log2, Logaddexp=logaddexp, Logaddexp2=logaddexp2, LogicalAnd=logical_and, LogicalNot=logical_not,
LogicalOr=logical_or, Logspace=logspace(num endpoint base dtype axis), Matmul=matmul, Max=max(axis keepdims initial),
Maximum=maximum, Fmax=fmax, Median=median(axis keepdims), Meshgrid=meshgrid(indexing), Min=min(axis keepdims initial),
Minimum=minimum, Fmin=fmin, Mod=mod, Fmod=fmod, Moveaxis=moveaxis(source destination), Nanargmax=nanargmax(axis
keepdims), Nanargmin=nanargmin(axis keepdims), Nancumsum=nancumsum(axis dtype), Nancumprod=nancumprod(axis dtype),
Nanmax=nanmax(axis keepdims), Nanmean=nanmean(axis keepdims), Nanmedian=nanmedian(axis keepdims), Nanmin=nanmin(axis
keepdims), Nanpercentile=nanpercentile(axis method keepdims), Nanprod=nanprod(axis keepdims),
Nanquantile=nanquantile(axis method keepdims), Nanstd=nanstd(axis keepdims), Nansum=nansum(axis keepdims),
Nanvar=nanvar(axis keepdims), NanToNum=nan_to_num(nan posinf neginf), Ndim=ndim, Nonzero=nonzero, NotEqual=not_equal,
OnesLike=ones_like(dtype), ZerosLike=zeros_like(dtype), Outer=outer, Pad=pad(pad_width mode),
Percentile=percentile(axis method keepdims), Prod=prod(axis keepdims dtype), Ptp=ptp(axis keepdims),
Quantile=quantile(axis method keepdims), Ravel=ravel, UnravelIndex=unravel_index(shape), Real=real,
Reciprocal=reciprocal, Repeat=repeat(repeats axis), Reshape=reshape(newshape), Roll=roll(shift axis),
Round=round(decimals), SearchSorted=searchsorted(side), Sign=sign, Signbit=signbit, Sin=sin, Sinc=sinc, Sinh=sinh,
Size=size, Sort=sort(axis), Split=split(indices_or_sections axis), Stack=stack(axis), Std=std(axis keepdims),
Swapaxes=swapaxes(axis1 axis2), Take=take(axis), TakeAlongAxis=take_along_axis(axis), Tan=tan, Tanh=tanh,
Tensordot=tensordot(axes), Tile=tile(repeats), Trace=trace(offset axis1 axis2), Tril=tril(k), Triu=triu(k),
Trunc=trunc, Vdot=vdot, Inner=inner, Vstack=vstack, Vsplit=vsplit(indices_or_sections), Where=where,
Subtract=subtract, Multiply=multiply, Divide=divide, DivideNoNan=divide_no_nan, TrueDivide=true_divide, Power=power,
Negative=negative, Nextafter=nextafter, Square=square, Sqrt=sqrt, Squeeze=squeeze(axis), Transpose=transpose(axes),
Trapezoid=trapezoid(x dx axis), Mean=mean(axis keepdims), Vander=vander(N increasing), Var=var(axis keepdims),
Sum=sum(axis keepdims), FloorDivide=floor_divide, LogicalXor=logical_xor, Corrcoef=corrcoef,
Correlate=correlate(mode), Select=select, Slogdet=slogdet, Argpartition=argpartition(kth axis),
Histogram=histogram(bins range), ArraySplit=array_split(indices_or_sections axis), Unique=unique(sorted return_index
return_inverse return_counts axis size fill_value), Dsplit=dsplit(indices_or_sections)
""",
    "nn": """
Relu=relu, Relu6=relu6, Sigmoid=sigmoid, SparseSigmoid=sparse_sigmoid, Softplus=softplus, Softsign=softsign,
SoftShrink=soft_shrink(threshold), SparsePlus=sparse_plus, Silu=silu, Squareplus=squareplus(b),
LogSigmoid=log_sigmoid, LeakyRelu=leaky_relu(negative_slope), HardSigmoid=hard_sigmoid, HardSilu=hard_silu,
Elu=elu(alpha), Selu=selu, Gelu=gelu(approximate), Celu=celu(alpha), Glu=glu(axis), TanhShrink=tanh_shrink,
HardTanh=hard_tanh, HardShrink=hard_shrink(threshold), Threshold=threshold(threshold default_value),
Softmax=softmax(axis), LogSoftmax=log_softmax(axis), Sparsemax=sparsemax(axis), MaxPool=max_pool(pool_size strides
padding data_format), AdaptiveMaxPool=adaptive_max_pool(output_size data_format), AveragePool=average_pool(pool_size
strides padding data_format), AdaptiveAveragePool=adaptive_average_pool(output_size data_format), Conv=conv(strides
padding data_format dilation_rate), DepthwiseConv=depthwise_conv(strides padding data_format dilation_rate),
SeparableConv=separable_conv(strides padding data_format dilation_rate), ConvTranspose=conv_transpose(strides padding
output_padding data_format dilation_rate), LayerNorm=layer_normalization(axis epsilon), MultiHot=multi_hot(num_classes
axis dtype sparse), OneHot=one_hot(num_classes axis dtype sparse),
BinaryCrossentropy=binary_crossentropy(from_logits), CategoricalCrossentropy=categorical_crossentropy(from_logits
axis), SparseCategoricalCrossentropy=sparse_categorical_crossentropy(from_logits axis), Moments=moments(axes keepdims
synchronized), BatchNorm=batch_normalization(axis epsilon), CTCLoss=ctc_loss(mask_index),
CTCDecode=ctc_decode(strategy beam_width top_paths merge_repeated mask_index), Normalize=normalize(axis order
epsilon), PSNR=psnr(max_val), DotProductAttention=dot_product_attention(is_causal flash_attention
attn_logits_soft_cap), RMSNorm=rms_normalization(axis epsilon), Polar=polar, Unfold=unfold(kernel_size dilation
padding stride), Fold=fold(output_size kernel_size dilation padding stride), DepthToSpace=depth_to_space(block_size
data_format), SpaceToDepth=space_to_depth(block_size data_format)
""",
    "core": """
Scatter=scatter(shape), ScatterUpdate=scatter_update(reduction), Slice=slice(shape), SliceUpdate=slice_update,
StopGradient=stop_gradient, Unstack=unstack(num axis), Cast=cast(dtype), SaturateCast=saturate_cast(dtype),
ConvertToTensor=convert_to_tensor(dtype sparse ragged)
""",
    "math": """
SegmentSum=segment_sum(num_segments sorted), SegmentMax=segment_max(num_segments sorted),
SegmentMin=segment_min(num_segments sorted), SegmentProd=segment_prod(num_segments sorted), TopK=top_k(k sorted),
InTopK=in_top_k(k), Logsumexp=logsumexp(axis keepdims), CDist=cdist,
ExtractSequences=extract_sequences(sequence_length sequence_stride), FFT=fft, FFT2=fft2, IFFT2=ifft2,
RFFT=rfft(fft_length), IRFFT=irfft(fft_length), STFT=stft(sequence_length sequence_stride fft_length window center),
ISTFT=istft(sequence_length sequence_stride fft_length length window center), Rsqrt=rsqrt, Erf=erf, Erfc=erfc,
Erfinv=erfinv, Logdet=logdet, ViewAsComplex=view_as_complex, ViewAsReal=view_as_real
""",
    "image": """
RGBToGrayscale=rgb_to_grayscale(data_format), RGBToHSV=rgb_to_hsv(data_format), HSVToRGB=hsv_to_rgb(data_format),
Resize=resize(size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value data_format),
AffineTransform=affine_transform(interpolation fill_mode fill_value data_format), ExtractPatches=extract_patches(size
strides dilation_rate padding data_format), MapCoordinates=map_coordinates(order fill_mode fill_value),
PadImages=pad_images(top_padding left_padding bottom_padding right_padding target_height target_width data_format),
CropImages=crop_images(top_cropping left_cropping bottom_cropping right_cropping target_height target_width
data_format), PerspectiveTransform=perspective_transform(interpolation fill_value data_format),
GaussianBlur=gaussian_blur(kernel_size sigma data_format), ElasticTransform=elastic_transform(alpha sigma
interpolation fill_mode fill_value seed data_format), ScaleAndTranslate=scale_and_translate(spatial_dims method
antialias), SobelEdges=sobel_edges(data_format), SSIM=ssim(max_val filter_size filter_sigma k1 k2 data_format)
""",
    "linalg": """
Cholesky=cholesky(upper), CholeskyInverse=cholesky_inverse(upper), Det=det, Eig=eig, Eigh=eigh, Inv=inv,
LuFactor=lu_factor, Norm=norm(ord axis keepdims), Qr=qr(mode), Solve=solve, SolveTriangular=solve_triangular(lower),
SVD=svd(full_matrices compute_uv), Lstsq=lstsq(rcond), MatrixRank=matrix_rank(tol), Pinv=pinv(rcond)
""",
}


def _read() -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Class -> file, function, arguments of the constructor."""
    found = {}
    for file, text in _TABLE.items():
        for name, function, config in re.findall(r"(\w+)=(\w+)(?:\(([^)]*)\))?", text):
            found[name] = (file, function, tuple(config.split()))
    return found


_BY_CLASS = _read()
_BY_FUNCTION = {function: name for name, (_, function, _) in _BY_CLASS.items()}


def file_of(class_name: str) -> str | None:
    """The file of Keras that has an operation."""
    known = _BY_CLASS.get(class_name)
    return None if known is None else known[0]


def own_name(function: Any) -> str | None:
    """The name of a function of `ramify.ops`; ``None`` for any other."""
    name = getattr(function, "__name__", None)
    known = registry.builtin(name, "keras.ops") if isinstance(name, str) else None
    same = known is not None and (known is function or getattr(known, "__wrapped__", None) is function)
    return name if same else None


def describe(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[str, str, dict[str, Any], tuple[Any, ...]] | None:
    """File, class, config and inputs of a call of a function of `ramify.ops`, if Keras has the operation."""
    name = own_name(function)
    if name is None or name not in _BY_FUNCTION:
        return None
    file, _, taken = _BY_CLASS[_BY_FUNCTION[name]]
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    config: dict[str, Any] = {}
    inputs: list[Any] = []
    for parameter in signature.parameters.values():
        value = bound.arguments.get(parameter.name)
        if parameter.name in taken:
            config[parameter.name] = value
        elif parameter.kind is parameter.VAR_POSITIONAL:
            inputs.extend(value or ())
        elif parameter.kind is parameter.VAR_KEYWORD:
            if value:
                return None
        else:
            inputs.append(value)
    return file, _BY_FUNCTION[name], config, tuple(inputs)


def resolve(
    name: str, config: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]] | None:
    """The function that a class of Keras stands for, and the arguments of the call; ``None`` where there is none."""
    if name not in _BY_CLASS:
        return None
    _, word, taken = _BY_CLASS[name]
    known = registry.builtin(word, "keras.ops")
    if known is None:
        return None
    function = inspect.unwrap(known)
    rest = list(args)
    given: list[Any] = []
    named: dict[str, Any] = dict(kwargs)
    by_place = True
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            given.extend(rest)
            rest, by_place = [], False
        elif parameter.name in taken or not rest:
            by_place = by_place and parameter.name in config
            if parameter.name in config and by_place:
                given.append(config[parameter.name])
            elif parameter.name in config:
                named[parameter.name] = config[parameter.name]
        elif by_place:
            given.append(rest.pop(0))
        else:
            named[parameter.name] = rest.pop(0)
    return function, tuple(given), named
