"""The singular value decomposition, and what is computed by it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...dtypes import as_array, int64, is_complex, real_of
from ...errors import GradientError, ShapeError
from ...graph.kinds import Composite, Factorisation
from ...graph.node import Node
from ...graph.operation import MultipleOutputs
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...messages.checks import flag
from ...shapes import Shape, broadcast, same, sizes
from .parts import (
    adjoint,
    column,
    conjugated,
    hermitian_part,
    matrix,
    on_diagonal,
    row,
    without_diagonal,
)
from .quotient import differences, gap_quotient, largest, of_pairs, without_phase
from .triangular import TALL, WIDE, least


class SVD(MultipleOutputs, Factorisation):
    """u, s, vh with x = u diag(s) vh: orthonormal columns, singular values, orthonormal rows.

    The derivative is that of Giles 2008, section 3.2, and Wan & Zhang 2019. Where singular values
    coincide, or are 0 in a matrix that isn't square, a cotangent of their vectors raises
    `numpy.linalg.LinAlgError`. The vectors beyond the smaller size, which `full_matrices` adds,
    have no derivative.
    """

    math = r"\operatorname{svd} {x}"
    samples = [
        case(TALL, full_matrices=False),
        case(WIDE, full_matrices=False),
        case(np.stack([WIDE[:, :2], TALL[:2]]), full_matrices=True),
    ]

    def f(m, x, *, full_matrices):
        return m.svd(x, full_matrices)

    @property
    def count(self) -> int:
        return 3

    def shape_rule(y, *shapes):
        rows, columns = matrix(shapes[0])
        k, outer = least(rows, columns), shapes[0][:-2]
        if y.attributes["full_matrices"]:
            return (*outer, rows, rows), (*outer, k), (*outer, columns, columns)
        return (*outer, rows, k), (*outer, k), (*outer, k, columns)

    def dtype_rule(y, *dtypes):
        return dtypes[0], real_of(dtypes[0]), dtypes[0]

    def vjp(y, g, x):
        *_, rows, columns = sizes(x.shape)
        if y.full_matrices and rows != columns:
            raise GradientError(
                f"svd: the vectors that full_matrices=True adds for a matrix {rows} × {columns} "
                "have no derivative",
                hint="Write pg.linalg.svd(x, full_matrices=False), or svdvals for s alone.",
            )
        if 0 in sizes(x.shape):
            return [ops.zeros_like(x)]
        u, s, vh = y.items
        a, c, b = conjugated(g[0]), g[1], g[2].mT  # cotangents of u, s and v
        v = adjoint(vh)
        top = largest(s)
        sums = column(s) + row(s)
        scale = top * sums
        gaps = differences(s, sums, scale)
        left, right = adjoint(u) @ a, adjoint(v) @ b
        in_u = 2 * hermitian_part(gap_quotient(without_diagonal(left), gaps, scale, of_pairs(a)))
        in_v = 2 * hermitian_part(gap_quotient(without_diagonal(right), gaps, scale, of_pairs(b)))
        inner = in_u * row(s) + column(s) * in_v + on_diagonal(c)
        if is_complex(x.dtype):
            turn = ops.diagonal(left, 0, -2, -1)
            none = without_phase(turn + ops.diagonal(right, 0, -2, -1), a)
            turn = gap_quotient(ops.imag(turn), s, top[..., 0])
            inner = inner + on_diagonal(none + turn * 1j)
        whole = u @ inner @ vh
        if rows > columns:
            whole = whole + gap_quotient(a - u @ left, row(s), top) @ vh
        if columns > rows:
            whole = whole + u @ adjoint(gap_quotient(b - v @ right, row(s), top))
        return [conjugated(whole)]


class Svdvals(Factorisation):
    """s = the singular values of x, descending. ∂L/∂x = u diag(g) vh.

    Where singular values coincide the gradient is exact if their cotangents are equal, and else, as
    at 0, a subgradient; the second derivative raises `numpy.linalg.LinAlgError` there.
    """

    math = r"\operatorname{svdvals} {x}"
    _library = "svdvals"
    samples = [
        case(TALL),
        case(np.stack([WIDE, WIDE + 1])),
        case(WIDE + 1j * WIDE[::-1]),
        case(np.stack([TALL + 0.5j * TALL[::-1], TALL + 1j])),
    ]

    def f(m, x):
        return m.svdvals(x)

    def shape_rule(y, *shapes):
        return (*shapes[0][:-2], least(*matrix(shapes[0])))

    def dtype_rule(y, *dtypes):
        return real_of(dtypes[0])

    def vjp(y, g, x):
        u, _, vh = SVD(x, full_matrices=False).items
        return [conjugated((u * row(g)) @ vh)]


class Pinv(Factorisation):
    """y = x⁺, the Moore–Penrose inverse; singular values up to `rtol` times the largest count as 0.

    ∂L/∂x is that of Golub & Pereyra 1973, for a constant rank: where the rank changes, x⁺ jumps.
    """

    math = "{x}^{+}"
    samples = [
        case(TALL, rtol=None),
        case(WIDE, rtol=None),
        case(np.stack([WIDE[:, :2], TALL[:2]]), rtol=1e-3),
        case(TALL + 0.5j * TALL[::-1], rtol=None),
        case(WIDE + 0.5j * WIDE[::-1], rtol=None),
    ]

    def f(m, x, *, rtol):
        return m.pinv(x, max(x.shape[-2:]) * float(np.finfo(x.dtype).eps) if rtol is None else rtol)

    def shape_rule(y, *shapes):
        rows, columns = matrix(shapes[0])
        return (*shapes[0][:-2], columns, rows)

    def vjp(y, g, x):
        # The second and the third term vanish for full column and full row rank.
        above, below = g.mT - x @ (y @ g.mT), g.mT - (g.mT @ y) @ x
        second = conjugated((above @ y) @ adjoint(y))
        third = conjugated(adjoint(y) @ (y @ below))
        return [second + third - y.mT @ g @ y.mT]


class Lstsq(Composite):
    """x = a⁺ b, the solution of least norm among those that minimise ‖a x − b‖.

    b (m,) is one vector, b (…, m, k) are matrices.
    """

    math = r"{a}^{+}\,{b}"
    floats = True
    samples = [
        case(TALL, np.array([0.5, 1.0, -2.0]), rtol=None),
        case(WIDE, np.array([[0.5, 1.0], [-2.0, 0.3]]), rtol=None),
    ]

    def shape_rule(x, *shapes):
        return least_squares_shape(*shapes)

    def expand(x, a, b):
        return Pinv(a, rtol=x.rtol) @ b


def least_squares_shape(a: Shape, b: Shape) -> Shape:
    """The shape of the least-squares solution."""
    rows, columns = matrix(a, "a")
    if not b or not same(rows, b[-2:][0]):
        raise ShapeError(f"a has {rows} rows and b {b[-2:][0] if b else 'no axes'}")
    if len(b) == 1:
        return (*a[:-2], columns)
    return (*broadcast(a[:-2], b[:-2]), columns, b[-1])


class MatrixRank(Composite):
    """y = the number of singular values above `tol`, or above `rtol` times the largest.

    By default rtol is the larger size of the matrices times the dtype's rounding.
    """

    math = r"\operatorname{rank} {x}"
    floats = True
    samples = [
        case(TALL, tol=None, rtol=None),
        case(np.stack([WIDE, 0 * WIDE]), tol=None, rtol=1e-3),
        case(TALL, tol=0.5, rtol=None),
    ]

    def shape_rule(y, *shapes):
        matrix(shapes[0])
        return shapes[0][:-2]

    def dtype_rule(y, *dtypes):
        return int64

    def expand(y, x):
        *_, rows, columns = sizes(x.shape)
        s = Svdvals(x)
        if not rows or not columns:
            return ops.sum(ops.cast(s > 0, int64), axis=-1)
        if y.tol is not None:
            tol = np.asarray(y.tol, s.dtype)[..., None]
            return ops.sum(ops.cast(s > tol, int64), axis=-1)
        eps = float(np.finfo(x.dtype).eps)  # pyright: ignore[reportArgumentType]
        rtol = np.asarray(max(rows, columns) * eps if y.rtol is None else y.rtol, s.dtype)
        return ops.sum(ops.cast(s > rtol[..., None] * s[..., :1], int64), axis=-1)


class SVDResult(NamedTuple):
    """Left singular vectors in columns, singular values, right singular vectors in rows."""

    U: Node
    S: Node
    Vh: Node


class LstsqResult(NamedTuple):
    """A least-squares solution, ‖a x − b‖² for each column of b, the rank and singular values."""

    solution: Node
    residuals: Node
    rank: Node
    singular_values: Node


@public
def svd(
    x: Any, /, full_matrices: bool = True, compute_uv: bool = True, *, name: str | None = None
) -> Any:
    """u, s, vh with x = u diag(s) vh: orthonormal columns, singular values, orthonormal rows.

    For x (…, m, n) and k = min(m, n) the shapes are (…, m, k), (…, k) and (…, k, n); with
    `full_matrices` those of u and vh are (…, m, m) and (…, n, n), but then only square matrices
    have a gradient. compute_uv=False returns s alone, as `svdvals`. Where singular values coincide,
    a gradient through their vectors raises `numpy.linalg.LinAlgError`.
    """
    full = flag("svd: full_matrices", full_matrices)
    if not flag("svd: compute_uv", compute_uv):
        return Svdvals(x, name=name)
    return SVDResult(*SVD(x, full_matrices=full, name=name).items)


@public
def svdvals(x: Any, /, *, name: str | None = None) -> Node:
    """The singular values of x (…, m, n), descending.

    Where they coincide, the gradient is exact for functions that treat them alike, such as their
    sum, and a subgradient for others, as at 0.
    """
    return Svdvals(x, name=name)


@public
def pinv(x: Any, /, rtol: Any = None, *, name: str | None = None) -> Node:
    """x⁺, the Moore–Penrose inverse; singular values up to `rtol` times the largest count as 0.

    rtol is a number or one for each matrix, by default the larger size of the matrices times the
    dtype's rounding. The gradient is that for a constant rank.
    """
    return Pinv(x, rtol=_numbers(rtol), name=name)


@public
def lstsq(a: Any, b: Any, /, rcond: float | None = None, *, name: str | None = None) -> LstsqResult:
    """The x of least norm that minimises ‖a x − b‖, the residuals, the rank and singular values.

    a (…, m, n); b (m,) is one vector, b (…, m, k) are matrices. Singular values up to `rcond` times
    the largest count as 0, by default max(m, n) roundings. The residuals ‖a x − b‖² are given for
    all ranks and sizes, unlike NumPy's, which are empty for some.
    """
    rtol = None if rcond is None or rcond < 0 else float(rcond)
    solution = Lstsq(a, b, rtol=rtol, name=name)
    a, b = solution.inputs
    rest = b - ops.matmul(a, solution)
    rest = ops.real(rest * ops.conj(rest)) if is_complex(rest.dtype) else ops.square(rest)
    axis = -1 if b.ndim == 1 else -2
    rank = MatrixRank(a, tol=None, rtol=rtol)
    return LstsqResult(solution, ops.sum(rest, axis=axis), rank, Svdvals(a))


@public
def matrix_rank(x: Any, /, tol: Any = None, *, rtol: Any = None, name: str | None = None) -> Node:
    """The number of singular values above `tol`, or above `rtol` times the largest.

    Each is a number or one for each matrix. By default rtol is the larger size of the matrices
    times the dtype's rounding.
    """
    return MatrixRank(x, tol=_numbers(tol), rtol=_numbers(rtol), name=name)


def _numbers(value: Any) -> Any:
    """A number, or an array of them as nested tuples, which can be an attribute."""
    if value is None or isinstance(value, (int, float)):
        return value

    def frozen(part: Any) -> Any:
        return tuple(map(frozen, part)) if isinstance(part, list) else part

    return frozen(as_array(value.numpy() if isinstance(value, Node) else value).tolist())
