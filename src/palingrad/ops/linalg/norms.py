"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import real_of
from ...errors import ArgumentError, ShapeError
from ...graph.describe.axes import kept
from ...graph.describe.notation import attribute_text, norm_notation
from ...graph.functions import frozen
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...messages.checks import flag
from ...shapes import axis_in, reduced, sizes
from ..reduction.axes import narrowed, widened
from .parts import square
from .quotient import gap_quotient
from .singular import WIDE, Svdvals
from .solve import Inv
from .triangular import BATCH, REGULAR

_ORDERS = "'fro', 'nuc', 1, -1, 2, -2, inf or -inf"


class MatrixNorm(Composite):
    """y = a norm of the matrices on the axes `pair`.

    Frobenius; nuclear, the sum of the singular values; 2 and −2, the largest and the smallest of
    them; 1 and −1, the extremes of the column sums of |x|; ±∞, those of the row sums.
    """

    math = r"\left\lVert{x}\right\rVert"
    floats = True
    samples = [
        case(WIDE, order="fro", pair=(-2, -1), keepdims=False),
        case(BATCH, order="nuc", pair=(-2, -1), keepdims=True),
        case(BATCH, order=2.0, pair=(1, 2), keepdims=False),
        case(WIDE, order=1.0, pair=(0, 1), keepdims=False),
        case(BATCH, order=-np.inf, pair=(2, 1), keepdims=True),
    ]

    def shape_rule(y, *shapes):
        return reduced(
            shapes[0], _axes(y.attributes["pair"], len(shapes[0])), y.attributes["keepdims"]
        )

    def dtype_rule(y, *dtypes):
        return real_of(dtypes[0])

    def notation(y, x):
        which = {"fro": "F", "nuc": "*", math.inf: r"\infty", -math.inf: r"-\infty"}.get(y.order)
        text = attribute_text(y.order) if which is None else which
        plain = y.inputs[0].ndim == 2 and tuple(axis % 2 for axis in y.pair) == (0, 1)
        total = norm_notation(x, text, None if plain else y.pair)
        return kept(total, y.pair, y.inputs[0].ndim) if y.keepdims else total

    def expand(y, x):
        rows, columns = _axes(y.pair, len(sizes(x.shape)))
        order, dtype = y.order, real_of(x.dtype)
        empty = 0 in (x.shape[rows], x.shape[columns])
        if empty and order in ("nuc", 1, 2, math.inf):
            order = "fro"  # all are 0
        if order == "fro":
            return ops.vector_norm(x, axis=(rows, columns), keepdims=y.keepdims)
        if order in ("nuc", 2, -2):
            rest = [axis for axis in range(x.ndim or 0) if axis not in (rows, columns)]
            s = widened(Svdvals(ops.permute_dims(x, (*rest, rows, columns))))
            combine = {"nuc": ops.sum, 2: ops.max, -2: ops.min}[order]
            result = combine(s, axis=-1)
            if y.keepdims:
                result = ops.expand_dims(result, axis=(rows, columns))
            return narrowed(result, dtype)
        first, second = (rows, columns) if abs(order) == 1 else (columns, rows)
        sums = ops.sum(ops.abs(widened(x)), axis=first, keepdims=True)
        combine = ops.max if order > 0 else ops.min
        result = combine(sums, axis=second, keepdims=True)
        return narrowed(result if y.keepdims else ops.squeeze(result, axis=(rows, columns)), dtype)


def _axes(pair: Any, ndim: int) -> tuple[int, int]:
    if ndim < 2:
        raise ShapeError(f"x has {ndim} axes, a matrix has two or more",
                         hint="For vectors write pg.linalg.vector_norm(x).")  # fmt: skip
    rows, columns = (axis_in(axis, ndim) for axis in pair)
    if rows == columns:
        raise ShapeError(f"axes {tuple(pair)} name an axis twice")
    return rows, columns


