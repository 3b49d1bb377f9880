"""Operations on images against Keras in one table, and where Keras on torch fails or is wrong."""

from __future__ import annotations

import keras
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import ramify
from ramify import ops, random
from ramify.errors import ArgumentError, ShapeError

some = settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def f(*shape, low=0.0, high=1.0):
    return torch.rand(shape) * (high - low) + low


def bytes_(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def row(name, make, grad=True, symbolic=((), (0,)), tol=1e-5, **options):
    return pytest.param(f"image.{name}", make, grad, symbolic, tol, options, id=f"{name}-{options}".replace(" ", ""))


# None ends half way between two pixels, where kernels round either way.
MOVES = torch.tensor([[1.0, 0.113, 1, 0.057, 1, 0.31, 0, 0], [0.913, 0.117, 1, 0.053, 1.207, -1.31, 0, 0]] * 2)
CORNERS = torch.tensor([[0.0, 0], [0, 7], [8, 0], [8, 7]])
BENT = CORNERS + torch.tensor([[0.3, 1.1], [1.5, -0.4], [-0.7, 0.2], [0.1, 0.6]])
GRAYS = torch.tensor([[[0.0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.2], [0.2, 0.5, 0.5]]])
SHIFTS = torch.linspace(0.011, 0.053, 8, dtype=torch.float64)
WIDE = ((), (0,), (1, 2), (0, 1, 2))
FILLS = ("constant", "nearest", "wrap", "mirror", "reflect")
FIRST = "channels_first"

ROWS = [
    *(row(name, lambda: (f(4, 8, 9, 3),), symbolic=WIDE) for name in ("rgb_to_grayscale", "hsv_to_rgb")),
    row("rgb_to_hsv", lambda: (f(4, 8, 9, 3),), symbolic=WIDE, grad=False),
    row("rgb_to_hsv", lambda: (GRAYS,), grad=False),
    row("rgb_to_grayscale", lambda: (bytes_(4, 8, 9, 3),), grad=False),
    row("rgb_to_grayscale", lambda: (f(4, 8, 9, 1),)),
    *(row(name, lambda: (f(3, 8, 9),), grad=False, symbolic=((),), data_format=FIRST)
      for name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb")),
    row("crop_images", lambda: (f(4, 8, 9, 3), 1, 2, 3), target_width=4, symbolic=((), (0,))),
    row("crop_images", lambda: (f(4, 8, 9, 3), 1, 2, 3, 4), symbolic=WIDE),
    row("crop_images", lambda: (f(3, 8, 9), 1, 2), target_height=3, target_width=4, data_format=FIRST, symbolic=WIDE),
    row("crop_images", lambda: (f(4, 8, 9, 3),), bottom_cropping=1, right_cropping=2, target_height=3, target_width=4),
    row("pad_images", lambda: (f(4, 8, 9, 3), 1, 2, 3, 4), symbolic=WIDE),
    row("pad_images", lambda: (bytes_(4, 8, 9, 3), 1, 2), grad=False, target_height=12, target_width=12, symbolic=WIDE),
    row("pad_images", lambda: (f(4, 3, 8, 9),), bottom_padding=1, right_padding=0, target_height=12, target_width=12,
        data_format=FIRST),
    *(row("affine_transform", lambda: (f(4, 8, 9, 3), MOVES), grad=False, interpolation=i, fill_mode=m,
          fill_value=0.3) for i in ("bilinear", "nearest") for m in FILLS),
    row("affine_transform", lambda: (f(3, 8, 9), MOVES[0]), grad=False, data_format=FIRST, symbolic=((),)),
    row("affine_transform", lambda: (f(4, 8, 9, 3), MOVES), grad=False, symbolic=WIDE),
    row("affine_transform", lambda: (bytes_(4, 8, 9, 3), MOVES), grad=False, tol=1),
    *(row("map_coordinates", lambda o=o: (f(4, 5, 6), f(3, 4, 5, low=-9, high=14), o), grad=o == 1, fill_mode=m,
          fill_value=0.3, symbolic=((), (0,))) for m in FILLS for o in (0, 1)),
    row("map_coordinates", lambda: (bytes_(4, 5), f(2, 20, low=-9, high=14), 1), grad=False),
    row("perspective_transform", lambda: (f(3, 8, 9, 3), CORNERS, BENT), tol=1e-4, grad=False),
    row("perspective_transform", lambda: (f(3, 8, 9, 3), BENT.expand(3, 4, 2), CORNERS.expand(3, 4, 2), "nearest"),
        grad=False, fill_value=0.2, tol=1e-4),
    row("perspective_transform", lambda: (f(8, 9, 3), CORNERS, BENT), tol=1e-4, grad=False, symbolic=((),)),
    row("gaussian_blur", lambda: (f(4, 3, 8, 9), (5, 5), (1.5, 1.5)), data_format=FIRST, symbolic=((), (0,), (2, 3))),
    row("sobel_edges", lambda: (f(4, 8, 9, 3),), symbolic=WIDE),
    row("sobel_edges", lambda: (f(4, 3, 8, 9),), data_format=FIRST),
    row("ssim", lambda: (f(4, 16, 16, 3), f(4, 16, 16, 3)), symbolic=((), (0,))),
    row("ssim", lambda: (f(16, 16, 3), f(16, 16, 3)), symbolic=((),)),
    row("ssim", lambda: (f(4, 3, 16, 16), f(4, 3, 16, 16), 2.0, 7, 1.0, 0.02, 0.05), data_format=FIRST),
    *(row("scale_and_translate", lambda: (f(4, 8, 9, 3), (4, 4, 20, 3), torch.tensor([0.5, 2.2]),
          torch.tensor([0.3, -1.0])), spatial_dims=(1, 2), method=m, antialias=a, tol=1e-4, grad=False)
      for m in ("linear", "bicubic", "lanczos3", "lanczos5") for a in (False, True)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "grad", "symbolic", "tol", "options"), ROWS)
def test_the_table(against_keras, name, make, grad, symbolic, tol, options):
    against_keras(name, make(), options, grad, symbolic, tol)


def test_the_table_is_complete():
    drawn = {"resize", "extract_patches", "extract_patches_3d", "elastic_transform"}
    assert {row.values[0].removeprefix("image.") for row in ROWS} | drawn == set(ops.image.__all__)


@some
@given(
    size=st.tuples(st.integers(2, 20), st.integers(2, 20)),
    interpolation=st.sampled_from(["bilinear", "nearest", "bicubic"]),
    antialias=st.booleans(),
    keep=st.sampled_from([None, "crop", "pad"]),
    kind=st.sampled_from(["float32", "float16", "uint8"]),
    first=st.booleans(),
)
def test_resizing(against_keras, size, interpolation, antialias, keep, kind, first):
    assume(not (antialias and interpolation == "nearest"))
    assume(not (keep == "pad" and kind == "float16"))
    x = f(4, 8, 9, 3)
    x = (255 * x).to(torch.uint8) if kind == "uint8" else x.to(getattr(torch, kind))
    options = {"interpolation": interpolation, "antialias": antialias, "data_format": FIRST if first else None}
    if keep:
        options[f"{keep}_to_aspect_ratio"] = True
    x = x.movedim(-1, 1) if first else x
    hidden = ((), (0,)) if keep else ((), (0,), (0, 2, 3) if first else (0, 1, 2))
    tol = 1e-2 if kind == "float16" else 1 if kind == "uint8" else 1e-5
    against_keras("image.resize", (x, size), options, kind == "float32", hidden, tol)


@pytest.mark.parametrize("rank", [2, 3])
@some
@given(
    data=st.data(), step=st.none() | st.integers(1, 3), tap=st.integers(1, 2), same=st.booleans(), batch=st.booleans()
)
def test_patches(against_keras, rank, data, step, tap, same, batch):
    size = tuple(data.draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank)))
    x = f(*((4,) if batch else ()), *(6, 7, 8)[:rank], 2)
    name = "image.extract_patches" if rank == 2 else "image.extract_patches_3d"
    options = {"strides": step, "dilation_rate": tap, "padding": "same" if same else "valid"}
    assume(tap == 1 or step == 1)
    hidden = ((), (0,), tuple(range(1, rank + 1))) if batch else ((),)
    against_keras(name, (x, size), options, True, hidden)


