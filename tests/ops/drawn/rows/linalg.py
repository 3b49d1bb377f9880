"""Linear algebra, and Fourier transforms."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from tests.ops.drawn.draw import BOOL, EXACT, F, T, Table

draw = Table()
NEAR = {"tolerance": 1e-4}
MATRICES = ((3, 3), (4, 3, 3), (2, 2, 3, 3))


@st.composite
def positive(draw: Any) -> torch.Tensor:
    """Symmetric matrices with positive eigenvalues."""
    x = draw(T(*MATRICES))
    return x @ x.mT + torch.eye(3, dtype=x.dtype)


@st.composite
def triangular(draw: Any, *, inverse: bool = False) -> Any:
    """A factor of Cholesky's, below or above."""
    upper = draw(BOOL)
    factor = torch.linalg.cholesky(draw(positive()), upper=upper)
    if inverse:
        return (factor,), {"upper": upper}
    return (factor, draw(T((3, 2), kinds=[str(factor.dtype)[6:]])).expand(*factor.shape[:-2], 3, 2)), {
        "lower": not upper
    }


draw("cholesky", positive(), upper=BOOL, how=NEAR)
draw.whole("cholesky_inverse", lambda: triangular(inverse=True), "x upper", **NEAR)
draw.whole("solve_triangular", triangular, "a b lower", **NEAR)
draw("det inv logdet", positive(), how=NEAR)
draw("slogdet", T(*MATRICES), how=NEAR)
draw("eigh", positive(), how={**NEAR, "gradient": False})
draw("eig", positive(), how={**NEAR, "gradient": False})
draw("lu_factor", T(*MATRICES), how=NEAR)
draw("qr", T((5, 3), (4, 5, 3), (3, 5)), mode=st.sampled_from(["reduced", "complete"]), how={**NEAR, "gradient": False})
draw("svd", T((5, 3), (4, 3, 5)), full_matrices=BOOL, compute_uv=BOOL, how={**NEAR, "gradient": False})
draw("pinv", T((5, 3), (4, 3, 5)), rcond=st.sampled_from([None, 1e-3, 0.4]), how=NEAR)
draw("matrix_rank", T((5, 3), (4, 3, 3)) | st.just(torch.ones(4, 3)), tol=st.sampled_from([None, 1e-3, 1.0]))


@st.composite
def systems(draw: Any) -> Any:
    a = draw(positive())
    return (a, draw(T((3, 2), kinds=[str(a.dtype)[6:]])).expand(*a.shape[:-2], 3, 2).clone()), {}


draw.whole("solve", systems, "a b", **NEAR)
draw("lstsq", F((5, 3)), F((5,), (5, 2)), rcond=st.sampled_from([None, 1e-4, 0.2]),
     how={**NEAR, "gradient": False, "hides": ("",)})  # fmt: skip
ORDERS = st.sampled_from([None, 1, 2, 3, -1, 0.5, float("inf"), -float("inf"), 0])
draw("norm", F((4, 3, 5), (6,)), ord=ORDERS, axis=st.integers(-3, 2), keepdims=BOOL)
draw("norm", F((3, 5), (6,), (4, 3, 5)), ord=st.sampled_from([None, 2]), axis=st.none(), keepdims=BOOL)
OF_MATRICES = st.sampled_from([None, "fro", "nuc", 1, -1, 2, -2, float("inf"), -float("inf")])
draw("norm", F((4, 3, 5)), ord=OF_MATRICES, axis=st.sampled_from([(0, 1), (1, 2), (-1, 0)]), keepdims=BOOL, how=NEAR)
draw("cdist", T((4, 3), (2, 4, 3)), T((5, 3)), how={**NEAR, "hides": ("", "the batch")})

# ---- Fourier transforms ----
COMPLEX = F((4, 8), (2, 4, 6)).map(lambda x: (x, x.flip(-1) + 0.5))
draw("fft fft2 ifft2", COMPLEX)
LENGTH = st.none() | st.integers(2, 12)
draw("rfft", T((4, 8), (8,), (2, 3, 7), kinds=EXACT), fft_length=LENGTH)
draw("irfft", F((4, 5), (2, 3, 6)).map(lambda x: (x, x.flip(-1))), fft_length=LENGTH)
WINDOW = st.sampled_from(["hann", "hamming", None]) | F((16,), low=0.1, high=1)
FRAMES = {"sequence_length": st.just(16), "sequence_stride": st.integers(3, 8), "window": WINDOW, "center": BOOL}
draw("stft", F((4, 100), (60,), (2, 3, 50)), **FRAMES, fft_length=st.sampled_from([16, 21, 32]), how=NEAR)
draw(
    "extract_sequences",
    T((4, 20), (20,), (2, 3, 11)),
    sequence_length=st.integers(1, 9),
    sequence_stride=st.integers(1, 5),
)


@st.composite
def spectra(draw: Any) -> Any:
    """What `stft` gives, and the way back."""
    frames = {name: draw(values) for name, values in FRAMES.items()}
    fft_length = draw(st.sampled_from([16, 21, 32]))
    shape = draw(st.sampled_from([(4, 9), (9,)]))
    x = draw(F((*shape, fft_length // 2 + 1)))
    return ((x, x.flip(-1)),), {**frames, "fft_length": fft_length, "length": draw(st.sampled_from([None, 40, 60]))}


draw.whole(
    "istft",
    spectra,
    "x sequence_length sequence_stride fft_length length window center",
    tolerance=1e-4,
    gradient=False,
)
