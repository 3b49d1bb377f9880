"""Layers that change images. What Keras drew is given to both, so that training mode is compared, too."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.contract.row import Row

SHAPES = ((3, 12, 10, 3), (12, 10, 3))
COLORED = ((2, 3, 9, 3), (3, 9, 3))  # 3 channels in either layout
FACTOR = st.floats(0.1, 0.9)
PLACE = {"interpolation": st.sampled_from(["nearest", "bilinear"])}


def pictures(shape: tuple[int, ...]) -> np.ndarray:
    """Values from 0 to 255."""
    return np.random.default_rng(sum(shape)).uniform(0, 255, size=shape).astype("float32")


def image(name: str, args: Any = None, *, shared: bool = False, shapes: Any = SHAPES, **options: Any) -> Row:
    """`shared`: what Keras drew means the same here, so that both can be given it."""
    exceptions = {"masks": "an image has no time steps", "rank": "a dict or images of 3 or 4 axes: the family's tests"}
    if not shared:
        exceptions["training"] = "draws in an order of its own; the family's tests compare distributions"
    if shapes is COLORED:
        exceptions["drawn ranks"] = "a single image may have its channels first, where graphs have the batch"
    exceptions |= options.pop("exceptions", {})
    keeps = options.pop("keeps", {})
    return Row(
        name, args or {}, shapes, make=pictures, random=True, options=options, keeps=keeps, exceptions=exceptions
    )


def steps(library: ModuleType) -> dict[str, Any]:
    """Two layers, one after the other."""
    return {"layers": [library.layers.CenterCrop(6, 5, name="crop"), library.layers.Rescaling(0.5, name="scale")]}


BOXES = "boxes in dicts: the family's tests have them"
PATHS = dict.fromkeys(("num_chains", "chain_depth", "factor", "alpha", "all_ops", "num_ops"), "how much is drawn")
ROWS = [
    image("CenterCrop", {"height": 6, "width": 5}, shared=True, height=st.integers(1, 14), width=st.integers(1, 12)),
    image(
        "RandomCrop",
        {"height": 6, "width": 5, "seed": 3},
        shared=True,
        height=st.integers(1, 3),
        width=st.integers(1, 3),
        keeps={"data_format": "Keras takes sizes of the other layout", "seed": "Keras draws one"},
        exceptions={
            "inference": "Keras leaves images whole there, against the shape that it declares",
            "dtypes": "as `inference`",
        },
    ),
    image(
        "Resizing",
        {"height": 6, "width": 5},
        shared=True,
        height=st.integers(1, 20),
        width=st.integers(1, 20),
        interpolation=st.sampled_from(["nearest", "bilinear", "bicubic"]),
        crop_to_aspect_ratio=st.booleans(),
        pad_to_aspect_ratio=st.booleans(),
        antialias=st.booleans(),
        fill_mode=st.just("constant"),
    ),
    image("RandomFlip", shared=True, mode=st.sampled_from(["horizontal", "vertical", "horizontal_and_vertical"])),
    image("RandomRotation", {"factor": 0.2}, shared=True, factor=FACTOR),
    image(
        "RandomTranslation",
        {"height_factor": 0.4, "width_factor": 0.2},
        shared=True,
        height_factor=FACTOR,
        width_factor=FACTOR,
    ),
    image("RandomZoom", {"height_factor": 0.4}, shared=True, height_factor=FACTOR, width_factor=st.none() | FACTOR),
    image("RandomShear", {"x_factor": 0.4, "y_factor": 0.2}, shared=True, x_factor=FACTOR, y_factor=FACTOR),
    image("RandomPerspective", shared=True, factor=FACTOR, scale=st.floats(0.1, 0.6)),
    image("RandomElasticTransform", factor=FACTOR, scale=FACTOR),
    image("RandomErasing", shared=True, factor=FACTOR, scale=st.just((0.1, 0.3)), fill_value=st.none() | FACTOR),
    image("RandomBrightness", {"factor": 0.4}, shared=True, factor=FACTOR),
    image("RandomContrast", {"factor": 0.4}, shared=True, factor=FACTOR),
    image("RandomHue", {"factor": 0.4}, shared=True, shapes=COLORED, factor=FACTOR),
    image("RandomSaturation", {"factor": 0.4}, shapes=COLORED, factor=FACTOR),
    image("RandomColorDegeneration", {"factor": 0.4}, shared=True, shapes=COLORED, factor=FACTOR),
    image(
        "RandomColorJitter",
        {"brightness_factor": 0.2, "contrast_factor": 0.3, "saturation_factor": (0.3, 0.6), "hue_factor": 0.2},
        shapes=COLORED,
        **{f"{what}_factor": FACTOR for what in ("brightness", "contrast", "saturation", "hue")},
    ),
    image("RandomGrayscale", shared=True, shapes=COLORED, factor=FACTOR),
    image("RandomInvert", shared=True, factor=FACTOR),
    image("RandomPosterization", {"factor": 4}, shared=True, factor=st.integers(1, 8)),
    image("RandomSharpness", {"factor": 0.4}, shared=True, factor=FACTOR),
    image("RandomGaussianBlur", shared=True, factor=FACTOR, kernel_size=st.sampled_from([3, 5]), sigma=FACTOR),
    image(
        "Solarization",
        {"addition_factor": 0.3, "threshold_factor": 0.3},
        shared=True,
        addition_factor=FACTOR,
        threshold_factor=FACTOR,
    ),
    image("AutoContrast", shared=True),
    image("Equalization", bins=st.sampled_from([17, 256])),
    image(
        "ContrastLimitedAdaptiveHistogramEqualization",
        {"tile_grid_size": (2, 3)},
        shared=True,
        clip_limit=st.floats(1.2, 9),
        tile_grid_size=st.sampled_from([(1, 1), (2, 2), (4, 3)]),
    ),
    image("CutMix", shared=True, keeps=PATHS, exceptions={"half": "torch has no such draws for Keras's layer"}),
    image("MixUp", shared=True, keeps=PATHS),
    image("RandAugment", keeps=PATHS),
    image("AugMix", keeps=PATHS),
    image("MaxNumBoundingBoxes", {"max_number": 4}, keeps={"max_number": BOXES, "fill_value": BOXES}),
    Row(
        "Pipeline",
        steps,
        ((3, 12, 10, 3),),
        make=pictures,
        keeps={"layers": "layers"},
        exceptions={"masks": "an image has no time steps", "rank": "its layers check their inputs"},
    ),
]