# Keras on torch mixes up axes here: the channels last, and both axes where they differ.
def test_blurring_channels_last_is_blurring_channels_first():
    x = f(2, 8, 9, 3)
    for size in ((3, 3), (5, 3)):
        first = ops.image.gaussian_blur(x.movedim(-1, 1), size, (1.0, 2.0), "channels_first")
        torch.testing.assert_close(ops.image.gaussian_blur(x, size, (1.0, 2.0)), first.movedim(1, -1))
        one = ops.image.gaussian_blur(x[0], size, (1.0, 2.0))
        torch.testing.assert_close(one, first[0].movedim(0, -1))
    assert ops.image.gaussian_blur(bytes_(8, 9, 3)).dtype == torch.uint8


def test_an_affine_transform_divides_by_its_last_row():
    x = torch.arange(12.0).reshape(3, 4, 1)
    got = ops.image.affine_transform(x, torch.tensor([1.0, 0, 0, 0, 1, 0, 0.5, 0]))
    assert got[0, :, 0].tolist() == pytest.approx([0, 1 / 1.5, 2 / 2, 3 / 2.5])


def test_gradients_of_what_moves_pixels():
    # Between the pixels, where interpolation has no kinks.
    x, moves = f(1, 4, 5, 2).double().requires_grad_(), (MOVES[:1].double() + SHIFTS).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, m: ops.image.affine_transform(x, m, fill_mode="nearest"), (x, moves))
    points = CORNERS.double(), (BENT.double() + SHIFTS.view(4, 2)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, end: ops.image.perspective_transform(x, points[0], end), (x, points[1]))
    amounts = torch.tensor([1.3, 0.7]).double(), torch.tensor([0.3, 0.9]).double()

    def scaled(x, a, b):
        return ops.image.scale_and_translate(x, (1, 5, 4, 2), a, b, (1, 2), "cubic")

    assert torch.autograd.gradcheck(scaled, (x, *(a.requires_grad_() for a in amounts)))