class Cond(Composite):
    """y = ‖x‖·‖x⁻¹‖, by default in the 2-norm: the largest singular value divided by the smallest.

    For a singular matrix the 2-norm's is ∞, and its gradient raises `numpy.linalg.LinAlgError`, as
    other norms do.
    """

    math = r"\operatorname{cond} {x}"
    floats = complexes = True
    samples = [
        case(REGULAR, order=None),
        case(BATCH, order="fro"),
        case(WIDE, order=-2.0),
    ]

    def shape_rule(y, *shapes):
        if y.attributes["order"] not in (None, 2, -2):
            square(shapes[0])
        _axes((-2, -1), len(shapes[0]))
        return shapes[0][:-2]

    def dtype_rule(y, *dtypes):
        return real_of(dtypes[0])

    def expand(y, x):
        if 0 in sizes(x.shape)[-2:]:
            raise ShapeError("matrices without elements have no condition number")
        if y.order not in (None, 2, -2):
            options: dict[str, Any] = {"order": y.order, "pair": (-2, -1), "keepdims": False}
            return MatrixNorm(x, **options) * MatrixNorm(Inv(x), **options)
        s = Svdvals(x)
        return s[..., -1] / s[..., 0] if y.order == -2 else s[..., 0] / s[..., -1]

    def vjp(y, g, x):
        if y.order not in (None, 2, -2):
            return super().vjp(g, x)
        s = Svdvals(x)
        ends = s[..., 0], s[..., -1]
        p, d = ends if y.order != -2 else ends[::-1]
        return ops.pull_back(gap_quotient(p, d, ends[0]), [x], g)


@public
def vector_norm(
    x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2, name: str | None = None
) -> Node:
    """The p-norm of x over `axis`, p = `ord`: (Σ |x|ᵖ)^(1/p); all of x by default.

    ord=0 counts the elements that aren't 0; ±inf is the largest and the smallest |x|.
    """
    return ops.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord, name=name)


@public
def matrix_norm(
    x: Any, /, *, keepdims: bool = False, ord: Any = "fro", name: str | None = None
) -> Node:
    """A norm of the matrices that are the last two axes of x.

    "fro": √Σ x²; "nuc": the sum of the singular values; 2 and −2: the largest and the smallest of
    them; 1 and −1: the largest and smallest sum of |x| in a column; ±inf: in a row.
    """
    order = _order("matrix_norm", ord)
    keep = flag("matrix_norm: keepdims", keepdims)
    return _matrix_norm(x, order, (-2, -1), keep, name)


@public
def norm(
    x: Any, /, ord: Any = None, axis: Any = None, keepdims: bool = False, *, name: str | None = None
) -> Node:
    """A norm of vectors or matrices, as in `numpy.linalg.norm`.

    `axis` is an axis of vectors or a pair of axes of matrices. Without it x is one vector or
    matrix, and without `ord` too the result is √Σ x² over all of x. `ord` is that of `vector_norm`
    or `matrix_norm`.
    """
    keep = flag("norm: keepdims", keepdims)
    axes = frozen(axis)
    if ord is None:
        return ops.vector_norm(x, axis=axes, keepdims=keep, name=name)
    if axes is None:
        x = as_node(x)
        if x.shape is None or len(x.shape) not in (1, 2):
            raise ArgumentError(
                f"norm: ord={ord!r:.20} is of a vector or a matrix, and x has "
                f"{'unknown' if x.shape is None else len(x.shape)} axes.",
                hint="Name them: axis=-1 for vectors, axis=(-2, -1) for matrices.",
            )
        axes = -1 if len(x.shape) == 1 else (-2, -1)
    pair = axes if isinstance(axes, tuple) else (axes,)
    if len(pair) == 1:
        return ops.vector_norm(x, axis=pair[0], keepdims=keep, ord=ord, name=name)
    if len(pair) != 2:
        hint = "Write axis=-1 for vectors, axis=(-2, -1) for matrices."
        raise ArgumentError(f"norm: axis is {axis!r:.40}; expected one axis or two.", hint=hint)
    return _matrix_norm(x, _order("norm", ord), pair, keep, name)


def _matrix_norm(x: Any, order: Any, pair: Any, keepdims: bool, name: str | None) -> Node:
    x = as_node(x)
    if order == "fro" and x.shape is not None:  # powers of it have derivatives at 0
        axes = _axes(pair, len(x.shape))
        return ops.vector_norm(x, axis=axes, keepdims=keepdims, name=name)
    return MatrixNorm(x, order=order, pair=pair, keepdims=keepdims, name=name)


@public
def cond(x: Any, /, p: Any = None, *, name: str | None = None) -> Node:
    """The condition number ‖x‖·‖x⁻¹‖ of matrices in the norm `p` of `matrix_norm`.

    By default, and for p = 2, the largest singular value divided by the smallest, ∞ if that is 0;
    these matrices needn't be square.
    """
    return Cond(x, order=None if p is None else _order("cond", p), name=name)


def _order(name: str, ord: Any) -> Any:
    if ord in ("fro", "nuc"):
        return ord
    if not isinstance(ord, (str, bool, Node)) and ord in (1, -1, 2, -2, np.inf, -np.inf):
        return float(ord)
    raise ArgumentError(f"{name}: a norm of matrices is {_ORDERS}, not {ord!r:.40}.",
                        hint="Write ord='fro' for √Σ x².")  # fmt: skip
