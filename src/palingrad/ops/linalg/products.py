"""Diagonals, blocks, powers and products of matrices, and inverses of tensors."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from operator import index, mul
from typing import Any

import numpy as np

from ...dtypes import default_dtype, is_inexact
from ...errors import ArgumentError, ShapeError
from ...graph.describe.notation import PRODUCT, Piece, applied, operator
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...shapes import known, same, sizes
from ..contraction.pairs import reshaped
from .parts import square
from .solve import Inv, Solve
from .triangular import BATCH, REGULAR


class BlockDiag(Composite):
    """y = the matrices x₀, x₁, … along the diagonal of a larger one, with zeros elsewhere.

    A vector is a row. The leading axes of all are the same.
    """

    math = r"\operatorname{blockdiag}\left({x}, \dots\right)"
    samples = [case((2, 2), (1, 3)), case((2, 2, 1), (2, 1, 1)), case((2,), ())]

    def notation(y, *x):
        return applied(operator("blockdiag"), x)

    def shape_rule(y, *shapes):
        found = [(1,) * (2 - len(shape)) + shape for shape in shapes]
        outer = found[0][:-2]
        for shape in found:
            if len(shape) != len(outer) + 2 or not all(map(same, shape, outer)):
                raise ShapeError(f"leading axes {outer} and {shape[:-2]} differ")
        unknown = any(None in shape[-2:] for shape in found)
        rows, columns = ([shape[axis] for shape in found] for axis in (-2, -1))
        if unknown:
            return (*outer, None, None)
        return (*outer, sum(map(int, rows)), sum(map(int, columns)))  # pyright: ignore

    def expand(y, *xs):
        blocks = [reshaped(x, (1,) * (2 - len(sizes(x.shape))) + sizes(x.shape)) for x in xs]
        columns = [sizes(block.shape)[-1] for block in blocks]
        rows: list[Any] = []
        for place, block in enumerate(blocks):
            *outer, height, _ = sizes(block.shape)
            before, after = sum(columns[:place]), sum(columns[place + 1 :])
            zeros = [np.zeros((*outer, height, n), block.dtype) for n in (before, after)]
            rows.append(ops.concat([zeros[0], block, zeros[1]], axis=-1))
        return ops.concat(rows, axis=-2)


class MatrixPower(Composite):
    """y = xⁿ of square matrices, by repeated squaring; for n < 0 of x⁻¹."""

    math = "{x}^n"
    samples = [case(REGULAR, n=3), case(BATCH, n=-2), case((2, 2), n=0), case((2, 2), n=1)]

    def notation(y, x):
        return applied(f"{operator('matrixpower')}_{{{y.attributes['n']}}}", [x])

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def dtype_rule(y, *dtypes):
        whole = y.attributes["n"] >= 0 or is_inexact(dtypes[0])
        return dtypes[0] if whole else default_dtype()

    def expand(y, x):
        n = abs(y.n)
        x = Inv(x) if y.n < 0 else x
        if n == 0:
            return ops.zeros_like(x) + np.eye(sizes(x.shape)[-1], dtype=x.dtype)
        result = None
        while n:
            if n % 2:
                result = x if result is None else result @ x
            n //= 2
            x = x @ x if n else x
        return result


class MultiDot(Composite):
    """y = x₀ x₁ x₂ …, in the order that needs the fewest products of numbers.

    The first may be a row vector, the last a column vector.
    """

    math = r"{x} \cdots"
    associative = True
    samples = [
        case((2, 4), (4, 3), (3, 5), (5, 1)),
        case((4,), (4, 3), (3,)),
        case((2, 3), (3, 2)),
    ]

    def notation(y, *x):
        return Piece(r"\,".join(factor.within(PRODUCT) for factor in x), PRODUCT)

    def shape_rule(y, *shapes):
        for place, shape in enumerate(shapes):
            end = place in (0, len(shapes) - 1)
            if len(shape) != 2 and not (end and len(shape) == 1):
                raise ShapeError(
                    f"x{place} has {len(shape)} axes; matrices have two",
                    hint="The first and last may be vectors. For batches write x @ y @ z.",
                )
        for place, (x, z) in enumerate(itertools.pairwise(shapes)):
            if not same(x[-1], z[0]):
                raise ShapeError(f"x{place} has {x[-1]} columns and x{place + 1} has {z[0]} rows")
        return (*shapes[0][:-1], *shapes[-1][1:])

    def expand(y, *xs):
        shapes = [sizes(x.shape) for x in xs]
        dims = [1 if len(shapes[0]) == 1 else shapes[0][0]]
        dims += [shape[-1] for shape in shapes[:-1]]
        dims.append(1 if len(shapes[-1]) == 1 else shapes[-1][-1])
        splits = _splits(tuple(dims))

        def product(first: int, last: int) -> Any:
            if first == last:
                return xs[first]
            split = splits[first, last]
            return product(first, split) @ product(split + 1, last)

        return product(0, len(xs) - 1)


def _splits(dims: tuple[int, ...]) -> dict[tuple[int, int], int]:
    """After which matrix each product of matrices first … last is split, for the lowest cost."""
    count = len(dims) - 1
    cost = {(place, place): 0 for place in range(count)}
    splits: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            cost[first, last], splits[first, last] = min(
                (cost[first, k] + cost[k + 1, last] + dims[first] * dims[k + 1] * dims[last + 1], k)
                for k in range(first, last)
            )
    return splits


@public
def diagonal(x: Any, /, *, offset: int = 0, name: str | None = None) -> Node:
    """y = x[…, i, i + offset], the diagonals of the matrices that are the last two axes."""
    return ops.diagonal(x, index(offset), -2, -1, name=name)


@public
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None, name: str | None = None) -> Node:
    """y = Σ x[…, i, i + offset], the sums of the diagonals of the last two axes."""
    x = x if dtype is None else ops.cast(x, dtype)
    return ops.trace(x, index(offset), -2, -1, name=name)


@public
def block_diag(*xs: Any, name: str | None = None) -> Node:
    """y = the matrices along the diagonal of a larger one, with zeros elsewhere.

    A vector is a row. The leading axes of all are the same.
    """
    if not xs:
        raise ArgumentError("block_diag: expected matrices, got none.",
                            hint="Write pg.linalg.block_diag(x, y).")  # fmt: skip
    return BlockDiag(*xs, name=name)


@public
def matrix_power(x: Any, n: int, /, *, name: str | None = None) -> Node:
    """y = xⁿ of square matrices; for n < 0 of x⁻¹, which raises `numpy.linalg.LinAlgError` if x is
    singular. The integer n is no node."""
    try:
        power = index(n)
    except TypeError:
        raise ArgumentError(
            f"matrix_power: n is {n!r:.40}; expected an integer.",
            hint="Powers that aren't whole go through eigh: v * w**0.5 @ v.mT.",
        ) from None
    return MatrixPower(x, n=power, name=name)


@public
def multi_dot(arrays: Sequence[Any], /, *, name: str | None = None) -> Node:
    """y = x₀ x₁ x₂ …, in the order that needs the fewest products of numbers.

    The first may be a row vector, the last a column vector.
    """
    if isinstance(arrays, (Node, np.ndarray)) or len(arrays) < 2:
        raise ArgumentError("multi_dot: expected a list of two or more arrays.",
                            hint="Write pg.linalg.multi_dot([x, y, z]).")  # fmt: skip
    return MultiDot(*arrays, name=name)


@public
def tensorinv(x: Any, /, ind: int = 2, *, name: str | None = None) -> Node:
    """y with tensordot(y, tensordot(x, b, ind), ind) = b: x⁻¹ of x as a matrix from its axes after
    the first `ind` to these. Its sizes must be known."""
    x = as_node(x)
    shape = _sizes("tensorinv", x)
    rows, columns = shape[:ind], shape[ind:]
    if ind < 1 or _product(rows) != _product(columns):
        raise ShapeError(f"tensorinv: the axes {rows} and {columns} of x {shape} have unequal "
                         "numbers of elements")  # fmt: skip
    inverse = Inv(ops.reshape(x, (_product(rows), _product(columns))))
    return ops.reshape(inverse, (*columns, *rows), name=name)


@public
def tensorsolve(
    a: Any, b: Any, /, axes: Sequence[int] | None = None, *, name: str | None = None
) -> Node:
    """x with tensordot(a, x, x.ndim) = b; `axes` of a are moved to its end first. The sizes must be
    known."""
    a, b = as_node(a), as_node(b)
    shape, wanted = _sizes("tensorsolve", a), _sizes("tensorsolve", b)
    if axes is not None:
        ends = [axis % len(shape) for axis in axes]
        rest = [axis for axis in range(len(shape)) if axis not in ends]
        a = ops.permute_dims(a, (*rest, *ends))
        shape = sizes(a.shape)
    rows, columns = shape[: len(wanted)], shape[len(wanted) :]
    if rows != wanted or _product(rows) != _product(columns):
        raise ShapeError(f"tensorsolve: a {shape} isn't {wanted} and axes of as many elements")
    solution = Solve(
        ops.reshape(a, (_product(rows), _product(columns))), ops.reshape(b, (-1,)), transposed=False
    )
    return ops.reshape(solution, columns, name=name)


def _sizes(function: str, x: Node) -> tuple[int, ...]:
    """The shape of x. Raises ShapeError if it isn't known."""
    if x.shape is None or not known(x.shape):
        raise ShapeError(f"{function}: the shape of {x.label()} isn't known yet{x.built()}.",
                         hint="Give the placeholder a shape.")  # fmt: skip
    return sizes(x.shape)


def _product(shape: Sequence[int]) -> int:
    return functools.reduce(mul, shape, 1)