@pytest.mark.parametrize("method", ["lanczos3", "lanczos5"])
def test_lanczos_keeps_what_is_even_and_agrees_with_scaling(method):
    assert torch.allclose(ops.image.resize(torch.ones(8, 9, 3), (5, 12), method, True), torch.ones(5, 12, 3), atol=1e-5)
    x = f(2, 8, 9, 3)
    scale, still = torch.tensor([5 / 8, 12 / 9]), torch.zeros(2)
    expected = ops.image.scale_and_translate(x, (2, 5, 12, 3), scale, still, (1, 2), method, True)
    torch.testing.assert_close(ops.image.resize(x, (5, 12), method, True), expected, atol=1e-5, rtol=1e-4)


def test_elastic_transforms_move_pixels_about_and_repeat_with_a_seed():
    x = f(2, 12, 12, 3)
    bend = ops.image.elastic_transform
    assert torch.equal(bend(x, seed=3), bend(x, seed=3))
    assert not torch.equal(bend(x, seed=3), bend(x, seed=4))
    draws = random.SeedGenerator(1)
    assert not torch.equal(bend(x, seed=draws), bend(x, seed=draws))
    assert torch.equal(bend(x, alpha=0.0), x)
    nearest = bend(x, interpolation="nearest", seed=5)
    assert set(nearest[0, ..., 0].flatten().tolist()) <= set(x[0, ..., 0].flatten().tolist())
    assert bend(bytes_(12, 12, 3)).dtype == torch.uint8
    # All channels of a pixel move together.
    gray = bend(x[..., :1].expand(-1, -1, -1, 3), seed=1)
    assert torch.equal(gray[..., 0], gray[..., 2])


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_elastic_fields_are_as_strong_and_as_smooth_as_those_of_keras(sigma):
    columns = torch.arange(64.0)[None, :, None].expand(64, 64, 1).contiguous()

    def field(library):
        """How far the pixels in the middle moved, over several draws."""
        bend = library.ops.image.elastic_transform
        moved = torch.stack([bend(columns, 6.0, sigma, fill_mode="nearest", seed=seed) for seed in range(8)])
        return (moved - columns)[:, 12:-12, 12:-12]

    ours, theirs = field(ramify), field(keras)
    for measure in (lambda x: x.std(), lambda x: x.diff(dim=2).std()):
        assert float(measure(ours)) == pytest.approx(float(measure(theirs)), rel=0.15)


