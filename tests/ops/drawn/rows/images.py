"""Operations on images."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from tests.ops.drawn.draw import BOOL, F, Table

draw = Table("ops.image.")
NEAR = {"tolerance": 1e-4}
LAYOUTS = ["channels_last", "channels_first"]
FILLS = st.sampled_from(["constant", "nearest", "wrap", "mirror", "reflect"])
VALUE = st.floats(0, 1)


@st.composite
def pictures(draw: Any, channels: int = 3, *, first: bool = True, single: bool = True, shape: Any = (8, 9)) -> Any:
    """Images, one or a batch, and their layout."""
    batch = draw(st.sampled_from([(2,), ()] if single else [(2,)]))
    layout = draw(st.sampled_from([None, *LAYOUTS] if first else [None, "channels_last"]))
    x = draw(F((*batch, *shape, channels), low=0, high=1))
    return (x.movedim(-1, -3).contiguous() if layout == "channels_first" else x), {"data_format": layout}


@st.composite
def asking(draw: Any, *more: Any, images: Any = None, **options: Any) -> Any:
    """A call: images, further arguments, options."""
    x, layout = draw(pictures() if images is None else images)
    return (x, *map(draw, more)), {**layout, **{name: draw(values) for name, values in options.items()}}


def images(names: str, *more: Any, first: str = "images", given: Any = None, how: Any = None, **options: Any) -> None:
    """Ops of images, whose further arguments do not depend on them."""
    gives = " ".join([*first.split(), "data_format", *options])
    draw.whole(names, lambda: asking(*more, images=given, **options), gives, **(how or {}))


images("rgb_to_grayscale hsv_to_rgb")
images("rgb_to_hsv", how={"gradient": False})
images("sobel_edges", given=pictures(single=False))
SIDE = st.integers(0, 3)


@st.composite
def edges(draw: Any, what: str) -> Any:
    """Two of three numbers on each axis."""
    x, options = draw(pictures())
    for sides, target, size in ((("top", "bottom"), "target_height", 8), (("left", "right"), "target_width", 9)):
        names = [*(f"{side}_{what}" for side in sides), target]
        left = draw(st.integers(0, 2))
        a, b = draw(SIDE), draw(SIDE)
        values = [a, b, size - a - b if what == "cropping" else size + a + b]
        options |= {
            name: None if i == left else value for i, (name, value) in enumerate(zip(names, values, strict=True))
        }
    return (x,), options


for name, what in (("crop_images", "cropping"), ("pad_images", "padding")):
    given = " ".join(f"{side}_{what}" for side in ("top", "left", "bottom", "right"))
    draw.whole(name, lambda what=what: edges(what), f"images {given} target_height target_width data_format")

WAYS = st.sampled_from(["bilinear", "nearest", "bicubic"])
SIZE = st.tuples(st.integers(1, 20), st.integers(1, 20))


@st.composite
def resized(draw: Any) -> Any:
    x, options = draw(pictures())
    way, keep, size = draw(WAYS), draw(st.sampled_from([None, "crop", "pad"])), draw(SIZE)
    options |= {"interpolation": way, "antialias": draw(BOOL) and way != "nearest" and size[1] > 1}
    options |= {f"{what}_to_aspect_ratio": keep == what for what in ("crop", "pad")}
    # Of one smoothed column, torch makes wrong numbers for Keras: test_image_parity.py has it.
    return (x, size), {**options, "fill_mode": "constant", "fill_value": draw(VALUE)}


RESIZE = "images size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value data_format"
draw.whole("resize", resized, RESIZE, **NEAR)


@st.composite
def turned(draw: Any) -> Any:
    """Small turns and shifts."""
    x, options = draw(pictures())
    moves = torch.tensor([1.0, 0.1, 1, 0.05, 1, 0.3, 0, 0]) + draw(F((8,), low=-0.2, high=0.2))
    moves[6:] = 0
    moves = moves.expand(2, 8).clone() if x.ndim == 4 else moves
    options |= {"interpolation": draw(st.sampled_from(["bilinear", "nearest"])), "fill_mode": draw(FILLS)}
    return (x, moves), {**options, "fill_value": draw(VALUE)}


draw.whole("affine_transform", turned, "images transform interpolation fill_mode fill_value data_format",
           gradient=False, tolerance=1e-4)  # fmt: skip
CORNERS = torch.tensor([[0.0, 0], [0, 7], [8, 0], [8, 7]])


@st.composite
def bent(draw: Any) -> Any:
    x, options = draw(pictures())
    ends = CORNERS + draw(F((4, 2), low=-1, high=1))
    points = (CORNERS, ends) if draw(BOOL) else (ends, CORNERS)
    points = tuple(p.expand(2, 4, 2).clone() if x.ndim == 4 else p for p in points)
    options |= {"interpolation": draw(st.sampled_from(["bilinear", "nearest"])), "fill_value": draw(VALUE)}
    return (x, *points), options


draw.whole("perspective_transform", bent, "images start_points end_points interpolation fill_value data_format",
           gradient=False, tolerance=1e-4)  # fmt: skip


@st.composite
def placed(draw: Any) -> Any:
    shape = draw(st.sampled_from([(5, 6), (4, 5, 6), (7,)]))
    points = draw(F((len(shape), 4, 5), (len(shape), 9), low=-9, high=14))
    order = draw(st.integers(0, 1))
    return (draw(F(shape)), points, order), {"fill_mode": draw(FILLS), "fill_value": draw(VALUE)}


draw.whole("map_coordinates", placed, "inputs coordinates order fill_mode fill_value", gradient=False)


@st.composite
def stretched(draw: Any) -> Any:
    x = draw(F((2, 8, 9, 3)))
    height, width = draw(SIZE)
    method = draw(st.sampled_from(["linear", "bilinear", "trilinear", "cubic", "bicubic", "lanczos3", "lanczos5"]))
    options = {"spatial_dims": (1, 2), "method": method, "antialias": draw(BOOL)}
    return (x, (2, height, width, 3), draw(F((2,), low=0.3, high=2.5)), draw(F((2,), low=-2, high=2))), options


draw.whole("scale_and_translate", stretched, "images output_shape scale translation spatial_dims method antialias",
           gradient=False, tolerance=1e-4)  # fmt: skip


@st.composite
def blurred(draw: Any) -> Any:
    x, _ = draw(pictures(first=False))
    size, sigma = draw(st.sampled_from([3, 5])), draw(st.floats(0.3, 3))
    options = {"kernel_size": (size, size), "sigma": (sigma, sigma), "data_format": "channels_first"}
    return (x.movedim(-1, -3).contiguous(),), options


draw.whole("gaussian_blur", blurred, "images kernel_size sigma data_format", tolerance=1e-4,
           why="Keras on torch mixes up channels last and unlike sizes: test_image_parity.py has those")  # fmt: skip


@st.composite
def compared(draw: Any) -> Any:
    x, options = draw(pictures(shape=(16, 17)))
    options |= {"max_val": draw(st.sampled_from([1.0, 2.0])), "filter_size": draw(st.sampled_from([3, 7, 11]))}
    options |= {
        "filter_sigma": draw(st.floats(0.5, 3)),
        "k1": draw(st.floats(0.01, 0.1)),
        "k2": draw(st.floats(0.01, 0.1)),
    }
    return (x, x.flip(-1) * 0.9), options


draw.whole("ssim", compared, "image1 image2 max_val filter_size filter_sigma k1 k2 data_format", **NEAR)


@st.composite
def cut(draw: Any, rank: int) -> Any:
    shape = (6, 7, 8)[:rank]
    x, options = (
        draw(pictures(2, shape=shape)) if rank == 2 else (draw(F((2, *shape, 2), (*shape, 2))), {"data_format": None})
    )
    if rank == 3 and draw(BOOL):
        x, options = x.movedim(-1, -4).contiguous(), {"data_format": "channels_first"}
    one = st.integers(1, 3)
    moved = (
        {"strides": draw(st.none() | one), "dilation_rate": 1}
        if draw(BOOL)
        else {"strides": 1, "dilation_rate": draw(one)}
    )
    size = draw(one | st.tuples(*[one] * rank))
    return (x, size), {**options, **moved, "padding": draw(st.sampled_from(["valid", "same"]))}


draw.whole("extract_patches", lambda: cut(2), "images size strides dilation_rate padding data_format")
draw.whole("extract_patches_3d", lambda: cut(3), "volumes size strides dilation_rate padding data_format")


@st.composite
def elastic(draw: Any) -> Any:
    x, options = draw(pictures(shape=(24, 24)))
    options |= {"alpha": draw(st.floats(0, 9)), "sigma": draw(st.floats(1, 4)), "fill_mode": draw(FILLS)}
    options |= {"interpolation": draw(st.sampled_from(["bilinear", "nearest"])), "fill_value": draw(VALUE)}
    return (x,), {**options, "seed": draw(st.integers(0, 9))}


def bumps(made: Any, *_: Any, sigma: float, **__: Any) -> float:
    """How many parts of the images move each for itself."""
    return made.numel() / 3 / (12 * sigma**2)


draw.whole("elastic_transform", elastic, "images alpha sigma interpolation fill_mode fill_value seed data_format",
           random=True, independent=bumps)  # fmt: skip
