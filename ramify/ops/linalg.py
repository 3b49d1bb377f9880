"""Linear algebra."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ramify.errors import ArgumentError, ShapeError
from ramify.graph.structure import map_leaves
from ramify.ops.convert import floating, like
from ramify.ops.op import op
from ramify.promotion import Tensor, to_tensor

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "logdet", "lstsq", "lu_factor", "matrix_rank",
    "norm", "pinv", "qr", "solve", "solve_triangular", "svd",
]  # fmt: skip


def _matrix(x: Any, who: str, *, square: bool = False) -> Tensor:
    x = floating(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        kind = "a square matrix" if square else "a matrix"
        raise ShapeError(f"{who} takes {kind} in its last two axes, but received shape {tuple(x.shape)}.")
    return x


@op
def cholesky(x: Any, upper: bool = False) -> Tensor:
    """The triangular matrix `L` with ``L @ L.T == x``.

    Args:
        x: symmetric positive-definite matrices, shape ``(..., n, n)``.
        upper: return the transposed of `L` instead.

    Returns:
        A tensor of the same shape.

    Raises:
        ArgumentError: a matrix that is not positive-definite.

    >>> cholesky(torch.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    x = _matrix(x, "cholesky", square=True)
    try:
        return torch.linalg.cholesky(x, upper=upper)
    except torch.linalg.LinAlgError as error:
        raise ArgumentError(
            f"cholesky received a matrix that is not positive-definite ({error}). Add a little to its diagonal."
        ) from error


@op
def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is `x`.

    Args:
        x: triangular matrices, shape ``(..., n, n)``.
        upper: whether they are upper ones.

    Returns:
        A tensor of the same shape.

    >>> cholesky_inverse(torch.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    return torch.cholesky_inverse(_matrix(x, "cholesky_inverse", square=True), upper=upper)


@op
def det(x: Any) -> Tensor:
    """The determinant of square matrices ``(..., n, n)``.

    >>> det(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(-2.)
    """
    return torch.linalg.det(_matrix(x, "det", square=True))


@op
def logdet(x: Any) -> Tensor:
    """The logarithm of the determinant of positive-definite matrices ``(..., n, n)``.

    >>> logdet(torch.eye(2))
    tensor(0.)
    """
    return torch.logdet(_matrix(x, "logdet", square=True))


@op
def eig(x: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of square matrices.

    Args:
        x: matrices, shape ``(..., n, n)``.

    Returns:
        ``(values, vectors)``, complex, of shapes ``(..., n)`` and ``(..., n, n)``; the vectors are columns.

    >>> eig(torch.diag(torch.tensor([2.0, 3.0])))[0]
    tensor([2.+0.j, 3.+0.j])
    """
    values, vectors = torch.linalg.eig(_matrix(x, "eig", square=True))
    return values, vectors


@op
def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues, rising, and eigenvectors of symmetric matrices; shapes as in `eig`, real.

    >>> eigh(torch.diag(torch.tensor([3.0, 2.0])))[0]
    tensor([2., 3.])
    """
    values, vectors = torch.linalg.eigh(_matrix(x, "eigh", square=True))
    return values, vectors


@op
def inv(x: Any) -> Tensor:
    """The inverse of square matrices ``(..., n, n)``.

    >>> inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return torch.linalg.inv(_matrix(x, "inv", square=True))


@op
def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """The pseudo-inverse of matrices (Penrose, 1955).

    Args:
        x: matrices, shape ``(..., m, n)``.
        rcond: singular values below this part of the largest count as zero; torch's choice when not given.

    Returns:
        A tensor of shape ``(..., n, m)``.

    >>> pinv(torch.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    return torch.linalg.pinv(_matrix(x, "pinv"), rtol=rcond)


@op
def lu_factor(x: Any) -> tuple[Tensor, Tensor]:
    """A matrix as the product of a lower and an upper triangular one, with rows exchanged.

    Args:
        x: matrices, shape ``(..., m, n)``.

    Returns:
        ``(lu, pivots)``: both factors in one tensor of the shape of `x` (the lower one without its diagonal of ones),
        and with which row, counted from 0, each row was exchanged, int32, ``(..., min(m, n))``.

    >>> lu_factor(torch.eye(2))[1]
    tensor([0, 1], dtype=torch.int32)
    """
    factors, pivots = torch.linalg.lu_factor(_matrix(x, "lu_factor"))
    return factors, pivots - 1


@op
def qr(x: Any, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """A matrix as the product of an orthogonal and an upper triangular one.

    Args:
        x: matrices, shape ``(..., m, n)``.
        mode: ``"reduced"`` or ``"complete"`` (the orthogonal matrix is square then).

    Returns:
        ``(q, r)``.

    Raises:
        ArgumentError: another mode.

    >>> [part.shape for part in qr(torch.ones(3, 2))]
    [torch.Size([3, 2]), torch.Size([2, 2])]
    """
    if mode not in {"reduced", "complete"}:
        raise ArgumentError(f"qr knows mode='reduced' and mode='complete', but got {mode!r}.")
    q, r = torch.linalg.qr(_matrix(x, "qr"), mode=mode)
    return q, r


@op
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition: ``x == u @ diag(s) @ v``.

    Args:
        x: matrices, shape ``(..., m, n)``.
        full_matrices: whether `u` and `v` are square.
        compute_uv: whether they are wanted at all.

    Returns:
        ``(u, s, v)``, or `s` alone; `s` falls.

    >>> svd(torch.diag(torch.tensor([1.0, 2.0])), compute_uv=False)
    tensor([2., 1.])
    """
    x = _matrix(x, "svd")
    if not compute_uv:
        return torch.linalg.svdvals(x)
    u, s, v = torch.linalg.svd(x, full_matrices=full_matrices)
    return u, s, v


@op
def matrix_rank(x: Any, tol: float | None = None) -> Tensor:
    """The number of singular values above a tolerance.

    Args:
        x: matrices, shape ``(..., m, n)``.
        tol: the tolerance; from the dtype and the largest singular value when not given.

    Returns:
        An int32 tensor of shape ``(...)``.

    >>> matrix_rank(torch.ones(2, 2))
    tensor(1, dtype=torch.int32)
    """
    x = _matrix(x, "matrix_rank")
    rank = torch.linalg.matrix_rank(x) if tol is None else torch.linalg.matrix_rank(x, tol)
    return rank.to(torch.int32)


@op
def norm(x: Any, ord: Any = None, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        x: tensor of any shape.
        ord: which one: a number, ``inf`` or ``-inf``; for matrices also ``"fro"`` and ``"nuc"``; ``None`` is the root
            of the sum of squares.
        axis: one axis (vectors) or two (matrices); ``None``: all of `x`.
        keepdims: whether the axes stay, of size 1.

    >>> norm(torch.tensor([[3.0, 4.0]]), axis=-1)
    tensor([5.])
    """
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else axis
    return torch.linalg.norm(floating(x), ord=ord, dim=axes, keepdim=keepdims)


@op
def solve(a: Any, b: Any) -> Tensor:
    """The `x` with ``a @ x == b``.

    Args:
        a: square matrices, shape ``(..., n, n)``.
        b: shape ``(..., n)`` or ``(..., n, k)``.

    Returns:
        A tensor of the shape of `b`.

    >>> solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    a, b = like(a, b)
    return torch.linalg.solve(_matrix(a, "solve", square=True), floating(b))


@op
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """The `x` with ``a @ x == b`` where `a` is triangular.

    Args:
        a: square matrices, shape ``(..., n, n)``, of which one triangle is read.
        b: shape ``(..., n)`` or ``(..., n, k)``.
        lower: whether it is the lower one.

    Returns:
        A tensor of the shape of `b`.

    >>> solve_triangular(torch.tensor([[2.0, 1.0], [0.0, 4.0]]), torch.tensor([3.0, 4.0]))
    tensor([1., 1.])
    """
    a, b = like(a, b)
    a, b = _matrix(a, "solve_triangular", square=True), floating(b)
    if b.ndim == a.ndim - 1:
        return torch.linalg.solve_triangular(a, b.unsqueeze(-1), upper=not lower).squeeze(-1)
    return torch.linalg.solve_triangular(a, b, upper=not lower)


@op
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Tensor:
    """The `x` for which ``a @ x`` comes nearest to `b`; the shortest one where several do.

    Args:
        a: matrix of shape ``(m, n)``.
        b: shape ``(m,)`` or ``(m, k)``.
        rcond: singular values below this part of the largest count as zero.

    Returns:
        A tensor of shape ``(n,)`` or ``(n, k)``.

    >>> lstsq(torch.tensor([[1.0], [1.0]]), torch.tensor([1.0, 3.0]))
    tensor([2.0000])
    """
    a, b = like(a, b)
    a, b = _matrix(a, "lstsq"), floating(b)
    if rcond is None:
        rcond = torch.finfo(a.dtype).eps * max(a.shape[-2:])
    solution = torch.linalg.pinv(a, rtol=rcond) @ (b.unsqueeze(-1) if b.ndim == 1 else b)
    return solution.squeeze(-1) if b.ndim == 1 else solution


@op
def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of a function and its derivative in a direction, in one forward pass.

    Args:
        fun: function of tensors.
        primals: tuple or list: where.
        tangents: of the same structure: in which direction.
        has_aux: whether `fun` returns ``(result, more)``, and `more` is not to be derived.

    Returns:
        ``(result, derivative)``, and `more` after it where there is one.

    >>> jvp(torch.square, (torch.tensor(3.0),), (torch.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    primals, tangents = (tuple(map_leaves(to_tensor, list(values))) for values in (primals, tangents))
    with warnings.catch_warnings():  # torch itself uses what it warns of
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)
        result: Any = torch.func.jvp(fun, primals, tangents, has_aux=has_aux)
    return result