def test_cropping_leaves_a_row():
    x = f(8, 9, 3)
    for size in ((1, 20), (20, 1)):
        want = keras.ops.image.resize(x, size, crop_to_aspect_ratio=True)
        torch.testing.assert_close(ops.image.resize(x, size, crop_to_aspect_ratio=True), want)


@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
def test_one_column_of_smoothed_pixels(method):
    for width in (1, 9):
        x = f(8, width, 3)
        want = torch.nn.functional.interpolate(
            x.movedim(-1, 0)[None].contiguous(), (5, 1), mode=method, align_corners=False, antialias=True
        )
        torch.testing.assert_close(ops.image.resize(x, (5, 1), method, antialias=True), want[0].movedim(0, -1))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.image.resize(f(8, 9), (2, 2)), ShapeError, "three axes"),
        (lambda: ops.image.resize(f(8, 9, 3), (2, 0)), ArgumentError, "size"),
        (lambda: ops.image.resize(f(8, 9, 3), (2, 2), "area"), ArgumentError, "'area'"),
        (lambda: ops.image.resize(f(8, 9, 3), (2, 2), "nearest", False, True, True), ArgumentError, "not both"),
        (lambda: ops.image.rgb_to_hsv(bytes_(8, 9, 3)), ArgumentError, "Cast"),
        (lambda: ops.image.rgb_to_hsv(f(8, 9, 2)), ShapeError, "three channels"),
        (lambda: ops.image.crop_images(f(8, 9, 3), 1), ArgumentError, "exactly two"),
        (lambda: ops.image.crop_images(f(8, 9, 3), 4, 1, 4, 1), ShapeError, "0 x 7"),
        (lambda: ops.image.pad_images(f(8, 9, 3), 1, 1, target_height=4, target_width=12), ShapeError, "negative"),
        (lambda: ops.image.affine_transform(f(8, 9, 3), torch.ones(7)), ShapeError, "8 numbers"),
        (lambda: ops.image.affine_transform(f(2, 8, 9, 3), torch.ones(3, 8)), ShapeError, "3 transforms"),
        (lambda: ops.image.affine_transform(f(8, 9, 3), torch.ones(8), fill_mode="zero"), ArgumentError, "'zero'"),
        (lambda: ops.image.perspective_transform(f(8, 9, 3), torch.ones(3, 2), CORNERS), ShapeError, "four points"),
        (lambda: ops.image.map_coordinates(f(8), torch.ones(1, 2), 3), ArgumentError, "order"),
        (lambda: ops.image.map_coordinates(f(8), torch.ones(2, 2), 1), ShapeError, "one coordinate"),
        (lambda: ops.image.sobel_edges(f(8, 9, 3)), ShapeError, "batch"),
        (lambda: ops.image.ssim(f(8, 9, 3), f(8, 9, 3)), ShapeError, "11 pixels"),
        (lambda: ops.image.ssim(f(8, 9, 3), f(8, 8, 3)), ShapeError, "one shape"),
        (lambda: ops.image.extract_patches(f(8, 9), 2), ShapeError, "3 axes"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()
